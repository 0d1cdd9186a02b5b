"""`roving train` as a person calls it: every action, and errors of one sentence."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_data import CONTEXT, PIECES, make_tokenizer

from pipeline.cli.main import main as roving
from trainer.checkpoint import latest
from trainer.cli import PACKAGES, main
from trainer.record import read_metrics
from trainer.weights import find_checkpoint, load_model

CONFIG = """\
output = "{output}"
device = "cpu"

[model]
dim = 32
layers = 2
heads = 4
kv_heads = 2
hidden = 64
context = {context}

[data]
tokens = ["{tokens}"]
tokenizer = "{tokenizer}"

[training]
steps = 4
batch_tokens = {batch}
micro_batch = 4
precision = "fp32"

[optimizer]
learning_rate = 0.01
warmup_steps = 1

[checkpoint]
every = 2

[evaluation]
every = 2
tokens = 128
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, tokens: Path, tokenizer: Path) -> Path:
    """A configuration whose run is done; its output is `run` beside it."""
    folder = tmp_path_factory.mktemp("cli")
    path = folder / "small.toml"
    path.write_text(
        CONFIG.format(
            output=folder / "run",
            context=CONTEXT,
            batch=8 * CONTEXT,
            tokens=tokens,
            tokenizer=tokenizer,
        )
    )
    assert main(["run", str(path)]) == 0
    return path


@pytest.fixture
def run(config: Path) -> str:
    return str(config.parent / "run")


@pytest.fixture
def names(config: Path, run: str, small_tokenizer: Path, tmp_path: Path) -> dict[str, str]:
    """Paths for command lines."""
    return {
        "config": str(config),
        "run": run,
        "missing": str(tmp_path / "missing"),
        "other": str(small_tokenizer),
        "as_large": str(make_tokenizer(tmp_path / "tokenizer", seed=1)),
    }


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The error, which must be one line."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_a_run_leaves_its_files(run: str) -> None:
    names = {path.name for path in Path(run).iterdir()}
    assert {"checkpoints", "config.json", "metrics.jsonl", "loss.png"} <= names
    lines = read_metrics(Path(run, "metrics.jsonl"))
    steps = [line for line in lines if line["kind"] == "step"]
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    assert steps[-1]["tokens"] == 4 * 8 * CONTEXT
    judged = [line for line in lines if line["kind"] == "evaluation"]
    assert [line["step"] for line in judged] == [2, 4]
    assert set(judged[0]["sources"]) == {"books", "web", "all"}


def test_a_run_does_not_start_where_there_is_one(
    config: Path, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(run, "metrics.jsonl").read_bytes()
    assert main(["run", str(config)]) == 2
    assert f"{run} holds checkpoints of a run; `roving train resume {run}`" in said(capsys)
    assert Path(run, "metrics.jsonl").read_bytes() == before


@pytest.mark.engines
def test_a_terminated_run_says_how_to_go_on(config: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainer", "run", str(config), f"output={tmp_path}/run"]
    options = ["training.steps=100000", "checkpoint.every=100000", "logging.every=1"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        until_first_step = iter(process.stderr.readline, "")
        assert any(line.startswith("step 1/") for line in until_first_step)
        process.terminate()
        rest = process.stderr.read().splitlines()
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    step = latest(tmp_path / "run/checkpoints").step
    assert rest[-1] == (
        f"roving train: stopped after step {step:,}, which is saved; "
        "`roving train resume` goes on from the newest checkpoint"
    )
    assert "stopping after this step, with a checkpoint; Ctrl-C again stops at once" in rest


def test_an_interrupted_run_goes_on(config: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    assert main(["run", str(config), f"output={output}"]) == 0
    # As if killed in step 3: the last checkpoint is that of step 2.
    newest = sorted((output / "checkpoints").glob("step-*"))[-1]
    (newest / "COMPLETE").unlink()
    assert main(["resume", str(output), "logging.every=1"]) == 0
    lines = read_metrics(output / "metrics.jsonl")
    found = [(line["kind"], line["step"]) for line in lines]
    assert len(found) == len(set(found))
    assert [step for kind, step in found if kind == "step"] == [1, 2, 3, 4]
    weights = load_model(find_checkpoint(str(output))).state_dict()
    expected = load_model(find_checkpoint(str(config.parent / "run"))).state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_eval_prints_a_line_per_source(
    run: str, tokens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", run, "--tokens", str(tokens), "--limit", "128"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["source", "tokens", "loss", "perplexity", "bits/byte", "+-"]
    assert [row[0] for row in rows[1:]] == ["books", "web", "all"]
    judged = read_metrics(Path(run, "metrics.jsonl"))[-1]["sources"]
    for row in rows[1:]:
        assert float(row[2]) == pytest.approx(judged[row[0]]["loss"], abs=1e-3)
        assert float(row[4]) == pytest.approx(judged[row[0]]["bits_per_byte"], abs=1e-3)


def test_sample_is_the_same_for_a_seed(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for seed in ("1", "1", "2"):
        assert main(["sample", run, "--prompt", "abc", "--tokens", "12", "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert all(text.startswith("abc") for text in texts)
    assert main(["sample", run, "--tokens", "5", "--temperature", "0"]) == 0


def test_exports_are_imported_again(
    run: str, tokens: Path, tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = load_model(find_checkpoint(run)).state_dict()
    for layout in ("hf", "meta"):
        folder, again = str(tmp_path / layout), str(tmp_path / f"{layout}-again")
        assert main(["export", run, "--output", folder, "--format", layout]) == 0
        # Meta's layout does not say the context.
        context = ["--context", str(CONTEXT)] if layout == "meta" else []
        assert main(["import", folder, "--output", again, *context]) == 0
        weights = load_model(find_checkpoint(again)).state_dict()
        assert all(torch.equal(weights[name], expected[name]) for name in expected)
        capsys.readouterr()
        assert main(["import", folder, "--output", again]) == 2
        assert "holds checkpoints; choose another --output" in said(capsys)
        assert main(["export", run, "--output", folder]) == 2
        assert f"{folder} is not an empty folder" in said(capsys)
    assert main(["resume", again]) == 2
    assert f"begin a run with training.start_from={again}" in said(capsys)
    assert main(["inspect", again, "--step", "0"]) == 2
    assert f"{again} is an imported model" in said(capsys)
    capsys.readouterr()
    # The tokenizer is that of the folder from which it was imported, as long as there is one.
    for model in (run, again):
        assert main(["eval", model, "--tokens", str(tokens)]) == 0
    ours, theirs = capsys.readouterr().out.split("source")[1:]
    assert ours == theirs
    Path(folder, "tokenizer.model").unlink()
    assert main(["sample", again]) == 2
    assert "name its tokenizer with --tokenizer" in said(capsys)
    assert main(["sample", again, "--tokenizer", str(tokenizer), "--tokens", "3"]) == 0


def test_a_run_starts_from_an_imported_model(config: Path, run: str, tmp_path: Path) -> None:
    folder, again, output = (str(tmp_path / name) for name in ("hf", "again", "run"))
    assert main(["export", run, "--output", folder]) == 0
    assert main(["import", folder, "--output", again]) == 0
    changes = [f"output={output}", f"training.start_from={again}", "training.steps=2"]
    assert main(["run", str(config), *changes]) == 0
    first, second = (read_metrics(Path(path, "metrics.jsonl"))[0]["loss"] for path in (run, output))
    assert second < first


def test_inspect_names_the_documents_of_a_step(
    config: Path, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(config), "--step", "1"]) == 0
    printed = capsys.readouterr().out
    windows = re.findall(r"^window (\d+)  (books|web), epoch 0: ", printed, re.MULTILINE)
    assert [int(number) for number, _ in windows] == list(range(8, 16))
    documents = re.findall(
        r"^ +(\d+) tokens of unit-000-\d+  https://example.org/unit-000/\d+  CC-BY-4.0$",
        printed,
        re.MULTILINE,
    )
    # A window is one token more than its length: the last target.
    assert sum(map(int, documents)) == 8 * (CONTEXT + 1)
    assert main(["inspect", run, "--step", "1"]) == 0
    assert capsys.readouterr().out == printed
    assert main(["inspect", run, "--step", "4"]) == 2
    assert "step 4 is not one of the 4" in said(capsys)


def test_a_finished_run_says_so(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_metrics(Path(run, "metrics.jsonl"))
    assert main(["resume", run]) == 0
    assert "all 4 steps are done" in capsys.readouterr().err
    assert read_metrics(Path(run, "metrics.jsonl")) == before


def test_plan_says_what_a_run_takes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # An override may stand behind options.
    assert main(["plan", str(config), "--device", "a100", "training.steps=8"]) == 0
    printed = capsys.readouterr().out
    assert f"{8 * 8 * CONTEXT:,} tokens" in printed
    assert "1 x A100" in printed
    for source in ("books", "web"):
        assert re.search(rf"^{source} ", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "{missing}"], "there is no configuration '{missing}'"),
        (["run", "{config}", "training.stepz=3"], "training.stepz"),
        (["run", "{config}", "training.steps=few"], "training.steps"),
        (["run", "{config}", "steps"], "steps: write an override as section.key=value"),
        (["run", "{config}", "model.preset=9b", "output={missing}"], "there is no preset '9b'"),
        (["run", "{config}", "training.micro_batch=3", "output={missing}"], "micro-batches of 3"),
        (["run", "{config}", "data.tokens=['{missing}']", "output={missing}"], "no token dataset"),
        (["run", "{config}", "output.x=1"], "output.x=1: output is no section"),
        (["run", "{config}", "training.steps=2020-01-01"], "training.steps: Input should be"),
        (["run", "{config}", "output={missing}", "optimizer.beta1=2.0"], "optimizer.beta1: Input"),
        (["run", "{config}", "output={missing}", "optimizer.eps=nan"], "optimizer.eps: Input"),
        (["run", "{config}", "output={missing}", "optimizer.weight_decay=-1"], "weight_decay: In"),
        (["run", "{config}", "output={missing}", "model.norm_eps=0"], "model.norm_eps: Input"),
        (["run", "{config}", "output={missing}", "optimizer.warmup_steps=4"], "does not fit into"),
        (["run", "{run}"], "{run} cannot be read as TOML"),
        (["resume", "{missing}"], "there is no complete checkpoint in {missing}"),
        (["sample", "{missing}"], "there is no run or checkpoint {missing}"),
        (["sample", "{run}", "--tokenizer", "{missing}"], "there is no tokenizer at {missing}"),
        (["sample", "{run}", "--tokenizer", "{other}"], "has 700 pieces, the model 320"),
        (["sample", "{run}", "--tokenizer", "{as_large}"], "was trained with tokenizer"),
        (["export", "{run}", "--output", "{config}"], "{config} is not an empty folder"),
        (["import", "{missing}", "--output", "{missing}"], "neither config.json"),
        (["eval", "{run}", "--tokens", "{missing}"], "there is no token dataset in {missing}"),
        (["plan", "{config}", "--device", "abacus"], "no peak is known for device 'abacus'"),
        (["inspect", "{missing}", "--step", "0"], "there is no configuration"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    words: list[str],
    message: str,
    names: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([word.format(**names) for word in words]) == 2
    assert message.format(**names) in said(capsys)
    assert not Path(names["missing"]).exists()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "a.toml", "--fast"],
        ["sample", "run", "steps=3"],
        ["sample", "run", "--tokens", "0"],
        ["sample", "run", "--temperature", "-1"],
        ["sample", "run", "--prompt", "not UTF-8: \udcff"],
        ["inspect", "a.toml", "--step", "-1"],
        ["export", "run", "--output", "out", "--format", "gguf"],
        ["plan", "a.toml", "--gpus", "none"],
    ],
)
def test_wrong_options_end_with_status_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for call in (main, lambda arguments: roving(["train", *arguments])):
        with pytest.raises(SystemExit) as ended:
            call(words)
        assert ended.value.code == 2
        printed = capsys.readouterr().err
        assert printed.startswith("usage: roving train")
        assert re.search(r"^roving train.*: error: \S", printed.splitlines()[-1])


CALL = """\
import sys

sys.modules[{package!r}] = None
from pipeline.cli.main import main

sys.exit(main(["train", "plan", "nowhere.toml"]))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_is_missing_is_named(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(package=package)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"roving train: error: {package} is not installed; the trainer needs: "
        "pip install torch safetensors matplotlib\n"
    )


def test_the_module_runs_under_its_own_name(config: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "plan", str(config)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "parameters" in done.stdout.splitlines()[0]
    assert json.loads((config.parent / "run" / "config.json").read_text())["model"]["dim"] == 32
    assert str(PIECES) not in done.stderr
