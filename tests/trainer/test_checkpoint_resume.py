"""Checkpoints: going on bit for bit, kills, what is kept, what is refused."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from killed_saves import MOMENTS
from training_data import (
    ObservedRun,
    copy_checkpoint,
    losses,
    make_tokenizer,
    make_tokens,
    saved_tensors,
    small_config,
)

from tokenizer.errors import TokenizerError
from trainer import interruption
from trainer.checkpoint import checkpoints, latest, read_checkpoint
from trainer.config import Config, config_data, config_from
from trainer.errors import RunStopped, TrainerError
from trainer.interruption import StopSignals, lock_output
from trainer.optimizer import make_optimizer
from trainer.record import read_metrics
from trainer.train import Run, train
from trainer.weights import load_model

# Half of 16 windows a step are from `books`, whose end comes in step 5.
CHANGES = {
    "training__batch_tokens": 16 * 32,
    "training__steps": 8,
    "data__shares": {"books": 0.5, "web": 0.5},
    "checkpoint__every": 3,
    "checkpoint__keep": 9,
    "checkpoint__keep_every": 0,
}


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, tokens: Path, tokenizer: Path
) -> tuple[Config, ObservedRun]:
    """A run of 8 steps that was never interrupted, with checkpoints of steps 3, 6 and 8."""
    config = small_config(tmp_path_factory.mktemp("whole"), tokens, tokenizer, **CHANGES)
    run = ObservedRun(config)
    run.loop()
    return config, run


def go_on(config: Config, step: int, folder: Path) -> ObservedRun:
    copy_checkpoint(Path(config.output), step, folder)
    shutil.copy(Path(config.output, "metrics.jsonl"), folder)
    return ObservedRun(moved(config, folder), latest(folder / "checkpoints"))


def moved(config: Config, folder: Path) -> Config:
    return replace(config, output=str(folder))


def test_going_on_is_the_same_bit_for_bit(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    config, uninterrupted = whole
    resumed = go_on(config, 3, tmp_path)
    resumed.loop()
    had, has = (saved_tensors(folder, 8) for folder in (Path(config.output), tmp_path))
    assert had.keys() == has.keys()
    assert len(had) == 4 * 15  # weight, two moments and the step of each parameter
    for name, expected in had.items():
        assert torch.equal(has[name], expected), name
    assert resumed.read == uninterrupted.read[3 * 4 :]
    assert losses(tmp_path) == losses(Path(config.output))
    assert len(losses(tmp_path)) == 8
    # The run is long enough to show more than one epoch.
    window = resumed.steps.windows(6).start
    assert {resumed.mixture.documents(window + offset)[1] for offset in range(16)} == {0, 1}
    states = [latest(Path(folder) / "checkpoints").state for folder in (config.output, tmp_path)]
    assert states[0]["progress"] == states[1]["progress"]
    assert states[0]["progress"]["windows"] == 8 * 16


def test_going_on_without_the_moments_is_not_the_same(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    config, _ = whole
    run = go_on(config, 3, tmp_path)
    run.optimizer = make_optimizer(run.model, config)
    run.loop()
    assert losses(tmp_path)[4] == losses(Path(config.output))[4]
    assert losses(tmp_path)[6] != losses(Path(config.output))[6]


def test_training_does_not_change_what_is_being_saved(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    run = ObservedRun(moved(whole[0], tmp_path))
    for _ in range(3):
        run.step()
    with run.output():
        run.save()
        with torch.no_grad():
            for parameter in run.model.parameters():
                parameter.zero_()
    has, had = saved_tensors(tmp_path, 3), saved_tensors(Path(whole[0].output), 3)
    assert all(torch.equal(has[name], had[name]) for name in had)


def test_the_optimizer_goes_on_with_the_settings_of_now(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    copy_checkpoint(Path(whole[0].output), 3, tmp_path)
    state = config_data(moved(whole[0], tmp_path))
    state["optimizer"] |= {"weight_decay": 0.5, "beta2": 0.99}
    run = ObservedRun(config_from(state, "a test"), latest(tmp_path / "checkpoints"))
    assert [group["weight_decay"] for group in run.optimizer.param_groups] == [0.5, 0.0]
    assert {group["betas"] for group in run.optimizer.param_groups} == {(0.9, 0.99)}
    steps = {int(state["step"]) for state in run.optimizer.state.values()}
    assert steps == {3}


@pytest.mark.engines
def test_a_kill_while_saving_leaves_a_checkpoint_to_go_on_from(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    config = whole[0]
    (tmp_path / "config.json").write_text(json.dumps(config_data(config)))
    script = Path(__file__).with_name("killed_saves.py")
    subprocess.run(
        [sys.executable, script, tmp_path / "config.json", tmp_path], check=True, timeout=120
    )
    expected = saved_tensors(Path(config.output), 8)
    for moment in MOMENTS:
        folder = tmp_path / moment
        left = {path.name for path in (folder / "checkpoints").iterdir()}
        assert latest(folder / "checkpoints").step == (6 if moment == "renamed" else 3), moment
        assert (".step-00000006.tmp" in left) == (moment != "renamed")
        train(moved(config, folder), resume=True)
        found = saved_tensors(folder, 8)
        assert all(torch.equal(found[name], expected[name]) for name in expected), moment
        left = {path.name for path in (folder / "checkpoints").iterdir()}
        assert left == {f"step-0000000{step}" for step in (3, 6, 8)}, moment


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_a_checkpoint(
    whole: tuple[Config, ObservedRun],
    tmp_path: Path,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = whole[0]
    evaluate = Run.evaluate

    def interrupted(run: Run) -> None:
        signal.raise_signal(number)
        evaluate(run)

    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    with monkeypatch.context() as patched:
        patched.setattr(Run, "evaluate", interrupted)
        every = replace(config.evaluation, every=4)
        with pytest.raises(RunStopped, match="stopped after step 5, which is saved") as stopped:
            train(replace(moved(config, tmp_path), evaluation=every))
    assert stopped.value.number == number
    assert [found.step for found in checkpoints(tmp_path / "checkpoints")] == [3, 5]
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers
    train(moved(config, tmp_path), resume=True)
    found, expected = saved_tensors(tmp_path, 8), saved_tensors(Path(config.output), 8)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_an_error_leaves_the_checkpoint_that_was_being_saved(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    class Broken(ObservedRun):
        def step(self) -> dict[str, float]:
            if self.progress.step == 3:
                raise RuntimeError("out of memory")
            return super().step()

    with pytest.raises(RuntimeError, match="out of memory"):
        Broken(moved(whole[0], tmp_path)).loop()
    assert latest(tmp_path / "checkpoints").step == 3


def test_a_second_control_c_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with StopSignals(announce=False) as signals:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):  # one, passed on by torchrun
            signal.raise_signal(number)
        assert signals.received == signal.SIGINT
        monkeypatch.setattr(interruption, "SAME_SECONDS", 0.0)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_two_processes_do_not_train_into_one_folder(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    with (
        lock_output(tmp_path / "run"),
        pytest.raises(TrainerError, match=r"another process is training into .*/run$"),
    ):
        train(moved(whole[0], tmp_path / "run"))
    (tmp_path / "file").touch()
    with pytest.raises(TrainerError, match=r"cannot write to .*/file/run: Not a directory"):
        train(moved(whole[0], tmp_path / "file" / "run"))


def test_a_file_system_without_locks_is_trained_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int, *_: object) -> None:
        raise OSError(number, "flock")

    for number in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
        monkeypatch.setattr(interruption.fcntl, "flock", partial(fail, number))
        with lock_output(tmp_path):
            pass
    monkeypatch.setattr(interruption.fcntl, "flock", partial(fail, errno.EIO))
    with pytest.raises(OSError, match="flock"), lock_output(tmp_path):
        pass


def test_a_damaged_checkpoint_does_not_count(
    whole: tuple[Config, ObservedRun], tmp_path: Path
) -> None:
    for step in (3, 6):
        copy_checkpoint(Path(whole[0].output), step, tmp_path)
    folder = tmp_path / "checkpoints"
    assert latest(folder).step == 6
    largest = max((folder / "step-00000006/model").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    assert latest(folder).step == 3
    with pytest.raises(TrainerError, match=rf"{largest.name} has not the [\d,]+ bytes it was"):
        read_checkpoint(folder / "step-00000006")
    (folder / "step-00000003/COMPLETE").unlink()
    with pytest.raises(TrainerError, match="there is no complete checkpoint in"):
        latest(folder)


def test_old_checkpoints_go_and_some_stay(tmp_path: Path, tokens: Path, tokenizer: Path) -> None:
    config = small_config(
        tmp_path, tokens, tokenizer, checkpoint={"every": 1, "keep": 2, "keep_every": 3}
    )
    train(config)
    assert [found.step for found in checkpoints(tmp_path / "checkpoints")] == [3, 5, 6]
    assert len(list((tmp_path / "checkpoints").iterdir())) == 3


def test_a_run_is_not_started_over_another(whole: tuple[Config, ObservedRun]) -> None:
    with pytest.raises(TrainerError, match="holds checkpoints of a run; `roving train resume"):
        train(whole[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__hidden": 96}, "model hidden was 64, is 96"),
        ({"model__context": 16}, "model context was 32, is 16"),
        ({"data__seed": 7}, "seed of the data was 0, is 7"),
        (
            {"data__shares": {"books": 0.25, "web": 0.75}},
            "share books was 1, is 1|share web was 1, is 3",
        ),
        ({"data__shares": {"books": 1.0, "web": 0}}, "dataset web was [0-9a-f]{64}, is None"),
    ],
)
def test_another_model_or_order_is_refused(
    whole: tuple[Config, ObservedRun],
    tmp_path: Path,
    changes: dict[str, object],
    message: str,
) -> None:
    copy_checkpoint(Path(whole[0].output), 3, tmp_path)
    data = whole[0].data
    config = small_config(tmp_path, data.tokens[0], data.tokenizer, **(CHANGES | changes))
    with pytest.raises(TrainerError, match=f"does not fit this run: .*{message}"):
        train(config, resume=True)


@pytest.mark.parametrize(
    ("ramp", "windows"), [([], None), ([[2, 512]], None), ([[3, 512]], range(48, 56))]
)
def test_another_batch_reads_no_window_twice_and_leaves_none_out(
    whole: tuple[Config, ObservedRun],
    tmp_path: Path,
    ramp: list[list[int]],
    windows: range | None,
) -> None:
    copy_checkpoint(Path(whole[0].output), 3, tmp_path)
    data = whole[0].data
    changes = CHANGES | {"training__batch_tokens": 8 * 32, "training__batch_ramp": ramp}
    config = small_config(tmp_path, data.tokens[0], data.tokenizer, **changes)
    start = latest(tmp_path / "checkpoints")
    if windows is None:
        message = r"has read 48 windows, 3 steps of .* read (24|40); .*\[3, TOKENS\]"
        with pytest.raises(TrainerError, match=message):
            ObservedRun(config, start)
    else:
        assert ObservedRun(config, start).steps.windows(3) == windows


def test_a_kill_while_evaluating_loses_no_evaluation(
    tmp_path: Path, tokens: Path, tokenizer: Path
) -> None:
    class Killed(ObservedRun):
        def evaluate(self) -> None:
            if self.progress.step == 4:
                self.checkpointer.finish()
                raise KeyboardInterrupt
            super().evaluate()

    config = small_config(
        tmp_path, tokens, tokenizer, evaluation__every=2, checkpoint__every=2, training__steps=4
    )
    with pytest.raises(KeyboardInterrupt):
        Killed(config).loop()
    train(config, resume=True)
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines if line["kind"] == "evaluation"] == [2, 4]


def test_other_tokens_are_refused(
    whole: tuple[Config, ObservedRun], tmp_path: Path, tokenizer: Path
) -> None:
    copy_checkpoint(Path(whole[0].output), 3, tmp_path / "out")
    others = make_tokens(tmp_path / "tokens", tokenizer, seed=1)
    with pytest.raises(TrainerError, match=r"run: dataset books was \w+, is \w+; dataset web was"):
        train(small_config(tmp_path / "out", others, tokenizer, **CHANGES), resume=True)


def test_another_tokenizer_is_refused(
    whole: tuple[Config, ObservedRun], tmp_path: Path, tokens: Path
) -> None:
    copy_checkpoint(Path(whole[0].output), 3, tmp_path / "out")
    tokenizer = make_tokenizer(tmp_path / "tokenizer", seed=1)
    with pytest.raises(TrainerError, match=r"was made by tokenizer .*; name the one that made"):
        train(small_config(tmp_path / "out", tokens, tokenizer, **CHANGES), resume=True)
    others = make_tokens(tmp_path / "tokens", tokenizer)
    with pytest.raises(TrainerError, match=r"this run: tokenizer was \w+, is \w+; dataset books"):
        train(small_config(tmp_path / "out", others, tokenizer, **CHANGES), resume=True)


def test_weights_alone_begin_a_new_run(
    whole: tuple[Config, ObservedRun], tmp_path: Path, tokenizer: Path
) -> None:
    others = make_tokens(tmp_path / "tokens", tokenizer, seed=1)
    start = {"training__start_from": whole[0].output, **CHANGES}
    run = ObservedRun(small_config(tmp_path / "out", others, tokenizer, **start))
    expected = load_model(latest(Path(whole[0].output) / "checkpoints")).state_dict()
    for name, weight in run.model.state_dict().items():
        assert torch.equal(weight, expected[name]), name
    assert run.progress.step == 0
    other_tokenizer = make_tokenizer(tmp_path / "tokenizer", seed=1)
    others_of_it = make_tokens(tmp_path / "others", other_tokenizer)
    with pytest.raises(TrainerError, match=r"was trained with tokenizer \w+, this one is \w+;"):
        ObservedRun(small_config(tmp_path / "x", others_of_it, other_tokenizer, **start))
    other_shape = small_config(tmp_path / "x", others, tokenizer, **start, model__hidden=96)
    with pytest.raises(TrainerError, match=r"has the shape .*hidden=64.* the configuration .*96"):
        ObservedRun(other_shape)


def test_a_missing_dataset_is_named(whole: tuple[Config, ObservedRun], tmp_path: Path) -> None:
    config = replace(whole[0], data=replace(whole[0].data, tokens=[str(tmp_path)]))
    with pytest.raises(TokenizerError, match="there is no token dataset in"):
        train(moved(config, tmp_path / "out"))
