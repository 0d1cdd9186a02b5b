"""Small documents datasets for the tests of token datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from documents_data import write_documents_dataset

from filters.document import Document
from pipeline.cli.main import main
from pipeline.store.records import UnitRecord
from tokenizer.shards.manifest import read_manifest

TEXTS = (
    "The data of 2020, 12 makes.",
    "  two spaces,\ttabs\r\nand 中文 🙂\n",
    "e\u0301 \x00 NUL",
    "a",
    "Wikipedia has documents in 20 languages.\n\n" * 50,
)


def write_documents(folder: Path, units: Mapping[str, Sequence[str]]) -> Path:
    """A documents dataset of these texts by unit; ids are `<unit>-<number>`."""
    return write_documents_dataset(
        folder, {name: documents_of(name, texts) for name, texts in units.items()}
    )


def documents_of(unit: str, texts: Sequence[str]) -> list[Document]:
    """The documents of a unit."""
    return [
        Document(
            f"{unit}-{number}",
            "test",
            text,
            {"url": f"https://example.org/{unit}/{number}", "licence": "CC-BY-4.0"},
        )
        for number, text in enumerate(texts)
    ]


def tokenize(tokenizer: Path, output: Path, *documents: Path, options: Sequence[str] = ()) -> int:
    """`roving tokenize`; returns the exit status."""
    named = [argument for path in documents for argument in ("--documents", str(path))]
    return main(
        ["tokenize", *named, "--tokenizer", str(tokenizer), "--output", str(output), *options]
    )


def contents(folder: Path) -> dict[str, Any]:
    """What the token datasets below a folder hold, whichever attempts wrote them.

    Of each its fingerprint, the bytes of the files that its manifest lists, and what is recorded of
    its units, apart from names of files and times. Nothing else may lie among its files.
    """
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("manifest.json")):
        root = path.parent
        inner = root.relative_to(folder).as_posix()
        manifest = read_manifest(str(root))
        found[inner] = manifest.fingerprint
        for file in manifest.files:
            found[f"{inner}/{_nameless(file.path)}"] = (root / file.path).read_bytes()
        assert _files(root) == {file.path for file in manifest.files}
        for record in records(root):
            plain = asdict(record)
            del plain["seconds"]
            for one in plain["files"]:
                one["name"] = _nameless(one["name"])
            for split in plain["extra"].values():
                split["stem"] = split["name"]
            found[f"{inner}/{record.unit}"] = plain
    return found


def records(dataset: Path) -> list[UnitRecord]:
    """The records of a token dataset's units."""
    paths = sorted((dataset / "work" / "tokens" / "done").glob("*.json"))
    return [UnitRecord.from_bytes(path.read_bytes()) for path in paths]


def _nameless(path: str) -> str:
    """A path without the attempt."""
    name, _, suffix = path.split(".", 2)
    return f"{name}.{suffix}"


def _files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for kind in ("train", "validation", "rejected")
        for path in (root / kind).rglob("*")
    }
