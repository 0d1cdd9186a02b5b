"""Small documents datasets for the tests of token datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from filters.document import Document
from pipeline.cli.main import main
from pipeline.shards import Columns, ShardWriter, document_row, document_schema

SCHEMA = document_schema(Columns())
TEXTS = (
    "The data of 2020, 12 makes.",
    "  two spaces,\ttabs\r\nand 中文 🙂\n",
    "e\u0301 \x00 NUL",
    "a",
    "Wikipedia has documents in 20 languages.\n\n" * 50,
)


def write_documents(folder: Path, units: Mapping[str, Sequence[str]]) -> Path:
    """A documents dataset of these texts by unit; ids are `<unit>-<number>`."""
    for name, texts in units.items():
        writer = ShardWriter(str(folder / "documents" / f"part-{name}.parquet"), SCHEMA, 100)
        for number, text in enumerate(texts):
            metadata = {"url": f"https://example.org/{name}/{number}", "licence": "CC-BY-4.0"}
            document = Document(f"{name}-{number}", "test", text, metadata)
            writer.add(document_row(document, SCHEMA))
        writer.close()
        writer.commit()
    return folder


def tokenize(tokenizer: Path, output: Path, *documents: Path, options: Sequence[str] = ()) -> int:
    """`roving tokenize`; returns the exit status."""
    named = [argument for path in documents for argument in ("--documents", str(path))]
    return main(
        ["tokenize", *named, "--tokenizer", str(tokenizer), "--output", str(output), *options]
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of an output, but for logs and the lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "logs" not in path.parts and path.name != ".lock"
    }
