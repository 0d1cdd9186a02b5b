"""A run of the Wikipedia source from dump to dataset: what its documents and manifest say."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.cli.main import main

PAGE = (
    "<page><title>{title}</title><ns>0</ns><id>{id}</id><revision><id>9</id>"
    "<timestamp>2024-01-02T03:04:05Z</timestamp><model>{model}</model>"
    "<text>{text}</text></revision></page>"
)


def test_documents_and_manifest(tmp_path: Path) -> None:
    pages = [
        PAGE.format(title="A", id=1, model="wikitext", text="On {{frob}}, {{frob|1}} came {{x}}."),
        PAGE.format(title="B", id=2, model="wikitext", text="All well.\n[[Category:C]]{{dab}}"),
        PAGE.format(title="M", id=3, model="Scribunto", text="return {}"),
    ]
    folder = tmp_path / "in"
    folder.mkdir()
    dump = f"<mediawiki>{''.join(pages)}</mediawiki>"
    (folder / "enwiki-20260501-pages-articles.xml").write_text(dump)
    (folder / "enwiki-20260401-pages-articles.xml").write_text(dump)
    output = tmp_path / "out"
    assert main(["run", "wikipedia", "--input", str(folder), "--output", str(output)]) == 0
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["holes"] == {"enwiki": {"Frob": 2, "X": 1}}
    assert manifest["refused_inputs"] == [
        {"path": "enwiki-20260401-pages-articles.xml", "reason": "older_dump"}
    ]
    rows = [
        row
        for path in sorted((output / "documents").glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert [(row["id"], row["text"], row["holes"], row["disambiguation"]) for row in rows] == [
        ("enwiki/1", "On, came.", 3, False),
        ("enwiki/2", "All well.", 0, True),
    ]
    assert rows[1]["categories"] == ["C"]
    assert {row["licence"] for row in rows} == {"CC-BY-SA-4.0"}
