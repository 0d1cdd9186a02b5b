"""Two ranks by `torchrun` and gloo train as one does, under DDP and under FSDP2."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_data import ObservedRun, copy_checkpoint, losses, saved_tensors, small_config

from trainer.checkpoint import latest
from trainer.config import Config, config_data, config_from
from trainer.train import train
from trainer.weights import load_model

pytestmark = pytest.mark.engines

KINDS = ("ddp", "fsdp")
STEPS = 9
# Relative distance that rounding makes of other orders of sums.
SAME = 1e-5


def changed(config: Config, folder: Path, **training: object) -> Config:
    return replace(config, output=str(folder), training=replace(config.training, **training))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tokens: Path, tokenizer: Path) -> Path:
    """Folders of runs: `one`; `ddp`, `fsdp` of two ranks; and those gone on with from `one`."""
    base = tmp_path_factory.mktemp("runs")
    config = small_config(
        base / "one",
        tokens,
        tokenizer,
        training__steps=STEPS,
        training__micro_batch=1,
        checkpoint={"every": 3, "keep": 9},
        optimizer__eps=1e-5,  # below, Adam makes a step of what is rounding
    )
    train(config)
    jobs = []
    for kind in KINDS:
        two = {"parallel": kind, "micro_batch": 2}
        jobs.append((changed(config, base / kind, **two), False))
        copy_checkpoint(base / "one", 3, base / f"{kind}-from-one")
        jobs.append((changed(config, base / f"{kind}-from-one", **two), True))
    narrow = {"parallel": "fsdp", "precision": "bf16", "checkpointing": "selective"}
    jobs.append((changed(config, base / "narrow", **narrow), False))
    requests = [(config_data(job), resume, None) for job, resume in jobs]
    requests.append((config_data(changed(config, base / "stopped", micro_batch=2)), False, 5))
    path = base / "jobs.json"
    path.write_text(json.dumps(requests))
    worker = Path(__file__).with_name("ranks_worker.py")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", worker, path]
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return base


def config_of(runs: Path, name: str) -> Config:
    return config_from(latest(runs / name / "checkpoints").state["config"], "a test")


def distances(run: Path, other: Path, step: int = STEPS) -> dict[str, float]:
    """How far another run's weights and moments are from a run's last, as shares of their size."""
    had, has = saved_tensors(run, STEPS), saved_tensors(other, step)
    assert had.keys() == has.keys()
    return {name: float((has[name] - had[name]).norm() / had[name].norm()) for name in had}


def assert_same(runs: Path, name: str, first_step: int = 1) -> None:
    expected = {step: loss for step, loss in losses(runs / "one").items() if step >= first_step}
    assert losses(runs / name) == pytest.approx(expected, abs=1e-5)
    # Adam does not see a wrong scale of the gradient; its norm does.
    norms = losses(runs / "one", "gradient_norm")
    for step, norm in losses(runs / name, "gradient_norm").items():
        assert norm == pytest.approx(norms[step], rel=1e-5), step
    assert max(distances(runs / "one", runs / name).values()) < SAME
    states = [latest(runs / run / "checkpoints").state for run in ("one", name)]
    assert states[0]["progress"] == states[1]["progress"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_ranks_train_as_one(runs: Path, kind: str) -> None:
    assert_same(runs, kind)


def test_the_comparison_sees_a_step_less(runs: Path) -> None:
    found = distances(runs / "one", runs / "one", STEPS - 3)
    assert min(found.values()) > 100 * SAME


def test_ranks_have_unlike_numbers_of_targets(runs: Path, tmp_path: Path) -> None:
    """Else a mean of the ranks' means would pass for the mean of all."""
    run = ObservedRun(changed(config_of(runs, "one"), tmp_path))
    targets = run.mixture.read(list(run.steps.windows(0)))[:, 1:]
    assert (targets[:4] != 1).sum() != (targets[4:] != 1).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_one_then_two_then_one(runs: Path, kind: str) -> None:
    assert_same(runs, f"{kind}-from-one", first_step=4)
    name = f"one-from-{kind}"
    copy_checkpoint(runs / f"{kind}-from-one", 6, runs / name)
    config = changed(config_of(runs, "one"), runs / name, micro_batch=4)
    run = ObservedRun(config, latest(runs / name / "checkpoints"))
    run.loop()
    assert_same(runs, name, first_step=7)
    read = [window for batch in run.read for window in batch]
    assert read == run.mixture.read(list(range(6 * 8, STEPS * 8))).tolist()


def test_a_signal_to_one_rank_stops_all_after_the_same_step(runs: Path) -> None:
    assert latest(runs / "stopped" / "checkpoints").step == 5
    expected = {step: loss for step, loss in losses(runs / "one").items() if step <= 5}
    assert losses(runs / "stopped") == pytest.approx(expected, abs=1e-5)


def test_a_sharded_checkpoint_is_a_whole_model(runs: Path) -> None:
    model = load_model(latest(runs / "fsdp" / "checkpoints"))
    weights = saved_tensors(runs / "fsdp", STEPS)
    assert {f"model {name}" for name in model.state_dict()} == {
        name for name in weights if name.startswith("model")
    }
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, weights[f"model {name}"]), name
    files = list((runs / "fsdp/checkpoints" / f"step-{STEPS:08}" / "model").glob("*.distcp"))
    assert len(files) == 2  # each rank wrote its own


def test_narrow_shards_with_recomputed_layers_train(runs: Path) -> None:
    assert losses(runs / "narrow") == pytest.approx(losses(runs / "one"), abs=0.05)
    assert losses(runs / "narrow") != pytest.approx(losses(runs / "one"), abs=1e-5)
    dtypes = {tensor.dtype for tensor in saved_tensors(runs / "narrow", STEPS).values()}
    assert dtypes == {torch.float32}
    # Angles in bf16 would confuse positions beyond 256.
    assert (runs / "narrow" / "layer_inputs").read_text() == "torch.bfloat16 torch.float32"


def test_evaluations_agree(runs: Path) -> None:
    found = {}
    for name in ("one", *KINDS):
        lines = (runs / name / "metrics.jsonl").read_text().splitlines()
        (scores,) = [line for line in map(json.loads, lines) if line["kind"] == "evaluation"]
        found[name] = scores["sources"]
    for kind in KINDS:
        for source, score in found["one"].items():
            assert found[kind][source] == pytest.approx(score, rel=1e-4), (kind, source)
