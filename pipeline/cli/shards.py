"""`roving shards`: look into a dataset."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator

import orjson

from pipeline.cli.visible import json_line, visible, visible_line
from pipeline.errors import InputError
from pipeline.passes import shards
from pipeline.store import files
from pipeline.store.accounting import Funnel, funnel_lines
from pipeline.store.dataset import Dataset, read_head
from tokenizer.shards.manifest import KIND as TOKENS
from tokenizer.shards.manifest import read_manifest


def ls(parsed: argparse.Namespace, _: list[str]) -> int:
    """List units with their documents and sizes."""
    dataset = Dataset(parsed.dataset)
    print(f"{'documents':>12}{'rejected':>12}{'bytes':>14}  unit")
    for record in dataset.records():
        documents, rejected = record.of_kind("documents"), record.of_kind("rejected")
        counts = f"{documents.rows:>12,}{rejected.rows:>12,}{documents.bytes:>14,}"
        print(f"{counts}  {visible_line(record.unit)}")
    return 0


def names(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print the paths of a dataset's files."""
    for path in _paths(parsed.dataset, parsed.kind):
        print(path)
    return 0


def head(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print the first documents or rejects."""
    rejected = parsed.rejected or parsed.stage is not None or parsed.reason is not None
    printed = 0
    for row in _rows(parsed.dataset, "rejected" if rejected else "documents"):
        if parsed.stage is not None and row["stage"] != parsed.stage:
            continue
        if parsed.reason is not None and row["reason"] != parsed.reason:
            continue
        if printed == parsed.n:
            break
        printed += 1
        print(json_line(row) if parsed.json else _readable(row, parsed.characters))
    return 0


def show(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print one document, kept or rejected."""
    for kind in ("documents", "rejected"):
        for row in _rows(parsed.dataset, kind):
            if parsed.id in (row.get("id"), row.get("url")):
                print(f"{'kept' if kind == 'documents' else 'rejected'}")
                print(_readable(row, 0))
                return 0
    raise InputError(f"no document with id or URL {parsed.id!r} in {parsed.dataset}")


def stats(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print the funnel."""
    manifest = read_head(parsed.dataset)
    # A token dataset says how it was made apart from what it is.
    made = manifest.get("made", manifest)
    if "funnel" not in made:
        raise InputError(f"the manifest of {parsed.dataset} has no funnel: it is no dataset")
    funnel = Funnel.from_json(made["funnel"])
    if parsed.json:
        print(orjson.dumps(funnel.to_json(), option=orjson.OPT_INDENT_2).decode())
        return 0
    print(visible("\n".join(funnel_lines(funnel))))
    if funnel.skipped:
        skipped = ", ".join(f"{reason} {number:,}" for reason, number in funnel.skipped.items())
        print(visible_line(f"records without a document by design: {skipped}"))
    return 0


def _rows(folder: str, kind: str) -> Iterator[dict[str, object]]:
    for path in _paths(folder, kind):
        yield from shards.read_rows(path)


def _paths(folder: str, kind: str) -> Iterator[str]:
    """The files of a kind, in order; those of a token dataset, too, if it can have the kind."""
    if kind != "documents" and read_head(folder).get("kind") == TOKENS:
        for one in read_manifest(folder).files:
            if one.path.startswith(f"{kind}/"):
                yield files.join(folder, one.path)
        return
    dataset = Dataset(folder)
    for file in dataset.files(kind):
        yield dataset.full(file.name)


def _readable(row: dict[str, object], characters: int) -> str:
    text = str(row.pop("text") or "")
    lines = [f"{name}: {value}" for name, value in row.items() if value not in (None, "", [])]
    shown = text if not characters or len(text) <= characters else text[:characters] + " […]"
    return "\n".join([*map(visible_line, lines), textwrap.indent(visible(shown), "    "), ""])
