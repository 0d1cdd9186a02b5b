"""Real texts for the near-duplicate set: what the sources' files hold, cut into blocks.

Wikipedia goes through the project's own readers and filters, WET through its reader; books,
Stack Exchange posts, GitHub files, LaTeX sources and labelled sentences are read plainly.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from lxml import etree
from resiliparse.extract.html2text import extract_plain_text

from benchmarks.wikitext import read_articles
from filters.document import Document
from filters.wikitext import clean_wikitext
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.readers.wet import read_wet
from pipeline.recipe import load_recipe

SHORTEST, LONGEST = 500, 12_000


@dataclass(frozen=True)
class Texts:
    """What the set is made of.

    whole: by source, its texts as they are.
    sentences: single sentences, for short documents.
    navigation: first and last lines of web pages, for boilerplate.
    """

    whole: dict[str, list[str]]
    sentences: list[str]
    navigation: list[str]


def read_texts(data: Path) -> Texts:
    """Everything usable below the data folder."""
    pages = list(_read_wet(data / "commoncrawl"))
    whole = {
        "wikipedia": list(_read_wikipedia(data / "wikipedia")),
        "web": pages,
        "books": list(_read_books(data / "books")),
        "stackexchange": list(_read_posts(data / "stackexchange")),
        "github": list(_read_code(data / "github")),
        "arxiv": list(_read_latex(data / "arxiv")),
    }
    navigation = [part for page in pages for part in (page[:400], page[-400:])]
    return Texts(whole, _read_sentences(data / "lid" / "sentences.tsv.gz"), navigation)


def cut_blocks(text: str, mean: float, choice: random.Random) -> Iterator[str]:
    """Runs of whole lines, of 500 to 12,000 characters, log-normal around a mean."""
    lines: list[str] = []
    size, wanted = 0, _draw_size(mean, choice)
    for line in _short_lines(text):
        lines.append(line)
        size += len(line) + 1
        if size >= wanted:
            yield "\n".join(lines)
            lines, size, wanted = [], 0, _draw_size(mean, choice)
    if size >= SHORTEST:
        yield "\n".join(lines)


def _draw_size(mean: float, choice: random.Random) -> float:
    spread = 0.7
    size = choice.lognormvariate(float(np.log(mean)) - spread**2 / 2, spread)
    return min(max(size, SHORTEST), LONGEST)


def _short_lines(text: str) -> Iterator[str]:
    """Lines; a very long one is cut, even within a word."""
    longest = LONGEST // 4
    for line in text.split("\n"):
        yield line[:longest]
        yield from (line[start : start + longest] for start in range(longest, len(line), longest))


def _read_wikipedia(folder: Path) -> Iterator[str]:
    dropped = load_recipe(DEFAULT_RECIPE).wikipedia.wikitext.dropped_sections
    for article in read_articles(folder):
        yield clean_wikitext(
            article["text"],
            language=article["language"],
            title=article["title"],
            dropped_sections=dropped,
        ).text


def _read_wet(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.warc.wet.gz")):
        with path.open("rb") as stream:
            for record in read_wet(stream, title_in_text=True, maximum_record_bytes=32 << 20):
                if isinstance(record, Document):
                    yield record.text


def _read_books(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.txt")):
        content = path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
        text = text.replace("\r\n", "\n")
        start = re.search(r"\*\*\* ?START OF.*|\*END\*.*", text)
        end = re.search(r"\*\*\* ?END OF|End of (the )?Project Gutenberg", text)
        yield text[start.end() if start else 0 : end.start() if end else len(text)].strip()


def _read_posts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*/Posts.xml")):
        for _, row in etree.iterparse(str(path), tag="row"):
            title, body = row.get("Title", ""), row.get("Body", "")
            yield f"{title}\n\n{extract_plain_text(body)}".strip()
            row.clear()


def _read_code(folder: Path) -> Iterator[str]:
    """Text files but data: at least half letters or space, at most a tenth digits."""
    for path in sorted(folder.glob("contents-*.parquet")):
        contents = pq.read_table(path, columns=["content"])["content"].to_pylist()
        for text in filter(None, contents):
            letters = sum(map(str.isalpha, text)) + sum(map(str.isspace, text))
            if letters >= 0.5 * len(text) and sum(map(str.isdigit, text)) <= 0.1 * len(text):
                yield text


def _read_latex(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file and member.name.endswith(".gz"):
                    for source in _latex_files(gzip.decompress(file.read())):
                        yield source.decode("utf-8", errors="replace")


def _latex_files(content: bytes) -> Iterator[bytes]:
    """The .tex files of a submission, which is a tar or one file."""
    if not tarfile.is_tarfile(io.BytesIO(content)):
        yield content
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as submission:
        for member in submission:
            file = submission.extractfile(member)
            if file and member.name.endswith(".tex"):
                yield file.read()


def _read_sentences(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t", 1)[1] for line in file]
