"""Optimizer steps: accumulation, steps that are not finite, the batch ramp, what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from token_data import documents
from torch import Tensor, nn
from training_data import (
    PIECES,
    ObservedRun,
    identity_of,
    losses,
    saved_tensors,
    small_config,
    write_split_dataset,
)

from trainer.checkpoint import latest
from trainer.cli import main
from trainer.config import Config
from trainer.errors import TrainerError
from trainer.loss import IGNORED, targets_of
from trainer.parallel import fitting_threads
from trainer.presets import PRESETS
from trainer.train import train


def gradients_of_a_step(config: Config) -> tuple[dict[str, Tensor], float]:
    """Gradients of the first step, before they are clipped to nothing, and its loss."""
    found: dict[str, Tensor] = {}

    class Watched(ObservedRun):
        def watch(self) -> float:
            for name, parameter in self.model.named_parameters():
                parameter.register_post_accumulate_grad_hook(
                    lambda parameter, name=name: found.update({name: parameter.grad.clone()})
                )
            return self.step()["loss"]

    loss = Watched(config).watch()
    return found, loss


def test_any_micro_batch_has_the_same_gradients(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    found = {
        size: gradients_of_a_step(
            small_config(tmp_path, tokens, tokenizer, training__micro_batch=size)
        )
        for size in (1, 2, 8)
    }
    expected, loss = found[8]
    for size in (1, 2):
        assert found[size][1] == pytest.approx(loss, abs=1e-6)
        for name, gradient in expected.items():
            torch.testing.assert_close(found[size][0][name], gradient, atol=1e-6, rtol=1e-4)


def test_a_mean_of_means_would_not_have_them(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    """The windows have unlike numbers of targets, so that the test above can fail."""
    run = ObservedRun(small_config(tmp_path, tokens, tokenizer))
    whole = torch.cat(list(run.steps.micro_batches(run.mixture, 0, run.ranks.device)))
    means, counts = [], []
    with torch.no_grad():
        for window in whole.split(1):
            targets = targets_of(window, 1)
            counts.append(int((targets != IGNORED).sum()))
            means.append(float(run.model(window[:, :-1], None, targets)) / counts[-1])
    assert len(set(counts)) > 1
    weighted = sum(m * c for m, c in zip(means, counts, strict=True)) / sum(counts)
    assert abs(sum(means) / len(means) - weighted) > 1e-5


def test_weights_move_by_the_configured_optimizer(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    """One step by hand, with torch's plain AdamW."""
    config = small_config(tmp_path, tokens, tokenizer, training__micro_batch=8)
    run, by_hand = ObservedRun(config), ObservedRun(config)
    values = run.step()
    (batch,) = by_hand.steps.micro_batches(by_hand.mixture, 0, by_hand.ranks.device)
    nats = by_hand._nats(batch, 1)
    (nats / int((batch[:, 1:] != 1).sum())).backward()
    model = by_hand.model
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    norms = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices}, {"params": norms, "weight_decay": 0.0}]
    torch.optim.AdamW(groups, lr=0.005, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1).step()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(run.model.state_dict()[name], weight, atol=1e-7, rtol=1e-5)
    assert values["gradient_norm"] == pytest.approx(float(norm), rel=1e-5)
    assert values["learning_rate"] == 0.005


class OnceInfinite(ObservedRun):
    """A run whose third step has an infinite loss."""

    def _nats(self, batch: Tensor, bos: int) -> Tensor:
        nats = super()._nats(batch, bos)
        return nats * torch.inf if self.progress.step == 2 else nats


def test_a_step_that_is_not_finite_is_skipped_and_told(
    tmp_path: Path, tokens: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(tmp_path, tokens, tokenizer, checkpoint={"every": 1, "keep": 9})
    OnceInfinite(config).loop()
    before, after, later = (saved_tensors(tmp_path, step) for step in (2, 3, 4))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(not torch.equal(after[name], later[name]) for name in after)
    assert "step 3: gradient is not finite; step skipped" in capsys.readouterr().err
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    assert [line["skipped_steps"] for line in steps] == [0, 0, 1, 1, 1, 1]
    assert all(torch.isfinite(weight).all() for weight in saved_tensors(tmp_path, 6).values())


def test_the_batch_ramp_reads_each_window_once(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    config = small_config(
        tmp_path,
        tokens,
        tokenizer,
        training__batch_ramp=[[2, 4 * 32]],
        training__micro_batch=4,
    )
    run = ObservedRun(config)
    run.loop()
    read = [window for batch in run.read for window in batch]
    assert read == run.mixture.read(list(range(2 * 4 + 4 * 8))).tolist()
    assert run.progress.windows == len(read)
    assert run.progress.tokens == len(read) * 32


def test_the_metrics_go_on_where_the_checkpoint_is(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    train(small_config(tmp_path, tokens, tokenizer, training__steps=4))
    before = losses(tmp_path)
    with (tmp_path / "metrics.jsonl").open("a") as output:
        # Steps after the last checkpoint that a killed process has told of.
        output.write('{"kind": "step", "step": 5, "loss": 99.0}\n{"kind": "st')
    train(small_config(tmp_path, tokens, tokenizer), resume=True)
    after = losses(tmp_path)
    assert list(after) == [1, 2, 3, 4, 5, 6]
    assert {step: after[step] for step in before} == before
    assert after[5] != 99.0


def test_bf16_trains_near_fp32(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    found = {}
    for precision in ("fp32", "bf16"):
        folder = tmp_path / precision
        train(small_config(folder, tokens, tokenizer, training__precision=precision))
        found[precision] = losses(folder)
        dtypes = {tensor.dtype for tensor in saved_tensors(folder, 6).values()}
        assert dtypes == {torch.float32}
    for step, loss in found["fp32"].items():
        assert found["bf16"][step] == pytest.approx(loss, abs=0.02)
    assert found["bf16"] != found["fp32"]


def test_fsdp_alone_is_refused(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    with pytest.raises(TrainerError, match="'fsdp' needs several ranks; start it by torchrun"):
        train(small_config(tmp_path, tokens, tokenizer, training__parallel="fsdp"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_refused(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    with pytest.raises(TrainerError, match="torch sees no GPU; set device = 'cpu'"):
        train(small_config(tmp_path, tokens, tokenizer, device="cuda"))


def test_a_source_without_held_out_tokens_is_named(
    tmp_path: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source, validation in {
        "books": [],
        "web": [documents(1, 8, vocabulary_size=PIECES)],
    }.items():
        shards = [documents(len(validation), 40, vocabulary_size=PIECES)]
        folder = tmp_path / "tokens" / source
        write_split_dataset(folder, source, shards, validation, identity_of(tokenizer))
    run = tmp_path / "out"
    train(small_config(run, tmp_path / "tokens", tokenizer, training__steps=3))
    assert "not evaluated: books\n" in capsys.readouterr().err
    assert main(["eval", str(run), "--tokens", str(tmp_path / "tokens"), "--limit", "64"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()[1:]
    assert first.startswith("web ")
    assert rest[-1] == "books           not one window of 32 tokens"


def test_without_held_out_tokens_nothing_is_evaluated(
    tmp_path: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = identity_of(tokenizer)
    train_split = [documents(0, 40, vocabulary_size=PIECES)]
    write_split_dataset(tmp_path / "tokens", "books", train_split, [], identity)
    config = small_config(
        tmp_path / "out",
        tmp_path / "tokens",
        tokenizer,
        data__shares={"books": 1},
        evaluation__every=2,
    )
    train(config)
    said = capsys.readouterr().err
    assert "without a window of held-out text, not evaluated: books\n" in said
    lines = [json.loads(line) for line in (tmp_path / "out/metrics.jsonl").open()]
    assert {line["kind"] for line in lines} == {"step"}
    assert latest(tmp_path / "out/checkpoints").step == 6


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What torch would take on a machine of three cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize(
    ("preset", "device", "variable", "expected"),
    [
        ("1m", "cpu", None, 1),
        ("10m", "cpu", None, 3),
        ("1m", "cuda", None, 3),
        ("1m", "cpu", "3", 3),
    ],
)
def test_a_small_model_gets_one_thread_of_a_cpu(
    monkeypatch: pytest.MonkeyPatch,
    preset: str,
    device: str,
    variable: str | None,
    expected: int,
) -> None:
    if variable:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    with fitting_threads(PRESETS[preset].model.parameters, torch.device(device)):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_a_run_takes_the_threads_that_fit(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    seen = set()
    watch = nn.modules.module.register_module_forward_hook(
        lambda *_: seen.add(torch.get_num_threads())
    )
    with watch:
        train(small_config(tmp_path, tokens, tokenizer, training__steps=3))
    assert seen == {1}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_gpu_trains_as_a_cpu_does(
    tmp_path: Path, tokens: Path, tokenizer: Path, compiled: bool
) -> None:
    """Compiled, with FlexAttention; else with SDPA."""
    on = {"cpu": False, "cuda": compiled}
    for device, is_compiled in on.items():
        changes = {"device": device, "training__compile": is_compiled, "model__dim": 128}
        train(small_config(tmp_path / device, tokens, tokenizer, **changes))
    for step, loss in losses(tmp_path / "cpu").items():
        assert losses(tmp_path / "cuda")[step] == pytest.approx(loss, abs=2e-3)
