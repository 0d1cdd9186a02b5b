"""C4 (arXiv 1910.10683): the published one as it is, or the same made of a crawl.

The published C4 is JSON Lines with url, text and timestamp: one pass, nothing changed. Of a crawl's
WET or WARC it is made in the order of C4's own code, with a deduplication between two passes:
`extract`: pages -> length; one page per URL; `clean`: heuristics, line by line -> sentences; every
line on one page only; then sentences again -> language -> bad words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.bad_words import BadWordFilter
from filters.c4 import (
    CitationMarkFilter,
    EndMarkFilter,
    LongWordFilter,
    PageFilter,
    PhraseLineFilter,
    PhrasePageFilter,
    ShortLineFilter,
)
from filters.document import Document, Filter, StageSettings
from filters.langdetect import LangdetectFilter
from filters.sentences import SentenceFilter
from pipeline.passes.shards import Columns
from pipeline.passes.stages import Stage, enabled
from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import BadRecord, Record, Records
from pipeline.recipe import Recipe
from pipeline.sources.c4.settings import C4Settings
from pipeline.sources.commoncrawl import source as commoncrawl
from pipeline.sources.comparison import DocumentComparison
from pipeline.sources.declaration import Found, Source, Step
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, unit_of

PUBLISHED = r"\.jsonl?(\.(gz|zst|bz2))?$"
LOOKED_FOR = f"*.json.gz, *.jsonl, *.jsonl.zst (the published C4), or {commoncrawl.LOOKED_FOR}"

COLUMNS = Columns(
    metadata={"title": pa.string(), "snapshot": pa.string(), "format": pa.string()},
    signals={
        "dropped_long_words": pa.int32(),
        "citation_marks": pa.int32(),
        "dropped_end_marks": pa.int32(),
        "dropped_short_lines": pa.int32(),
        "dropped_javascript": pa.int32(),
        "dropped_policy": pa.int32(),
        "language_score": pa.float64(),
    },
)


@dataclass(frozen=True)
class ReadC4:
    """Reads a unit as JSON Lines, WARC or WET, by its name."""

    settings: C4Settings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        if is_published(unit.relative):
            limit = self.settings.maximum_line_bytes
            for line in read_jsonl(stream, name=unit.relative, maximum_line_bytes=limit):
                yield line if isinstance(line, BadRecord) else published_document(line)
            return
        for record in commoncrawl.ReadCrawl(self.settings.crawl, "standard")(stream, unit):
            if isinstance(record, Document):
                record.source = "c4"
            yield record


def published_document(line: JsonLine) -> Record:
    """The document of a line with `text`; `url` and `timestamp` may be missing."""
    url, text = line.text("url"), line.text("text")
    if not text or text.isspace():
        return BadRecord(line.id, url, "no_text", f"fields: {', '.join(sorted(line.fields))}"[:500])
    # Everything else stays with the document, also a url or a timestamp that is no string.
    others = {
        name: value
        for name, value in line.fields.items()
        if name not in ("url", "text", "timestamp") or not isinstance(value, str)
    }
    return Document(
        id=line.id,
        source="c4",
        text=text,
        metadata={
            "url": url,
            "timestamp": line.text("timestamp"),
            "format": "jsonl",
            **({"fields": others} if others else {}),
        },
    )


def is_published(relative: str) -> bool:
    """Whether a file is JSON Lines, by its name."""
    return re.search(PUBLISHED, relative, re.IGNORECASE) is not None


def is_html(relative: str) -> bool:
    """Whether a file is a WARC, by its name."""
    return not is_published(relative) and commoncrawl.page_format(relative) == "warc"


def find_units(inputs: Inputs, settings: C4Settings) -> Found:
    """Units below a folder, and the files that are not read with their reason."""
    found = find_inputs(inputs, f"{commoncrawl.FILES}|{PUBLISHED}", LOOKED_FOR)
    published = [file for file in found if is_published(file.relative)]
    units = [unit_of(file) for file in published]
    if len(published) == len(found):
        return units, []
    pages, others = commoncrawl.find_units(inputs, settings.crawl)
    refused = [file for file in others if not is_published(file["path"])]
    if settings.published == "clean":
        return [*pages, *units], refused
    for unit in units:
        print(f"c4: {unit.relative} is not read beside a crawl's files", file=sys.stderr)
        refused.append({"path": unit.relative, "reason": "published_beside_crawl"})
    return pages, refused


def steps(settings: C4Settings, recipe: Recipe, units: Sequence[Unit]) -> Iterable[Step]:
    """In the order of C4's code; nothing where the published C4 is kept as it is."""
    if settings.published == "keep" and all(is_published(unit.relative) for unit in units):
        return ()
    _say_what_is_missing(settings)
    html = any(is_html(unit.relative) for unit in units)
    return (
        *page_stages(settings, recipe, html=html),
        *([DocumentComparison("url", "extract")] if settings.url.enabled else []),
        *heuristics(settings),
        *([DocumentComparison("lines", "clean")] if settings.lines.enabled else []),
        *finish_stages(settings),
    )


def _say_what_is_missing(settings: C4Settings) -> None:
    if settings.bad_words.enabled and not settings.bad_words.list:
        print(
            "c4: there is no list of bad words (c4.bad_words.list); pages with such words stay",
            file=sys.stderr,
        )


def page_stages(settings: C4Settings, recipe: Recipe, *, html: bool = True) -> tuple[Stage, ...]:
    """From records to pages; what HTML needs, a model too, is only there where there is HTML."""
    pages = enabled((settings.page, PageFilter(settings.page)))
    if not html:
        return pages
    prescreen = commoncrawl.SOURCE.section(recipe).prescreen
    decides = prescreen.enabled and settings.language.enabled
    languages = settings.language.keep if decides else ()
    return (*commoncrawl.html_stages(recipe, languages), *pages)


def heuristics(c4: C4Settings) -> tuple[Filter, ...]:
    """Those in use, in the order of C4's code; each has the name of its settings."""
    stages: tuple[tuple[StageSettings, Filter], ...] = (
        (c4.long_words, LongWordFilter(c4.long_words)),
        (c4.citation_marks, CitationMarkFilter(c4.citation_marks)),
        (c4.end_marks, EndMarkFilter(c4.end_marks)),
        (c4.short_lines, ShortLineFilter(c4.short_lines)),
        (c4.lorem_ipsum, PhrasePageFilter(c4.lorem_ipsum, "lorem_ipsum")),
        (c4.javascript, PhraseLineFilter(c4.javascript, "javascript", "only_javascript")),
        (c4.curly_bracket, PhrasePageFilter(c4.curly_bracket, "curly_bracket")),
        (c4.policy, PhraseLineFilter(c4.policy, "policy", "only_policy")),
        (c4.sentences, SentenceFilter(c4.sentences, "sentences", line_by_line=True)),
    )
    return tuple(stage for settings, stage in stages if settings.enabled)


def finish_stages(c4: C4Settings) -> tuple[Stage, ...]:
    """Sentences again, language and bad words."""
    again = SentenceFilter(c4.sentences, "sentences_again", line_by_line=False)
    stages = enabled((c4.sentences, again), (c4.language, LangdetectFilter(c4.language)))
    if c4.bad_words.enabled and c4.bad_words.list:
        stages += (BadWordFilter(c4.bad_words),)
    return stages


SOURCE = Source(
    name="c4",
    settings=C4Settings,
    columns=COLUMNS,
    find_units=find_units,
    read=ReadC4,
    steps=steps,
)
