"""Several methods at the end of a run: decided one after another, written once."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from dataset_files import rows
from dedup_data import words

from pipeline.cli.main import main
from pipeline.store.accounting import read_json

Rows = dict[str, dict[str, Any]]
SETTINGS = {
    "lines.minimum_characters": 60,
    "overlap.sample": 2,
    "overlap.threshold": 0.8,
    "minhash.keep": "first",
}


def pages(seed: int) -> list[dict[str, str]]:
    """Copies of each other in text, nearly, in lines, in address, or one within another."""
    draw = random.Random(seed)
    lines = [" ".join(words(seed * 1000 + number, 12)) for number in range(40)]
    menu = "Home page of this site and of many others"
    found: list[dict[str, str]] = []
    for number in range(90):
        kind = draw.choice(
            ["new", "new", "copy", "near", "part", "menu", "shuffled", "address", "signs", "signs"]
        )
        text = "\n".join(draw.sample(lines, draw.randint(1, 6)))
        if found and kind != "new":
            text = draw.choice(found)["text"]
        if kind == "near":
            text = text.replace(" ", "  ", 1) + f"\nand word{number} more"
        elif kind == "part":
            text += "\n" + " ".join(words(number, 5))
        elif kind == "menu":
            text = f"{menu}\n{text}\n\n{menu}"
        elif kind == "shuffled":
            text = "\n".join(draw.sample(text.split("\n"), text.count("\n") + 1))
        elif kind == "signs":
            marks = draw.choice([" ", "! ", " ... "]), draw.choice([".", "!!", "?"])
            text = "\n".join(line.replace(" ", marks[0]) + marks[1] for line in text.split("\n"))
        elif kind == "address":
            text = " ".join(words(seed + number, 20))
        address = f"https://a.example/{draw.randrange(60)}"
        time = f"20{draw.randint(10, 20)}-01-01T00:00:00Z"
        found.append({"url": address, "text": text, "timestamp": time})
    return found


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source's output without deduplication, and its input beside it."""
    folder = tmp_path_factory.mktemp("crawl")
    (folder / "in").mkdir()
    made = pages(3)
    for number in range(3):
        text = "\n".join(json.dumps(page) for page in made[number::3])
        (folder / "in" / f"c4.{number}.json").write_text(text)
    run(folder / "in", folder / "before", [], {})
    return folder


def options(settings: dict[str, Any]) -> list[str]:
    found = ["--set", "run.batch_documents=4"]
    for name, value in settings.items():
        found += ["--set", f"deduplication.{name}={json.dumps(value)}"]
    return found


def run(source: Path, output: Path, methods: list[str], settings: dict[str, Any]) -> None:
    arguments = ["run", "c4", "--input", str(source), "--output", str(output)]
    chosen = ["--set", f"c4.deduplicate={json.dumps(methods)}"]
    assert main([*arguments, *chosen, *options(settings)]) == 0


def by_id(found: list[dict[str, Any]]) -> Rows:
    result = {row["id"]: row for row in found}
    assert len(result) == len(found)
    return result


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the signals that are missing: a column that a step adds is empty before it."""
    signals = json.loads(row.get("signals") or "{}")
    return {name: value for name, value in {**row, **signals}.items() if value is not None}


CHAINS: list[tuple[list[str], dict[str, Any]]] = [
    (["exact", "url", "minhash"], {}),
    (["minhash", "overlap", "exact"], {}),
    (["url", "lines", "overlap"], {}),
    (["lines", "exact", "minhash"], {"lines.policy": "remove_all"}),
    (["exact", "lines", "url", "minhash", "overlap"], {}),
    (["lines", "exact"], {"exact.keep": "best", "exact.score": "characters"}),
    (["minhash", "lines", "url"], {"url.keep": "best", "url.score": "minhash_cluster_size"}),
    (["lines", "paragraphs"], {"paragraphs.minimum_characters": 0}),
]


@pytest.mark.parametrize(("methods", "own"), CHAINS, ids="-".join)
def test_decided_on_keys_is_what_is_written_after_each(
    crawl: Path, tmp_path: Path, methods: list[str], own: dict[str, Any]
) -> None:
    settings = {**SETTINGS, **own}
    run(crawl / "in", tmp_path / "out", methods, settings)
    before, rejected, reports = crawl / "before", list[dict[str, Any]](), list[Any]()
    for number, method in enumerate(methods):
        output = tmp_path / f"{number}"
        arguments = ["dedup", method, "--input", f"c4={before}", "--output", str(output)]
        assert main([*arguments, *options(settings)]) == 0
        before = output / "c4"
        rejected += rows(before, "rejected")
        reports += read_json(str(before / "manifest.json"))["deduplication"]
    kept = by_id(list(rows(tmp_path / "out")))
    wanted = by_id(list(rows(before)))
    assert list(kept) == list(wanted)
    assert {name: plain(row) for name, row in kept.items()} == {
        name: plain(row) for name, row in wanted.items()
    }
    gone = by_id(list(rows(tmp_path / "out", "rejected")))
    assert {name: plain(row) for name, row in gone.items()} == {
        name: plain(row) for name, row in by_id(rejected).items()
    }
    # Each method has removed something, so a later one saw what earlier ones left.
    assert len({row["stage"] for row in gone.values()}) >= 2
    assert len(kept) + len(gone) == 90
    manifest = read_json(str(tmp_path / "out" / "manifest.json"))
    for one, other in zip(manifest["deduplication"], reports, strict=True):
        assert one == other
    # Documents are written by the source, and once more.
    written = {path.parent for path in (tmp_path / "out").rglob("documents/*.parquet")}
    assert {path.relative_to(tmp_path / "out").as_posix() for path in written} == {
        "documents",
        "work/finished/documents",
    }


def test_a_changed_last_method_leaves_the_earlier_decisions(crawl: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run(crawl / "in", output, ["exact", "minhash"], SETTINGS)
    first = sorted(output.glob("work/1-exact.decisions/decisions/*"))
    documents = sorted(output.glob("documents/*"))
    assert len(first) == 3
    run(crawl / "in", output, ["exact", "minhash"], SETTINGS)
    assert sorted(output.glob("documents/*")) == documents
    run(crawl / "in", output, ["exact", "lines"], SETTINGS)
    assert sorted(output.glob("work/1-exact.decisions/decisions/*")) == first
    assert not set(output.glob("documents/*")) & set(documents)


def test_a_method_listed_twice_is_refused(
    crawl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "c4", "--input", str(crawl / "in"), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--set", 'c4.deduplicate=["exact", "lines", "exact"]']) == 2
    assert "c4.deduplicate lists exact twice; name each method once" in capsys.readouterr().err
    assert not (tmp_path / "out" / "work").exists()
