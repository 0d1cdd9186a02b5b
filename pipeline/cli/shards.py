"""`roving shards`: look into a dataset."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator

import orjson

from pipeline import files, shards
from pipeline.accounting import funnel_lines, read_json, sum_funnels
from pipeline.dataset import Dataset, document_parts
from pipeline.errors import InputError


def ls(parsed: argparse.Namespace, _: list[str]) -> int:
    """List units with their documents and sizes."""
    dataset = Dataset(parsed.dataset)
    print(f"{'documents':>12}{'rejected':>12}{'bytes':>14}  unit")
    found = False
    for stats in dataset.committed():
        found = True
        outputs = stats["outputs"]
        if "documents" not in outputs:
            raise InputError(f"{parsed.dataset!r} is no documents dataset; see `shards stats`")
        print(
            f"{outputs['documents']['rows']:>12,}{outputs['rejected']['rows']:>12,}"
            f"{outputs['documents']['bytes']:>14,}  {stats['unit']}"
        )
    if not found:
        raise InputError(f"{parsed.dataset!r} is no dataset: there are no stats/part-*.json in it")
    print("complete" if dataset.is_complete() else "INCOMPLETE: there is no manifest.json yet")
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
        print(orjson.dumps(row).decode() if parsed.json else _readable(row, parsed.characters))
    return 0


def show(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print one document, kept or rejected."""
    for kind in ("documents", "rejected"):
        for row in _rows(parsed.dataset, kind):
            if parsed.id in (row["id"], row["url"]):
                print(f"{'kept' if kind == 'documents' else 'rejected'}")
                print(_readable(row, 0))
                return 0
    raise InputError(f"no document with id or URL {parsed.id!r} in {parsed.dataset}")


def stats(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print the funnel."""
    dataset = Dataset(parsed.dataset)
    if dataset.is_complete():
        manifest = read_json(dataset.manifest_path)
        # A token dataset says how it was made apart from what it is.
        funnel = sum_funnels([manifest.get("made", manifest)])
    else:
        funnel = sum_funnels(dataset.committed())
        if not funnel.stages:
            raise InputError(f"{parsed.dataset!r} is no dataset, or no unit of it is done")
    if parsed.json:
        print(orjson.dumps(funnel.to_json(), option=orjson.OPT_INDENT_2).decode())
        return 0
    print("\n".join(funnel_lines(funnel)))
    if funnel.skipped:
        skipped = ", ".join(f"{reason} {number:,}" for reason, number in funnel.skipped.items())
        print(f"records without a document by design: {skipped}")
    return 0


def _rows(folder: str, kind: str) -> Iterator[dict[str, object]]:
    parts = document_parts(folder) if kind == "documents" else _rejected_parts(folder)
    for part in parts:
        yield from shards.read_rows(part)


def _rejected_parts(folder: str) -> list[str]:
    found = files.list_files(files.join(folder, "rejected"))
    return [file.path for file in found if file.relative.endswith(".parquet")]


def _readable(row: dict[str, object], characters: int) -> str:
    text = str(row.pop("text") or "")
    lines = [f"{name}: {value}" for name, value in row.items() if value not in (None, "", [])]
    shown = text if not characters or len(text) <= characters else text[:characters] + " […]"
    return "\n".join([*lines, textwrap.indent(shown, "    "), ""])
