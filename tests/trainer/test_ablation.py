"""`roving train ablate`: the better arm wins, an arm against itself ties, and what is refused."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student
from token_data import BOS, EOS
from training_data import CONTEXT, PIECES, identity_of, make_tokenizer, write_split_dataset

from tokenizer.errors import TokenizerError
from trainer.ablation import ALL, OUTSIDE, Experiment, Outcome, ablate, compare, named_once
from trainer.cli import main
from trainer.config import Config, config_from
from trainer.errors import TrainerError
from trainer.record import read_metrics

STEPS = 20


def make_arm(folder: Path, tokenizer: Path, *, noise: bool, seed: int, held_out: int = 30) -> Path:
    """One source, `web`: documents of ids that count upwards, or of random ones."""
    random = np.random.default_rng(seed)

    def document() -> list[int]:
        ids = random.integers(3, PIECES, 40) if noise else (np.arange(40) + random.integers(40)) + 3
        return [BOS, *ids.tolist(), EOS]

    train, validation = [[[document() for _ in range(n)]] for n in (150, held_out)]
    write_split_dataset(folder / "web", "web", train, validation, identity_of(tokenizer))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Path:
    """Folder with the arms `noise` and `text`, and `other`, which is like `text`."""
    folder = tmp_path_factory.mktemp("arms")
    make_arm(folder / "noise", tokenizer, noise=True, seed=1)
    make_arm(folder / "text", tokenizer, noise=False, seed=2)
    make_arm(folder / "other", tokenizer, noise=False, seed=3)
    return folder


def small_ablation(tokenizer: Path, **training: Any) -> Config:
    """20 steps of a model of 2 layers; a checkpoint in the middle stays."""
    changed = {"steps": STEPS, "batch_tokens": 8 * CONTEXT, "micro_batch": 8, "precision": "fp32"}
    return config_from(
        {
            "device": "cpu",
            "model": {"dim": 32, "layers": 2, "heads": 4, "hidden": 64, "context": CONTEXT},
            "data": {"tokenizer": str(tokenizer)},
            "training": changed | training,
            "optimizer": {"learning_rate": 0.01, "warmup_steps": 2},
            "checkpoint": {"every": STEPS // 2},
            "evaluation": {"tokens": 640},
        },
        "a test",
    )


def experiment(data: Path, *arms: str, outside: str = "other", seeds: int = 3) -> Experiment:
    """Arms called a, b... of the folders of these names."""
    named = {"abc"[place]: str(data / arm) for place, arm in enumerate(arms)}
    return Experiment(named, str(data / outside), {}, range(seeds))


def config_of(run: Path) -> dict[str, Any]:
    """The configuration of a run without what may differ between runs."""
    config: dict[str, Any] = json.loads((run / "config.json").read_text())
    del config["output"], config["training"]["seed"], config["data"]["seed"]
    del config["data"]["tokens"]
    return config


@pytest.fixture(scope="module")
def noise_against_text(
    tmp_path_factory: pytest.TempPathFactory, data: Path, tokenizer: Path
) -> tuple[Path, Outcome]:
    """Arm a is noise, arm b is text, and so is the outside."""
    output = tmp_path_factory.mktemp("ablation")
    return output, ablate(small_ablation(tokenizer), experiment(data, "noise", "text"), str(output))


def test_the_arm_like_the_outside_wins(noise_against_text: tuple[Path, Outcome]) -> None:
    _, outcome = noise_against_text
    decides, *_ = [one for one in outcome.comparisons if one.judged == OUTSIDE]
    assert (decides.base, decides.other) == ("a", "b")
    assert decides.difference < -0.3
    assert decides.interval[1] < 0
    assert decides.p < 0.01
    assert outcome.scores[OUTSIDE][ALL]["b"] == outcome.scores[OUTSIDE]["web"]["b"]
    # And where noise is what is judged on, the difference has the other sign.
    on_noise = next(one for one in outcome.comparisons if one.judged == "a")
    assert on_noise.difference > 0


def test_a_seed_decides_first_weights_and_order_in_every_arm(
    noise_against_text: tuple[Path, Outcome],
) -> None:
    _, outcome = noise_against_text
    for (_, seed), run in outcome.runs.items():
        config = json.loads((run / "config.json").read_text())
        assert (config["training"]["seed"], config["data"]["seed"]) == (seed, seed)
    assert len({json.dumps(config_of(run)) for run in outcome.runs.values()}) == 1


def test_tokens_and_epochs_are_those_that_were_read(
    tmp_path: Path, data: Path, tokenizer: Path
) -> None:
    """Of smaller batches at the beginning, not of the last ones times the steps."""
    config = small_ablation(tokenizer, steps=6, batch_ramp=[[4, CONTEXT]], micro_batch=1)
    outcome = ablate(config, experiment(data, "noise", "text", seeds=1), str(tmp_path))
    assert outcome.tokens == (4 * 1 + 2 * 8) * CONTEXT
    for (arm, _), run in outcome.runs.items():
        assert read_metrics(run / "metrics.jsonl")[-2]["tokens"] == outcome.tokens
        assert outcome.epochs[arm]["web"] == pytest.approx(20 / 196, abs=0.01)


def test_an_arm_against_itself_ties_exactly(tmp_path: Path, data: Path, tokenizer: Path) -> None:
    config = small_ablation(tokenizer, steps=4)
    outcome = ablate(config, experiment(data, "text", "text", seeds=2), str(tmp_path))
    assert {(one.difference, one.interval, one.p) for one in outcome.comparisons} == {
        (0.0, (0.0, 0.0), 1.0)
    }
    first, second = outcome.scores[OUTSIDE][ALL]["a"]
    assert first != second, "seeds must change something, or the tie would say nothing"


def test_finished_runs_are_kept_and_interrupted_ones_go_on(
    tmp_path: Path,
    noise_against_text: tuple[Path, Outcome],
    data: Path,
    tokenizer: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, outcome = noise_against_text
    output = tmp_path / "again"
    shutil.copytree(before, output)
    shutil.rmtree(output / "b" / "seed-1" / "checkpoints" / f"step-{STEPS:08}")
    shutil.rmtree(output / "a" / "seed-2")
    again = ablate(small_ablation(tokenizer), experiment(data, "noise", "text"), str(output))
    assert again.scores == outcome.scores
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("==")]
    assert lines == ["== b, seed 1", "== a, seed 2"]
    steps = (output / "b" / "seed-1" / "metrics.jsonl").read_text().splitlines()
    numbers = [json.loads(line)["step"] for line in steps if '"kind": "step"' in line]
    assert numbers == list(range(1, STEPS + 1))


def test_runs_of_another_configuration_are_not_taken_for_these(
    noise_against_text: tuple[Path, Outcome], data: Path, tokenizer: Path
) -> None:
    output, _ = noise_against_text
    with pytest.raises(TrainerError, match=r"trained with another training\.steps"):
        ablate(
            small_ablation(tokenizer, steps=STEPS + 1),
            experiment(data, "noise", "text"),
            str(output),
        )


def test_runs_from_before_a_key_was_there_are_taken(
    tmp_path: Path, data: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, asked = small_ablation(tokenizer, steps=3), experiment(data, "noise", "text", seeds=1)
    before = ablate(config, asked, str(tmp_path))
    (state,) = (tmp_path / "a" / "seed-0").glob("checkpoints/*/trainer.json")
    content = state.read_text()
    old = json.loads(content)
    del old["config"]["training"]["checkpointing"]
    state.write_text(json.dumps(old).ljust(len(content)))  # COMPLETE knows its size
    capsys.readouterr()
    assert ablate(config, asked, str(tmp_path)).scores == before.scores
    assert "==" not in capsys.readouterr().out


def test_runs_of_other_data_are_not_taken_for_these(
    tmp_path: Path, data: Path, tokenizer: Path
) -> None:
    config = small_ablation(tokenizer, steps=3)
    arms = {"a": str(data / "text"), "b": str(tmp_path / "arm")}
    asked = Experiment(arms, str(data / "other"), {}, [0])
    make_arm(tmp_path / "arm", tokenizer, noise=True, seed=8)
    ablate(config, asked, str(tmp_path / "out"))
    shutil.rmtree(tmp_path / "arm")
    make_arm(tmp_path / "arm", tokenizer, noise=True, seed=9)
    with pytest.raises(TrainerError, match=r"dataset web was"):
        ablate(config, asked, str(tmp_path / "out"))


def test_one_arm_is_no_ablation(data: Path) -> None:
    with pytest.raises(TrainerError, match="two arms or more"):
        experiment(data, "text")


@pytest.mark.parametrize("name", [OUTSIDE, "../raw", "", "raw data"])
def test_names_that_cannot_be_folders(name: str) -> None:
    with pytest.raises(TrainerError, match="cannot be the name"):
        Experiment({name: "raw", "curated": "tokens"}, "other", {}, range(3))


def test_a_name_given_twice() -> None:
    assert named_once([("raw", "x"), ("curated", "x")]) == {"raw": "x", "curated": "x"}
    with pytest.raises(TrainerError, match="'raw' is given twice"):
        named_once([("raw", "x"), ("raw", "y")])


def test_arms_of_different_tokenizers(tmp_path: Path, data: Path, tokenizer: Path) -> None:
    other = make_tokenizer(tmp_path / "tokenizer", seed=5)
    make_arm(tmp_path / "strange", other, noise=False, seed=4)
    arms = {"a": str(data / "text"), "b": str(tmp_path / "strange")}
    with pytest.raises(TokenizerError, match="tokenizer"):
        ablate(
            small_ablation(tokenizer),
            Experiment(arms, str(data / "other"), {}, range(3)),
            str(tmp_path / "out"),
        )
    assert not (tmp_path / "out").exists(), "nothing is trained before all is checked"


def test_a_tokenizer_that_did_not_make_the_tokens(
    tmp_path: Path, data: Path, tokenizer: Path
) -> None:
    other = make_tokenizer(tmp_path / "tokenizer", seed=5)
    with pytest.raises(TrainerError, match="was made by tokenizer"):
        ablate(small_ablation(other), experiment(data, "noise", "text"), str(tmp_path / "out"))


def test_it_is_one_process(
    tmp_path: Path, data: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainerError, match="without torchrun"):
        ablate(small_ablation(tokenizer), experiment(data, "noise", "text"), str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("judged", "message"),
    [("an arm", "b has no window of 32 .* validation split"), ("outside", "outside has no window")],
)
def test_nothing_to_judge_on(
    tmp_path: Path, data: Path, tokenizer: Path, judged: str, message: str
) -> None:
    make_arm(tmp_path / "short", tokenizer, noise=False, seed=4, held_out=0)
    arms = {"a": str(data / "text"), "b": str(tmp_path / "short")}
    outside = data / "other"
    if judged == "outside":
        arms["b"] = str(data / "noise")
        outside = tmp_path / "tiny"
        documents = [[[[BOS, 5, 6, EOS]]]] * 2
        write_split_dataset(outside, "web", *documents, identity_of(tokenizer))
    with pytest.raises(TrainerError, match=message):
        ablate(
            small_ablation(tokenizer),
            Experiment(arms, str(outside), {}, range(3)),
            str(tmp_path / "out"),
        )


def test_a_source_that_an_arm_lacks_is_left_out_of_all(
    tmp_path: Path, data: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tmp_path / "both"
    shutil.copytree(data / "text", both)
    books = [[[[BOS, *range(5, 90), EOS]]]] * 2
    write_split_dataset(both / "books", "books", *books, identity_of(tokenizer))
    arms = {"a": str(both), "b": str(data / "text")}
    outcome = ablate(
        small_ablation(tokenizer, steps=3),
        Experiment(arms, str(data / "other"), {}, [0]),
        str(tmp_path / "out"),
    )
    assert "a: without books" in capsys.readouterr().out
    assert outcome.shares == {"a": {"web": 1.0}, "b": {"web": 1.0}}
    # With one seed there is a difference and no p.
    assert all(math.isnan(one.p) and one.difference == 0 for one in outcome.comparisons)


def test_the_mix_of_sources_is_the_same_in_all_arms_unless_asked_for(
    tmp_path: Path, data: Path, tokenizer: Path
) -> None:
    for arm, sizes in {"x": {"books": 50, "code": 100}, "y": {"books": 350, "code": 50}}.items():
        shutil.copytree(data / "text", tmp_path / arm)
        for source, size in sizes.items():
            documents = [[[[BOS, *([7] * 40), EOS]] * count] for count in (size, 1)]
            folder = tmp_path / arm / source
            write_split_dataset(folder, source, *documents, identity_of(tokenizer))
    arms = {"x": str(tmp_path / "x"), "y": str(tmp_path / "y")}
    config = small_ablation(tokenizer, steps=3)
    found = {}
    for own in (False, True):
        asked = Experiment(arms, str(data / "other"), {}, [0], own)
        found[own] = ablate(config, asked, str(tmp_path / f"out-{own}")).shares
    # What both have: 50 of books, 50 of code, 150 of web.
    assert found[False] == {arm: {"books": 0.2, "code": 0.2, "web": 0.6} for arm in "xy"}
    assert found[True] == {
        "x": {"books": 0.167, "code": 0.333, "web": 0.5},
        "y": {"books": 0.636, "code": 0.091, "web": 0.273},
    }


def test_the_statistics_by_hand() -> None:
    scores = {OUTSIDE: {ALL: {"raw": [1.0, 1.2, 1.1], "curated": [0.9, 1.0, 1.05]}}}
    (found,) = compare(scores)
    differences = np.array([-0.1, -0.2, -0.05])
    error = differences.std(ddof=1) / math.sqrt(3)
    mean = differences.mean()
    assert found.difference == pytest.approx(mean)
    assert found.p == pytest.approx(2 * student.sf(abs(mean / error), 2))
    assert found.interval == pytest.approx(
        (mean - student.ppf(0.975, 2) * error, mean + student.ppf(0.975, 2) * error)
    )


def test_the_command_writes_a_report(
    tmp_path: Path, data: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(
        f"""
        device = "cpu"
        [model]
        dim = 32
        layers = 1
        heads = 4
        hidden = 64
        context = {CONTEXT}
        [data]
        tokenizer = "{tokenizer}"
        [training]
        batch_tokens = {8 * CONTEXT}
        precision = "fp32"
        [optimizer]
        warmup_steps = 1
        """
    )
    output = tmp_path / "out"
    arms = [f"--arm={arm}={data / arm}" for arm in ("noise", "text")]
    others = [f"--outside={data / 'other'}", f"--also=likewise={data / 'other'}", "--seeds=2"]
    arguments = ["ablate", str(recipe), *arms, *others, f"--output={output}", "training.steps=4"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "text against noise on text from outside: -" in said
    assert "; less is better), p = " in said
    assert "more than 4 times" not in said
    report = json.loads((output / "report.json").read_text())
    assert list(report["bits_per_byte"]) == [OUTSIDE, "likewise", "noise", "text"]
    assert report["bits_per_byte"][OUTSIDE] == report["bits_per_byte"]["likewise"]
    assert len(report["bits_per_byte"][OUTSIDE][ALL]["text"]) == 2
    assert report["epochs"]["text"]["web"] == pytest.approx(32 / 196, abs=0.01)
    assert report["tokens"] == 4 * 8 * CONTEXT
    lines = (output / "report.md").read_text().splitlines()
    assert f"Model `1m`, {4 * 8 * CONTEXT:,} tokens in 4 steps a run." in lines
    assert any(line.startswith("| outside | all |") for line in lines)
    assert (output / "loss.png").read_bytes().startswith(b"\x89PNG")
    long = [*arguments[:-1], "training.steps=150", f"--output={tmp_path / 'long'}", "--seeds=1"]
    assert main(long) == 0
    said = capsys.readouterr().out
    assert "text read web more than 4 times: more of its text, or" in said
    assert "p = unknown, of one seed" in said
    assert "nan" not in (tmp_path / "long" / "report.md").read_text()
    assert main([*arguments[:2], arms[0], *others, f"--output={output}"]) == 2
    assert "two arms or more" in capsys.readouterr().err
