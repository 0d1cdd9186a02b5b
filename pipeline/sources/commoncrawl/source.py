"""CommonCrawl as LLaMA used it: CCNet (arXiv 1911.00359), then the Wikipedia-reference classifier.

Two passes around a comparison. WARC or WET -> text -> length -> paragraph keys; then the paragraphs
that are left -> language -> perplexity -> reference quality.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.ccnet_text import Mode
from filters.document import Document, Filter, Rejected
from filters.extraction import HtmlExtractor
from filters.html import HtmlDecoder
from filters.language import LanguageFilter
from filters.length import LengthFilter
from filters.perplexity import PerplexityFilter
from filters.prescreen import LanguagePrescreen
from filters.reference_quality import ReferenceQualityFilter
from pipeline.deduplication.paragraph_stage import ParagraphKeys
from pipeline.passes.shards import Columns
from pipeline.passes.stages import Stage, enabled
from pipeline.readers.arc import read_arc
from pipeline.readers.records import Records
from pipeline.readers.warc import read_warc
from pipeline.readers.wet import read_wet
from pipeline.recipe import Recipe
from pipeline.sources.commoncrawl.paragraphs import ParagraphComparison
from pipeline.sources.commoncrawl.settings import CommonCrawlSettings, CrawlInputSettings
from pipeline.sources.declaration import Found, Source, Step
from pipeline.store import files
from pipeline.store.inputs import Inputs, find_inputs_and_others
from pipeline.store.units import Unit, unit_of

FILES = r"\.(warc(\.wet)?|arc)(\.gz|\.zst)?$"
LOOKED_FOR = "*.warc, *.warc.wet or *.arc, as they are or .gz or .zst"

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "snapshot": pa.string(),
        "format": pa.string(),
        "digest": pa.string(),
        "author": pa.string(),
        "published": pa.string(),
        "canonical_url": pa.string(),
        "declared_language": pa.string(),
        "licence_url": pa.string(),
        "robots": pa.string(),
        "robots_header": pa.string(),
        "earlier_records": pa.int32(),
    },
    signals={
        "original_characters": pa.int64(),
        "original_lines": pa.int32(),
        "characters": pa.int64(),
        "lines": pa.int32(),
        "line_kinds": pa.string(),
        "page_type": pa.string(),
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
        elif re.search(r"\.arc(\.gz|\.zst)?$", unit.relative, re.IGNORECASE):
            records = read_arc(stream, maximum_record_bytes=limit)
        else:
            records = read_warc(stream, maximum_record_bytes=limit)
        urls: Counter[str] = Counter()
        for record in records:
            if isinstance(record, Document):
                # Of the same URL, in this file: crawls meet some pages twice.
                record.metadata["earlier_records"] = urls[record.metadata["url"]]
                urls[record.metadata["url"]] += 1
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


def find_units(inputs: Inputs, settings: CrawlInputSettings) -> Found:
    """Units below a folder, and the files left out because their other format is read."""
    found, others = find_inputs_and_others(inputs, FILES, LOOKED_FOR)
    formats: dict[str, set[str]] = {}
    for file in found:
        formats.setdefault(_page_set(file.relative), set()).add(page_format(file.relative))
    units: list[Unit] = []
    refused = [{"path": file.relative, "reason": "not_read"} for file in others]
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
    """`wet` or `warc`, by a file's name; an ARC has the pages that a WARC would have."""
    return "wet" if re.search(r"\.wet(\.gz|\.zst)?$", relative, re.IGNORECASE) else "warc"


def html_stages(recipe: Recipe, languages: tuple[str, ...]) -> tuple[Stage, ...]:
    """From HTML to text; the prescreen is asked where languages are given."""
    settings = recipe.section("commoncrawl", CommonCrawlSettings)
    model = recipe.models.language_identifier
    html: list[Filter] = [HtmlDecoder(settings.decode)]
    if languages:
        html.append(LanguagePrescreen(settings.prescreen, model, languages))
    html.append(HtmlExtractor(settings.extract))
    return tuple(map(OnlyWarc, html))


def prescreen_languages(settings: CommonCrawlSettings) -> tuple[str, ...]:
    """Languages that the prescreen lets pass; none where it has nothing to decide."""
    decides = settings.prescreen.enabled and settings.language.enabled
    return settings.language.keep if decides else ()


def steps(settings: CommonCrawlSettings, recipe: Recipe, units: Sequence[Unit]) -> Iterable[Step]:
    """From raw pages to the text that is compared, and from what is left to what is kept."""
    models, keep = recipe.models, settings.language.keep
    paragraphs: tuple[Step, ...] = ()
    if settings.paragraphs.enabled:
        # In ccnet mode every line is compared.
        minimum_words = None if settings.mode == "ccnet" else settings.paragraphs.minimum_words
        comparison = ParagraphComparison(settings.paragraphs, tuple(units))
        paragraphs = (ParagraphKeys(minimum_words), comparison)
    reference_model = files.join(models.reference_model, "reference.bin")
    return (
        *html_stages(recipe, prescreen_languages(settings)),
        *enabled((settings.length, LengthFilter(settings.length))),
        *paragraphs,
        *enabled(
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
                ReferenceQualityFilter(settings.reference_quality, reference_model),
            ),
        ),
    )


SOURCE = Source(
    name="commoncrawl",
    settings=CommonCrawlSettings,
    columns=COLUMNS,
    find_units=lambda inputs, settings: find_units(inputs, settings.input),
    read=lambda settings: ReadCrawl(settings.input, settings.mode),
    steps=steps,
)
