"""Documents as their readers give them, for the raw arm of an ablation and for texts to judge on.

`roving run SOURCE --recipe recipes/raw.toml` reads sources whose files are text. Here are those of
which only a filter makes text: HTML pages (every visible line, as in a WET), submissions of LaTeX
(all their TeX files as they are), posts (their HTML); and books, which get their id from a filter.
Ids are those that `roving run` gives, so a validation split by hash of the id holds out the same
documents. `texts` makes documents of *.txt, *.md and JSON Lines with a field `text`.

    python tools/raw_documents.py commoncrawl samples/commoncrawl out/raw/commoncrawl
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pipeline.units import Unit, open_unit
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from filters.books import GutenbergFilter, TextDecoder
from filters.document import Document, Rejected
from filters.html import HtmlDecoder
from filters.latex.charset import declared_encoding, decode
from filters.latex.project import unpack
from filters.stackexchange.posts import load_posts
from pipeline import files
from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import Records
from pipeline.recipe import Recipe, load_recipe
from pipeline.sources import arxiv, books, commoncrawl, stackexchange

Texts: TypeAlias = Iterator[Document]
RECIPE = "recipes/raw.toml"
SCHEMA = pa.schema({name: pa.string() for name in ("id", "url", "licence", "language", "text")})


def pages(folder: str, recipe: Recipe) -> Texts:
    """Crawled pages, all that a reader sees of them."""
    settings = recipe.commoncrawl
    decode_html = HtmlDecoder(settings.decode)
    units, _ = commoncrawl.find_units(folder, settings.input)
    for document in _documents(units, commoncrawl.ReadCrawl(settings.input, settings.mode)):
        if document.metadata["format"] == "warc":
            if isinstance(decode_html(document), Rejected):
                continue
            tree = HTMLTree.parse(document.text)
            document.text = f"{tree.title}\n{extract_plain_text(tree, main_content=False)}".strip()
        yield document


def papers(folder: str, recipe: Recipe) -> Texts:
    """Submissions, all their TeX files by name."""
    settings = recipe.arxiv
    for document in _documents(arxiv.find_units(folder), arxiv.ReadBulk(settings.input)):
        sources = unpack(document.raw, settings.latex.project)
        if isinstance(sources, Rejected):
            continue
        declared = next(filter(None, map(declared_encoding, sources.values())), None)
        names = sorted(name for name in sources if name.lower().endswith(".tex"))
        document.text = "\n".join(decode(sources[name], declared) for name in names)
        yield document


def threads(folder: str, recipe: Recipe) -> Texts:
    """Questions with their answers by time, all of them in HTML."""
    settings = recipe.stackexchange.input
    units, _ = stackexchange.find_units(folder, settings)
    for document in _documents(units, stackexchange.ReadPosts(settings)):
        question, answers = load_posts(document)
        bodies = [post["body"] for post in (question, *answers)]
        document.text = "\n".join([question["title"], *bodies])
        yield document


def whole_books(folder: str, recipe: Recipe) -> Texts:
    """Files of books with all that is around the book; `GutenbergFilter` says what they are."""
    settings = recipe.books
    decode_text, identify = TextDecoder(settings.decode), GutenbergFilter(settings.gutenberg)
    with tempfile.TemporaryDirectory() as lists:
        units, _ = books.find_units(folder, settings.input, lists)
        for document in _documents(units, books.ReadBooks(settings.input)):
            if isinstance(decode_text(document), Rejected):
                continue
            text = document.text
            identify(document)
            document.text = text
            yield document


def texts(folder: str, recipe: Recipe) -> Texts:
    """Files of text, and lines of JSON Lines."""
    limit = recipe.c4.maximum_line_bytes
    for file in sorted(files.list_files(folder), key=lambda file: file.relative):
        if file.relative.endswith((".txt", ".md")):
            try:
                text = files.read_bytes(file.path).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                sys.exit(f"{file.path} is not UTF-8: {error}")
            yield Document(file.relative, "texts", text.replace("\r\n", "\n"))
        elif ".json" in file.relative:
            with files.open_read(file.path) as stream:
                for line in read_jsonl(stream, name=file.relative, maximum_line_bytes=limit):
                    if isinstance(line, JsonLine):
                        yield Document(line.id, "texts", line.text("text"))


KINDS: dict[str, Callable[[str, Recipe], Texts]] = {
    "commoncrawl": pages,
    "arxiv": papers,
    "stackexchange": threads,
    "books": whole_books,
    "texts": texts,
}


def _documents(units: list[Unit], read: Callable[[Any, Unit], Records]) -> Texts:
    for unit in units:
        with contextlib.closing(open_unit(unit)) as stream:
            for record in read(stream, unit):
                if isinstance(record, Document):
                    yield record


def write(documents: Texts, output: Path) -> int:
    """Write a documents dataset of one shard, its manifest last; returns how many there are."""
    (output / "documents").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    characters = 0
    for document in documents:
        if document.text and not document.text.isspace():
            known = {name: document.metadata.get(name) for name in ("url", "licence", "language")}
            rows.append({"id": document.id, **known, "text": document.text})
            characters += len(document.text)
    table = pa.Table.from_pylist(rows, SCHEMA)
    pq.write_table(table, output / "documents" / "part-all.parquet", compression="zstd")
    counts = {"documents": len(rows), "characters": characters}
    (output / "manifest.json").write_text(json.dumps(counts), encoding="utf-8")
    return len(rows)


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("input", help="folder")
    parser.add_argument("output", type=Path, help="folder of the documents dataset")
    parser.add_argument("--recipe", default=RECIPE)
    parsed = parser.parse_args()
    documents = KINDS[parsed.kind](parsed.input, load_recipe(parsed.recipe))
    count = write(documents, parsed.output)
    print(f"{count:,} documents in {parsed.output}")
    if parsed.kind == "texts" and not count:
        sys.exit(f"{parsed.input} has no text in *.txt, *.md or JSON Lines")


if __name__ == "__main__":
    main()
