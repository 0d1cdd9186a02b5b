"""The plan's numbers are those that training has."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from training_data import CONTEXT, ObservedRun, small_config

from trainer.config import TrainingConfig, config_from
from trainer.errors import TrainerError
from trainer.loss import ROWS
from trainer.model import Block, ModelSettings, rope_table
from trainer.parallel import recomputed
from trainer.plan import AliveStorages, layer_memory, memory, plan_lines
from trainer.presets import PRESETS
from trainer.record import DEVICES

SMALL = ModelSettings(64, 2, 4, 2, 172, 500, 32)


def real_bytes(settings: ModelSettings, windows: int, how: str, precision: str) -> int:
    """What a real layer's backward pass needs, as autograd tells: its input and saved tensors."""
    block: torch.nn.Module = Block(settings)
    table = rope_table(settings, settings.context)
    x = torch.randn(windows, settings.context, settings.dim, requires_grad=True)
    found = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes()}

    def keep(tensor: Tensor) -> Tensor:
        found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    known = [*block.parameters(), table]
    if how != "none":
        block = recomputed(block, how)
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
    ):
        output = block(x, table, None)
    for tensor in known:
        found.pop(tensor.untyped_storage().data_ptr(), None)
    found.pop(output.untyped_storage().data_ptr(), None)
    return sum(found.values())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kv_heads", [4, 2])
def test_the_count_is_what_autograd_saves(kv_heads: int, precision: str) -> None:
    settings = replace(SMALL, kv_heads=kv_heads)
    for windows in (1, 3):
        training = TrainingConfig(precision=precision)
        counted = layer_memory(settings, training, windows).kept
        assert counted == real_bytes(settings, windows, "none", precision)
    # A formula that forgets something does not pass: the input alone is far less.
    assert counted > 10 * 3 * settings.context * settings.dim * 4


def test_recomputed_layers_keep_what_they_say() -> None:
    full = layer_memory(SMALL, TrainingConfig(checkpointing="full", precision="fp32"), 2)
    tokens = 2 * SMALL.context
    assert full.kept == tokens * SMALL.dim * 4
    selective = layer_memory(SMALL, TrainingConfig(checkpointing="selective", precision="fp32"), 2)
    rows = (SMALL.heads + 2 * SMALL.kv_heads) * SMALL.head_dim
    products = rows + SMALL.dim + 2 * SMALL.hidden + SMALL.dim
    attention = SMALL.dim + SMALL.heads  # its output, and the logarithms of its sums
    assert selective.kept <= tokens * 4 * (SMALL.dim + products + attention)
    assert selective.kept >= tokens * 4 * (rows + 2 * SMALL.hidden + attention)
    none = layer_memory(SMALL, TrainingConfig(precision="fp32"), 2)
    assert full.kept < selective.kept < none.kept
    assert none.peak <= full.peak <= none.peak + full.kept


@pytest.mark.parametrize("how", ["none", "selective", "full"])
def test_tensors_without_storage_count_as_real_ones_do(how: str) -> None:
    block: torch.nn.Module = Block(SMALL)
    table = rope_table(SMALL, SMALL.context)
    if how != "none":
        block = recomputed(block, how)
    x = torch.randn(2, SMALL.context, SMALL.dim, requires_grad=True)
    for weight in block.parameters():
        weight.grad = torch.zeros_like(weight)
    gradients = [weight.grad for weight in block.parameters() if weight.grad is not None]
    with AliveStorages([*block.parameters(), *gradients, table]) as alive:
        alive.add(x)
        output = block(x, table, None)
        kept = alive.bytes() - output.untyped_storage().nbytes()
        output.backward(torch.ones_like(output))
    counted = layer_memory(SMALL, TrainingConfig(checkpointing=how, precision="fp32"), 2)
    assert (counted.kept, counted.peak) == (kept, alive.peak)


def test_7b_is_planned_without_its_memory() -> None:
    settings = PRESETS["llama1-7b"].model
    began = time.process_time()
    alone = memory(settings, TrainingConfig(checkpointing="full"), 8)
    assert time.process_time() - began < 20
    assert alone.weights == alone.gradients == alone.moments // 2 == 4 * 6_738_415_616
    shared = memory(settings, TrainingConfig(checkpointing="full", parallel="fsdp"), 8)
    assert shared.weights == alone.weights // 8
    # 8 windows of 2048 by 4096, in 32 layers, in fp32 without and bf16 with FSDP.
    assert alone.activations == 2 * shared.activations == 8 * 2048 * 4096 * 32 * 4
    # Of the logits, which would be 4 GB in fp32, only a part.
    few = TrainingConfig(checkpointing="full", micro_batch=1)
    logits = ROWS["cuda"] * 32_000
    assert 6 * logits <= memory(settings, few, 8).working < 20 * logits


def test_activations_grow_with_the_micro_batch_and_copies_do_not() -> None:
    one, four = (memory(SMALL, TrainingConfig(micro_batch=size), 1) for size in (1, 4))
    assert four.activations == 4 * one.activations
    assert four.working == pytest.approx(4 * one.working, rel=0.25)
    assert four.copies == one.copies
    # bf16 copies of the matrices of the layers and of the head, whose gradient is made aside.
    head = 500 * 64
    matrices = SMALL.parameters - head - 5 * 64
    assert one.copies == pytest.approx(2 * (matrices - head) + 4 * head, abs=8)
    only_gradient = memory(SMALL, TrainingConfig(precision="fp32"), 1).copies
    assert only_gradient == pytest.approx(4 * head, abs=8)


def test_epochs_and_tokens_are_those_that_training_reads(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    config = small_config(
        tmp_path,
        tokens,
        tokenizer,
        training__steps=30,
        training__batch_ramp=[[3, 4 * CONTEXT]],
        data__shares={"books": 0.7, "web": 0.3},
    )
    text = "\n".join(plan_lines(config, 1, "H100", 0.5))
    run = ObservedRun(replace(config, training=replace(config.training, steps=30)))
    run.loop()
    assert f"steps  30 of up to 256 tokens: {run.progress.tokens:,} tokens" in text
    read = Counter(run.mixture.documents(window)[0] for window in range(run.progress.windows))
    for source, windows in zip(run.mixture.names, run.mixture.sources, strict=True):
        (line,) = [line for line in text.splitlines() if line.startswith(source)]
        columns = line.split()
        assert columns[3] == f"{windows.dataset.tokens:,}"
        assert columns[4] == f"{read[source] * CONTEXT:,}"
        assert float(columns[5]) == pytest.approx(read[source] / windows.count, abs=0.005)
    assert re.search(r"warning: more than 4 epochs of books \(4\.\d\)", text)
    parameters = sum(parameter.numel() for parameter in run.model.parameters())
    assert f"{parameters:,} parameters" in text
    assert "warning: training would not start" not in text


def test_time_is_operations_by_speed(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    config = config_from({"model": {"preset": "llama1-7b"}}, "a test")
    text = "\n".join(plan_lines(config, 64, "a100", 0.5))
    settings = PRESETS["llama1-7b"].model
    tokens_there = config.steps * 2**22
    operations = settings.training_flops_per_token
    # 6 for each weight of a matrix that is multiplied, 12 for each pair of attention.
    assert operations == 6 * (6_738_415_616 - 32_000 * 4096 - 65 * 4096) + 12 * 32 * 4096 * 2048
    assert f"FLOPs  {operations:,} a token, {operations * tokens_there:.3g} in all" in text
    days = operations * tokens_there / (64 * 312e12 * 0.5) / 86_400
    assert f"time   {days:.1f} days on 64 x A100 at 50% of 312 bf16 teraflops" in text


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_planned_without_tokens(preset: str, tmp_path: Path) -> None:
    data = {"tokens": [str(tmp_path)], "tokenizer": str(tmp_path)}
    config = config_from({"model": {"preset": preset}, "data": data}, "a test")
    lines = plan_lines(config, 1, "H100", 0.4)
    size = PRESETS[preset].model.vocabulary_size
    assert f"{PRESETS[preset].model.parameters:,} parameters with {size:,} tokens" in lines[0]
    assert f"data   not planned: there is no token dataset in {tmp_path}" in "\n".join(lines)
    fits = PRESETS[preset].model.parameters < 2e9
    assert any("warning: H100 has 80 GiB" in line for line in lines) != fits


def test_what_would_stop_training_is_said(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    shares = {"books": 0.5, "code": 0.5}
    changes = {"data__shares": shares, "optimizer__warmup_steps": 6}
    config = small_config(tmp_path, tokens, tokenizer, **changes)
    text = "\n".join(plan_lines(config, 1, "H100", 0.4))
    assert "warning: training would not start: optimizer.warmup_steps = 6 does not fit" in text
    assert "warning: less than one window of code" in text
    assert "warning: training would not start: there are no tokens of code" in text


def test_sharding_over_one_device_would_not_start(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    config = small_config(tmp_path, tokens, tokenizer, training__parallel="fsdp")
    with pytest.raises(TrainerError, match="'fsdp' needs several ranks"):
        ObservedRun(config)
    said = "warning: training would not start: training.parallel = 'fsdp' on one device"
    assert said in plan_lines(config, 1, "H100", 0.4)
    assert said not in plan_lines(config, 2, "H100", 0.4)


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_that_is_offered_has_a_plan(
    device: str, tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    config = small_config(tmp_path, tokens, tokenizer)
    assert f"1 x {device} at" in "\n".join(plan_lines(config, 1, device.upper(), 0.4))


def test_unknown_devices_are_refused(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    config = small_config(tmp_path, tokens, tokenizer)
    with pytest.raises(TrainerError, match="no peak is known for device 'abacus', only for B200"):
        plan_lines(config, 1, "abacus", 0.4)
    with pytest.raises(TrainerError, match=r"8 windows of 32, which 3 ranks cannot take"):
        plan_lines(config, 3, "H100", 0.4)
