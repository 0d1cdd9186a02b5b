"""`roving mixture plan`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.cli.main import main
from pipeline.cli.parsers.mixture import token_count
from pipeline.passes.engine import Engine
from pipeline.passes.run import Result, running
from pipeline.passes.summary import Summary
from pipeline.store.dataset import put_manifest
from pipeline.store.records import UnitInput
from pipeline.store.tables import write_table
from pipeline.store.units import Unit
from pipeline.tokens.output import UnitTokens, manifest_of
from tokenizer.shards.manifest import TokenizerIdentity
from tokenizer.shards.writer import DOCUMENTS_SCHEMA


def _write(folder: Path, source: str, tokens: int) -> None:
    """A token dataset of one document."""
    identity = TokenizerIdentity("ab" * 32, 512, 1, 2)
    with running(Engine(), str(folder)) as run:
        place = run.place(str(folder), "tokens", is_last=True)
        output = UnitTokens(Unit("a", "a", "a", 0), place, identity, "encode")
        row = {"id": "a", "tokens": tokens, "text_bytes": tokens}
        rows = pa.Table.from_pylist([row], schema=DOCUMENTS_SCHEMA)
        output.write("train", np.full(tokens, 5), rows)
        output.count(1, 1, tokens)
        record = output.commit("test", UnitInput("a", "", 0))
        result = Result(place, Summary())
        result.summary.tables.append(write_table(place.root, "tables/a.parquet", [record]))
        manifest = manifest_of(source, identity, result, {})
        put_manifest(place.root, manifest.to_json(), "", result.summary.tables)


def test_a_plan_has_a_row_per_source_and_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path / "books", "books", 4500)
    _write(tmp_path / "wikipedia", "wikipedia", 9000)
    _write(tmp_path / "blogs", "blogs", 100)
    status = main(["mixture", "plan", str(tmp_path), "--tokens", "200K", "--window", "100"])
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    assert status == 0
    assert rows["books"] == ["4.50%", "1", "4,500", "9,000", "2.05"]
    assert rows["wikipedia"] == ["4.50%", "1", "9,000", "9,000", "1.01"]
    assert rows["c4"][-2:] == ["none", "there"]
    assert "less than one window of commoncrawl, c4, github, arxiv, stackexchange" in printed
    assert "not in the mixture: blogs" in printed


def test_a_folder_without_token_datasets_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mixture", "plan", str(tmp_path)]) == 2
    assert "make them by `roving tokenize`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "tokens"), [("1.4T", 1_400_000_000_000), ("5_000", 5000), ("300m", 300_000_000)]
)
def test_budgets_are_read_as_people_write_them(text: str, tokens: int) -> None:
    assert token_count(text) == tokens


@pytest.mark.parametrize("text", ["0", "0.2", "-5", "1.5X", "_"])
def test_what_is_no_budget_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["mixture", "plan", str(tmp_path), f"--tokens={text}"])
    assert "argument --tokens" in capsys.readouterr().err
