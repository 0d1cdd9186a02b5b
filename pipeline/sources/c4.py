"""C4 (arXiv 1910.10683): the published one as it is, or the same made of a crawl.

The published C4 is JSON Lines with url, text and timestamp: one pass, nothing changed. Of a crawl's
WET or WARC it is made in the order of C4's own code, with a deduplication between two passes:
`extract`: pages -> length; one page per URL; `clean`: heuristics, line by line -> sentences; every
line on one page only; then sentences again -> language -> bad words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
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
from pipeline.deduplication.chain import complete, documents_place
from pipeline.deduplication.sections import MethodName
from pipeline.deduplication.step import Step, documents_after
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import BadRecord, Record, Records
from pipeline.shards import Columns
from pipeline.sources import commoncrawl
from pipeline.sources.settings import C4Settings
from pipeline.stages import ReadUnit, Stage, enabled
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, unit_of
from pipeline.writer import WriterSettings

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


def find_units(inputs: Inputs, settings: C4Settings) -> tuple[list[Unit], list[dict[str, str]]]:
    """Units below a folder, and the files that are not read with their reason."""
    found = find_inputs(inputs, f"{commoncrawl.FILES}|{PUBLISHED}", LOOKED_FOR)
    published = [file for file in found if is_published(file.relative)]
    units = [unit_of(file) for file in published]
    if len(published) == len(found):
        return units, []
    pages, refused = commoncrawl.find_units(inputs, settings.crawl)
    if settings.published == "clean":
        return [*pages, *units], refused
    for unit in units:
        print(f"c4: {unit.relative} is not read beside a crawl's files", file=sys.stderr)
        refused.append({"path": unit.relative, "reason": "published_beside_crawl"})
    return pages, refused


def run(job: Job) -> None:
    """Run the source."""
    settings = job.recipe.c4
    units, refused = find_units(job.input, settings)
    as_it_is = settings.published == "keep" and all(is_published(unit.relative) for unit in units)
    first, steps = (job.last_stages, []) if as_it_is else stages(job, units)
    job.check_stages([*first, *(stage for _, following in steps for stage in following)])

    names = ["extract", "clean"][: len(steps)]
    places = [*(job.place(name) for name in names), documents_place(job, settings.deduplicate)]
    result = job.run_pass(first_pass(job, first, places[0]), units)
    for (method, following), place in zip(steps, places[1:], strict=True):
        dataset = documents_after(result, job.source, place)
        (written,) = Step(job, method, (dataset,), f"c4-{method}", following).run()
        result = written.result
    complete(job, settings.deduplicate, result, refused)


def stages(
    job: Job, units: Sequence[Unit]
) -> tuple[tuple[Stage, ...], list[tuple[MethodName, tuple[Stage, ...]]]]:
    """The stages of the first pass, and those after each deduplication."""
    settings = job.recipe.c4
    _say_what_is_missing(settings)
    html = any(is_html(unit.relative) for unit in units)
    first, steps = page_stages(job, html=html), list[tuple[MethodName, tuple[Stage, ...]]]()
    after: Sequence[tuple[bool, MethodName, tuple[Stage, ...]]] = (
        (settings.url.enabled, "url", heuristics(settings)),
        (settings.lines.enabled, "lines", (*finish_stages(settings), *job.last_stages)),
    )
    for is_used, method, following in after:
        if is_used:
            steps.append((method, following))
        elif steps:  # no need of a pass of their own
            steps[-1] = steps[-1][0], (*steps[-1][1], *following)
        else:
            first += following
    return first, steps


def _say_what_is_missing(settings: C4Settings) -> None:
    if settings.bad_words.enabled and not settings.bad_words.list:
        print(
            "c4: there is no list of bad words (c4.bad_words.list); pages with such words stay",
            file=sys.stderr,
        )


def page_stages(job: Job, *, html: bool = True) -> tuple[Stage, ...]:
    """From records to pages; what HTML needs, a model too, is only there where there is HTML."""
    settings = job.recipe.c4
    pages = enabled((settings.page, PageFilter(settings.page)))
    if not html:
        return pages
    decides = job.recipe.commoncrawl.prescreen.enabled and settings.language.enabled
    languages = settings.language.keep if decides else ()
    return (*commoncrawl.html_stages(job.recipe, languages), *pages)


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


def first_pass(job: Job, stages: tuple[Stage, ...], place: Place) -> DocumentsPass:
    """Files to pages."""
    read = ReadUnit(ReadC4(job.recipe.c4), job.batching)
    columns, rows_per_group = job.columns(COLUMNS), job.recipe.run.rows_per_group
    writer = WriterSettings(columns, (), rows_per_group)
    return DocumentsPass("c4", place, read, stages, job.batching, writer, job.document_seconds)
