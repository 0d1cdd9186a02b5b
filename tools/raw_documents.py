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
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from filters.books import GutenbergFilter, TextDecoder
from filters.document import Document, Rejected
from filters.html import HtmlDecoder
from filters.latex.charset import decode_files
from filters.latex.project import unpack
from filters.stackexchange.posts import load_posts
from pipeline.job import Job
from pipeline.passes.batch import Batch, reject
from pipeline.passes.engine import Engine
from pipeline.passes.run import Result, running
from pipeline.passes.shards import Columns
from pipeline.passes.stages import READ
from pipeline.passes.summary import Summary
from pipeline.passes.writer import UnitWriter, WriterSettings
from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import Records
from pipeline.recipe import Recipe, load_recipe
from pipeline.sources.arxiv import source as arxiv
from pipeline.sources.books import source as books
from pipeline.sources.c4 import source as c4
from pipeline.sources.commoncrawl import source as commoncrawl
from pipeline.sources.stackexchange import source as stackexchange
from pipeline.store import files
from pipeline.store.accounting import StageCount
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.tables import write_table
from pipeline.store.units import Unit, open_unit

Texts: TypeAlias = Iterator[Document]
RECIPE = "recipes/raw.toml"


def pages(folder: str, recipe: Recipe) -> Texts:
    """Crawled pages, all that a reader sees of them."""
    settings = commoncrawl.SOURCE.section(recipe)
    decode_html = HtmlDecoder(settings.decode)
    units, _ = commoncrawl.find_units(Inputs((folder,)), settings.input)
    for document in _documents(units, commoncrawl.ReadCrawl(settings.input, settings.mode)):
        if document.metadata["format"] == "warc":
            if isinstance(decode_html(document), Rejected):
                continue
            tree = HTMLTree.parse(document.text)
            document.text = f"{tree.title}\n{extract_plain_text(tree, main_content=False)}".strip()
        yield document


def papers(folder: str, recipe: Recipe) -> Texts:
    """Submissions, all their TeX files by name."""
    settings = arxiv.SOURCE.section(recipe)
    units, _ = arxiv.find_units(Inputs((folder,)), settings)
    for document in _documents(units, arxiv.ReadBulk(settings.input)):
        sources = unpack(document.raw, settings.latex.project)
        if isinstance(sources, Rejected):
            continue
        files = decode_files(sources).files
        names = sorted(name for name in files if name.lower().endswith(".tex"))
        document.text = "\n".join(files[name] for name in names)
        yield document


def threads(folder: str, recipe: Recipe) -> Texts:
    """Questions with their answers by time, all of them in HTML."""
    settings = stackexchange.SOURCE.section(recipe)
    found, _ = stackexchange.find_units(Inputs((folder,)), settings)
    packed = [unit for unit in found if unit.relative.endswith(".7z")]
    sizes = {unit.name: stackexchange.posts_bytes(unit) for unit in packed}
    units = stackexchange.choose(settings.input, found, sizes).units
    for document in _documents(units, stackexchange.ReadPosts(settings.input)):
        question, answers = load_posts(document)
        bodies = [post["body"] for post in (question, *answers)]
        document.text = "\n".join([question["title"], *bodies])
        yield document


def whole_books(folder: str, recipe: Recipe) -> Texts:
    """Files of books with all that is around the book; `GutenbergFilter` says what they are."""
    settings = books.SOURCE.section(recipe)
    decode_text, identify = TextDecoder(settings.decode), GutenbergFilter(settings.gutenberg)
    with tempfile.TemporaryDirectory() as lists:
        units, _ = books.find_units(Inputs((folder,), lists=lists), settings)
        for document in _documents(units, books.ReadBooks(settings.input)):
            if isinstance(decode_text(document), Rejected):
                continue
            text = document.text
            identify(document)
            document.text = text
            yield document


def texts(folder: str, recipe: Recipe) -> Texts:
    """Files of text, and lines of JSON Lines."""
    limit = c4.SOURCE.section(recipe).maximum_line_bytes
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


def write(documents: Texts, output: Path, recipe: Recipe) -> int:
    """Write a documents dataset of one unit, made anew each time; returns how many there are."""
    with running(Engine(), str(output)) as run:
        job = Job("raw", Inputs(()), str(output), recipe, run)
        place = job.place("raw", is_last=True)
        record = _write_unit(documents, place, recipe, run.id)
        result = Result(place, Summary(), run.id)
        result.summary.add_record(record)
        table = f"{place.inner('tables')}/raw.{place.attempt()}.parquet"
        result.summary.tables.append(write_table(place.root, table, [record]))
        run.kept.append(result)
        job.complete(result, [])
    return result.summary.funnel.kept


def _write_unit(documents: Texts, place: Place, recipe: Recipe, key: str) -> UnitRecord:
    unit = Unit("all", "", "all", 0)
    writer = UnitWriter(unit, place, WriterSettings(Columns(), (), recipe.run.rows_per_group))
    batch = Batch(unit, 0)
    try:
        for batch in _batches(unit, documents, recipe.run.batch_documents):
            writer.add(batch)
        return writer.commit(batch, key)
    except BaseException:
        writer.discard()
        raise


def _batches(unit: Unit, documents: Texts, size: int) -> Iterator[Batch]:
    """Documents without text are rejected, as what has none in a run."""
    batch = Batch(unit, 0)
    count = batch.counts[READ] = StageCount()
    for document in documents:
        count.documents_in += 1
        count.characters_in += len(document.text)
        if document.text and not document.text.isspace():
            batch.documents.append(document)
            count.documents_out += 1
            count.characters_out += len(document.text)
        else:
            batch.rejected.append(reject(document, READ, Rejected("empty", ""), keep_text=False))
        if count.documents_in >= size:
            yield batch
            batch = Batch(unit, batch.index + 1)
            count = batch.counts[READ] = StageCount()
    batch.is_last = True
    batch.input = UnitInput(unit.relative, "", 0)
    yield batch


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("input", help="folder")
    parser.add_argument("output", type=Path, help="folder of the documents dataset")
    parser.add_argument("--recipe", default=RECIPE)
    parsed = parser.parse_args()
    recipe = load_recipe(parsed.recipe)
    count = write(KINDS[parsed.kind](parsed.input, recipe), parsed.output, recipe)
    if parsed.kind == "texts" and not count:
        sys.exit(f"{parsed.input} has no text in *.txt, *.md or JSON Lines")


if __name__ == "__main__":
    main()
