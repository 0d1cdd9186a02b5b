"""CommonCrawl as LLaMA used it: CCNet (arXiv 1911.00359), then the Wikipedia-reference classifier.

Two passes around a deduplication. `extract`: WARC or WET -> text -> length -> paragraph keys.
`finish`: paragraph removal -> language -> perplexity -> reference quality.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import BinaryIO

import pyarrow as pa

from dedup.decisions import REMOVED, removed_rows
from filters.ccnet_text import Mode
from filters.document import Document, Filter, Rejected
from filters.extraction import HtmlExtractor
from filters.html import HtmlDecoder
from filters.language import LanguageFilter
from filters.length import LengthFilter
from filters.perplexity import PerplexityFilter
from filters.prescreen import LanguagePrescreen
from filters.reference_quality import ReferenceQualityFilter
from pipeline.deduplication.chain import complete, documents_place
from pipeline.deduplication.decision_files import Decisions
from pipeline.deduplication.key_units import KeyUnit, write_key_units
from pipeline.deduplication.paragraph_stage import PARAGRAPHS, ParagraphKeys
from pipeline.deduplication.removal import LineRemoval
from pipeline.deduplication.shuffle import Comparison, compare
from pipeline.fingerprints import parts_of
from pipeline.finish import ReadExtracted, units_after
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
from pipeline.passes.run import Result
from pipeline.readers.records import Records
from pipeline.readers.warc import read_warc
from pipeline.readers.wet import read_wet
from pipeline.recipe import Recipe
from pipeline.shards import Columns
from pipeline.sources.settings import CommonCrawlSettings, CrawlInputSettings
from pipeline.stages import ReadUnit, Stage, enabled
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, border, unit_of
from pipeline.writer import WriterSettings

FILES = r"\.warc(\.wet)?(\.gz)?$"
LOOKED_FOR = "*.warc.gz, *.warc, *.warc.wet.gz or *.warc.wet"

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "snapshot": pa.string(),
        "format": pa.string(),
        "digest": pa.string(),
    },
    signals={
        "original_characters": pa.int64(),
        "original_lines": pa.int32(),
        "characters": pa.int64(),
        "lines": pa.int32(),
        "language_score": pa.float64(),
        "perplexity": pa.float64(),
        "bucket": pa.string(),
        "reference_score": pa.float64(),
    },
)


@dataclass(frozen=True)
class ReadCrawl:
    """Reads a unit as WARC or WET, by its name."""

    settings: CrawlInputSettings
    mode: Mode

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        limit = self.settings.maximum_record_bytes
        is_wet = page_format(unit.relative) == "wet"
        if is_wet:
            title_in_text = self.settings.title_in_text
            records = read_wet(stream, title_in_text=title_in_text, maximum_record_bytes=limit)
        else:
            records = read_warc(stream, maximum_record_bytes=limit)
        for record in records:
            if isinstance(record, Document):
                record.metadata["format"] = "wet" if is_wet else "warc"
                record.metadata["snapshot"] = unit.group
                if is_wet and not record.text and self.mode == "standard":
                    # The only line is no title; cc_net loses such pages.
                    record.text = record.metadata["title"]
            yield record


class OnlyWarc:
    """A stage for pages that came as HTML; what is plain text already passes it by."""

    def __init__(self, stage: Filter) -> None:
        self.name = stage.name
        self._stage = stage

    def open(self) -> None:
        self._stage.open()

    def __call__(self, document: Document) -> Document | Rejected:
        return self._stage(document) if document.metadata["format"] == "warc" else document


def find_units(
    inputs: Inputs, settings: CrawlInputSettings
) -> tuple[list[Unit], list[dict[str, str]]]:
    """Units below a folder, and the files left out because their other format is read."""
    found = find_inputs(inputs, FILES, LOOKED_FOR)
    formats: dict[str, set[str]] = {}
    for file in found:
        formats.setdefault(_page_set(file.relative), set()).add(page_format(file.relative))
    units, refused = [], []
    for file in found:
        available = formats[_page_set(file.relative)]
        if len(available) > 1 and page_format(file.relative) != settings.prefer:
            refused.append({"path": file.relative, "reason": f"same_pages_as_{settings.prefer}"})
            continue
        snapshot = re.search(settings.snapshot_pattern, file.relative)
        units.append(unit_of(file, group=snapshot.group(1) if snapshot else ""))
    # The order of preference of deduplication: the preferred format's copy of a paragraph stays.
    units.sort(key=lambda unit: (page_format(unit.relative) != settings.prefer, unit.relative))
    return units, refused


def _page_set(relative: str) -> str:
    """What a WARC and its WET have in common: their path without format and compression."""
    return re.sub(r"(^|/)wet/", r"\1warc/", re.sub(FILES, "", relative, flags=re.IGNORECASE))


def page_format(relative: str) -> str:
    """`wet` or `warc`, by a file's name."""
    return "wet" if re.search(r"\.wet(\.gz)?$", relative, re.IGNORECASE) else "warc"


def run(job: Job) -> None:
    """Run the source."""
    settings = job.recipe.commoncrawl
    units, refused = find_units(job.input, settings.input)
    extract, finish = extract_stages(job), finish_stages(job)
    job.check_stages([*extract, *finish])
    extracted = job.run_pass(extract_pass(job, extract), units)
    following = units_after(extracted)
    if settings.paragraphs.enabled:
        # A unit is finished anew only where the decisions on it are other than before.
        decisions = compare_paragraphs(job, units, extracted)
        following = [
            replace(
                unit,
                inputs=(*unit.inputs, *decisions.units[unit.name].inputs),
                version=f"{unit.version}-{decisions.units[unit.name].digest}",
            )
            for unit in following
        ]
    methods = settings.deduplicate
    place = documents_place(job, methods)
    finished = job.run_pass(finish_pass(job, finish, place), following)
    complete(job, methods, finished, refused)


def extract_stages(job: Job) -> tuple[Stage, ...]:
    """From raw pages to the text that is compared."""
    settings = job.recipe.commoncrawl
    stages = enabled(
        (settings.length, LengthFilter(settings.length)), (settings.paragraphs, ParagraphKeys())
    )
    return (*html_stages(job.recipe, prescreen_languages(settings)), *stages)


def html_stages(recipe: Recipe, languages: tuple[str, ...]) -> tuple[Stage, ...]:
    """From HTML to text; the prescreen is asked where languages are given."""
    settings, model = recipe.commoncrawl, recipe.models.language_identifier
    html: list[Filter] = [HtmlDecoder(settings.decode)]
    if languages:
        html.append(LanguagePrescreen(settings.prescreen, model, languages))
    html.append(HtmlExtractor(settings.extract))
    return tuple(map(OnlyWarc, html))


def prescreen_languages(settings: CommonCrawlSettings) -> tuple[str, ...]:
    """Languages that the prescreen lets pass; none where it has nothing to decide."""
    decides = settings.prescreen.enabled and settings.language.enabled
    return settings.language.keep if decides else ()


def finish_stages(job: Job) -> tuple[Stage, ...]:
    """From deduplicated text to what is kept."""
    settings, models = job.recipe.commoncrawl, job.recipe.models
    keep = settings.language.keep
    paragraphs = settings.paragraphs
    own = enabled(
        (
            paragraphs,
            LineRemoval(PARAGRAPHS, paragraphs.minimum_characters),
        ),
        (
            settings.language,
            LanguageFilter(settings.language, models.language_identifier, settings.mode),
        ),
        (
            settings.perplexity,
            PerplexityFilter(settings.perplexity, models.language_models, keep, settings.mode),
        ),
        (
            settings.reference_quality,
            ReferenceQualityFilter(
                settings.reference_quality, files.join(models.reference_model, "reference.bin")
            ),
        ),
    )
    return (*own, *job.last_stages)


def extract_pass(job: Job, stages: tuple[Stage, ...]) -> DocumentsPass:
    """WARC or WET to text and paragraph keys."""
    settings = job.recipe.commoncrawl
    read = ReadUnit(ReadCrawl(settings.input, settings.mode), job.batching)
    keys = (PARAGRAPHS,) if settings.paragraphs.enabled else ()
    writer = WriterSettings(COLUMNS, keys, job.recipe.run.rows_per_group)
    place = job.place("extract")
    return DocumentsPass("extract", place, read, stages, job.batching, writer, job.document_seconds)


def finish_pass(job: Job, stages: tuple[Stage, ...], place: Place) -> DocumentsPass:
    """Extracted text and decisions to finished documents."""
    read = ReadExtracted(job.output, job.batching)
    columns, rows_per_group = job.columns(COLUMNS), job.recipe.run.rows_per_group
    writer = WriterSettings(columns, (), rows_per_group)
    return DocumentsPass("finish", place, read, stages, job.batching, writer, job.document_seconds)


def compare_paragraphs(job: Job, units: Sequence[Unit], extracted: Result) -> Decisions:
    """Decide which paragraphs go: which are compared with which, and which copies stay."""
    settings = job.recipe.commoncrawl.paragraphs
    kind = f"keys/{PARAGRAPHS}"
    scopes = scope_numbers(units, settings.scope, settings.group_files)
    records = {record.unit: record for record in extracted.records()}
    compared, keys, contents = [], dict[int, int](), []
    for unit, scope in zip(units, scopes, strict=True):
        block = records[unit.name].of_kind(kind)
        path = extracted.place.full(block.name)
        compared.append(KeyUnit(unit.name, scope, files={kind: path}))
        keys[scope] = keys.get(scope, 0) + block.rows
        contents.append([unit.name, scope, block.sha256])
    path = job.run.path(job.output, f"{PARAGRAPHS}.units.parquet")
    work = Comparison(
        units=write_key_units(path, compared),
        kind=PARAGRAPHS,
        decide=partial(removed_rows, policy=settings.policy),
        dtype=REMOVED,
        place=job.place(PARAGRAPHS),
        partition_bytes=job.recipe.run.partition_bytes,
    )
    made_of = parts_of(compare, work.decide, contents).fingerprint
    decisions = compare(work, keys, made_of, job.run)
    job.run.kept.append(decisions)
    return decisions


def scope_numbers(units: Sequence[Unit], scope: str, group_size: int) -> list[int]:
    """Who is compared with whom: `all`, the same `snapshot`, or the same `group`.

    Units must come in order of preference, which does not depend on how they were listed. Groups
    are of consecutive files, about `group_size` each; where one ends follows from the last name in
    it, so that one file more or less changes its own group.
    """
    if scope == "all":
        return [0] * len(units)
    if scope == "group":
        ends = [border(unit.relative) % group_size == 0 for unit in units]
        return [0, *accumulate(map(int, ends))][: len(units)]
    numbers: dict[str, int] = {}
    return [numbers.setdefault(unit.group, len(numbers)) for unit in units]
