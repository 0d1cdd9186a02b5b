"""`roving shards`: look into a dataset; `token_shards` has what verifies and converts."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from pipeline import files, shards
from pipeline.accounting import funnel_lines, read_json, sum_funnels
from pipeline.cli import token_shards
from pipeline.cli.visible import json_line, visible, visible_line
from pipeline.dataset import Dataset, document_parts
from pipeline.errors import InputError

EPILOG = """\
examples:
  roving shards ls    out/commoncrawl                # units, documents, size
  roving shards head  out/commoncrawl -n 3           # the first documents with their signals
  roving shards head  out/commoncrawl --rejected --reason low_score
  roving shards show  out/commoncrawl ID             # one document, kept or rejected, and why
  roving shards stats out/commoncrawl                # the funnel
  roving shards verify out/commoncrawl out/tokens/c4 # every byte against its checksum
  roving shards convert out/tokens/c4 --to nanogpt --output out/nanogpt
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "shards",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("ls", help="list units with their documents and sizes")
    listing.set_defaults(execute=_ls)

    head = actions.add_parser("head", help="print the first documents or rejects")
    head.add_argument("-n", type=int, default=5, help="how many (default: 5)")
    head.add_argument("--characters", type=int, default=600, help="of each text (default: 600)")
    head.add_argument("--rejected", action="store_true", help="rejects instead of documents")
    head.add_argument("--stage", help="only rejects of this stage")
    head.add_argument("--reason", help="only rejects with this reason")
    head.add_argument("--json", action="store_true", help="one JSON object a line")
    head.set_defaults(execute=_head)

    show = actions.add_parser("show", help="print one document, kept or rejected")
    show.set_defaults(execute=_show)

    stats = actions.add_parser("stats", help="print the funnel")
    stats.add_argument("--json", action="store_true", help="as JSON")
    stats.set_defaults(execute=_stats)

    token_shards.add_actions(actions)

    for action in (listing, head, show, stats):
        action.add_argument("dataset", help="dataset folder")
    show.add_argument("id", help="document id or URL")


def _ls(parsed: argparse.Namespace, _: list[str]) -> int:
    dataset = Dataset(parsed.dataset)
    print(f"{'documents':>12}{'rejected':>12}{'bytes':>14}  unit")
    found = False
    with _in_words(parsed.dataset):
        for stats in dataset.committed():
            found = True
            outputs = stats["outputs"]
            if "documents" not in outputs:
                raise InputError(f"{parsed.dataset!r} is no documents dataset; see `shards stats`")
            print(
                f"{outputs['documents']['rows']:>12,}{outputs['rejected']['rows']:>12,}"
                f"{outputs['documents']['bytes']:>14,}  {visible_line(stats['unit'])}"
            )
    if not found:
        raise InputError(f"{parsed.dataset!r} is no dataset: there are no stats/part-*.json in it")
    print("complete" if dataset.is_complete() else "INCOMPLETE: there is no manifest.json yet")
    return 0


def _head(parsed: argparse.Namespace, _: list[str]) -> int:
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


def _show(parsed: argparse.Namespace, _: list[str]) -> int:
    for kind in ("documents", "rejected"):
        for row in _rows(parsed.dataset, kind):
            if parsed.id in (row.get("id"), row.get("url")):
                print(f"{'kept' if kind == 'documents' else 'rejected'}")
                print(_readable(row, 0))
                return 0
    raise InputError(f"no document with id or URL {parsed.id!r} in {parsed.dataset}")


def _stats(parsed: argparse.Namespace, _: list[str]) -> int:
    dataset = Dataset(parsed.dataset)
    with _in_words(parsed.dataset):
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
    print(visible("\n".join(funnel_lines(funnel))))
    if funnel.skipped:
        skipped = ", ".join(f"{reason} {number:,}" for reason, number in funnel.skipped.items())
        print(visible_line(f"records without a document by design: {skipped}"))
    return 0


@contextmanager
def _in_words(folder: str) -> Iterator[None]:
    """Say in a sentence that a record of the dataset is not what a run writes."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"manifest.json or a stats/part-*.json in {folder!r} is damaged ({error}); delete it, "
            "and run the command that made the dataset again"
        ) from None


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
    return "\n".join([*map(visible_line, lines), textwrap.indent(visible(shown), "    "), ""])
