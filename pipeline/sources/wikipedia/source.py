"""Wikipedia as LLaMA used it: the articles of twenty languages, without markup (arXiv 2302.13971).

One pass: MediaWiki XML -> articles -> text. Every document also carries the URLs it cites in
`<ref>` (column `cited_urls`), which the reference classifier of CommonCrawl learns from.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa

from filters.wikitext import WikipediaPageFilter, WikitextCleaner
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.look_pass import look_at
from pipeline.passes.shards import Columns
from pipeline.passes.stages import enabled
from pipeline.readers.bzip2_slices import cut, open_slice
from pipeline.readers.dump_file import BZIP2, UnreadableDumpError, check_seven_zip, open_dump
from pipeline.readers.dump_sets import overlapping
from pipeline.readers.enterprise import read_enterprise
from pipeline.readers.mediawiki import read_mediawiki, wiki_language, wiki_name
from pipeline.readers.records import Records
from pipeline.recipe import Recipe
from pipeline.sources.declaration import Found, Prepared, Source, Step
from pipeline.sources.wikipedia.holes import holes, holes_by_template
from pipeline.sources.wikipedia.settings import DumpSettings, WikipediaSettings
from pipeline.store import files
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, part_of, unit_of

RENDERED = re.compile(r"wiki-NS\d+-[^/]*ENTERPRISE-HTML\.json\.tar\.gz$", re.IGNORECASE)
FILES = rf"wiki[^/]*\.xml(-p\d+p\d+)?(\.(bz2|gz|7z|zst))?$|{RENDERED.pattern}"
LOOKED_FOR = (
    "dumps named like enwiki-20220801-pages-articles.xml.bz2 (or .xml, .gz, .7z, .zst) "
    "or enwiki-NS0-20240901-ENTERPRISE-HTML.json.tar.gz"
)
PAGE = re.compile(rb"<page[\s>]")
_NAMED_SPACE = re.compile(rb"<page>\s*<title>[^<]*</title>\s*<ns>")
_HEAD_BYTES = 1 << 20

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "revision_id": pa.string(),
        "wikidata_id": pa.string(),
        "cited_urls": pa.list_(pa.string()),
        "categories": pa.list_(pa.string()),
    },
    signals={
        "wikitext_characters": pa.int64(),
        "disambiguation": pa.bool_(),
        "holes": pa.int32(),
        "hole_templates": pa.list_(pa.string()),
    },
)


@dataclass(frozen=True)
class ReadDump:
    """Reads a unit as MediaWiki XML, or as Wikimedia Enterprise's HTML where its name says so."""

    settings: DumpSettings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        if RENDERED.search(unit.relative):
            maximum = self.settings.maximum_page_bytes
            return read_enterprise(stream, relative=unit.relative, maximum_record_bytes=maximum)
        opened = (
            open_slice(stream, unit.length, PAGE, is_first=unit.offset == 0)
            if unit.length
            else open_dump(stream, unit.relative)
        )
        return read_mediawiki(
            opened,
            wiki=wiki_name(unit.relative) or unit.name,
            maximum_page_bytes=self.settings.maximum_page_bytes,
            slice_start=unit.offset if unit.length else None,
        )


def find_units(inputs: Inputs, settings: WikipediaSettings) -> Found:
    """Units below a folder, and the dumps that are refused with their reason.

    Raises:
        InputError: no dump is there, none in a wanted language, or only incomplete ones of a wiki.
    """
    found = find_inputs(inputs, FILES, LOOKED_FOR)
    wanted = {
        file.relative for file in found if wiki_language(file.relative) in settings.page.languages
    }
    doubled = overlapping(sorted(wanted))
    units, refused = [], []
    for file in found:
        if file.relative not in wanted:
            refused.append({"path": file.relative, "reason": "language_not_wanted"})
        elif file.relative in doubled:
            refused.append({"path": file.relative, "reason": doubled[file.relative]})
        else:
            units.append(unit_of(file))
    check_seven_zip(unit.path for unit in units)
    if not units:
        raise InputError(
            f"none of the {len(found)} dumps below {inputs} is in a wanted language "
            f"({' '.join(settings.page.languages)}); found for example {found[0].relative}"
        )
    return units, refused


def prepare(job: Job, settings: WikipediaSettings, units: Sequence[Unit]) -> Prepared:
    """Cut large dumps where that is possible, which a look at the beginning of each tells."""
    large = [unit for unit in units if unit.size > settings.input.slice_bytes]
    seen = look_at(job.run, "dumps", job.place("dumps"), large, may_be_cut)
    return Prepared(
        [
            part
            for unit in units
            for part in (cut_unit(unit, settings.input) if seen.get(unit.name) else [unit])
        ]
    )


def cut_unit(unit: Unit, settings: DumpSettings) -> list[Unit]:
    """The slices of a dump that may be cut."""
    return [part_of(unit, part) for part in cut(unit.size, settings.slice_bytes)]


def may_be_cut(unit: Unit) -> bool:
    """Whether a dump is bzip2, and its pages are told apart without what stands before them all.

    Before schema 0.6 they name no namespace, and the list of these is at the dump's beginning.
    """
    with files.open_read(unit.path) as stream:
        if not stream.read(len(BZIP2[0])).startswith(BZIP2):
            return False
        stream.seek(0)
        opened = open_dump(stream, unit.relative, is_text=False)
        try:
            head = io.BufferedReader(cast(io.RawIOBase, opened)).read(_HEAD_BYTES)
        except UnreadableDumpError:
            return False
    return bool(_NAMED_SPACE.search(head))


def steps(settings: WikipediaSettings, _: Recipe, __: Sequence[Unit]) -> Iterable[Step]:
    """From pages to text."""
    return enabled(
        (settings.page, WikipediaPageFilter(settings.page)),
        (settings.wikitext, WikitextCleaner(settings.wikitext)),
    )


SOURCE = Source(
    name="wikipedia",
    settings=WikipediaSettings,
    columns=COLUMNS,
    find_units=find_units,
    read=lambda settings: ReadDump(settings.input),
    steps=steps,
    prepare=prepare,
    tally=holes,
    report=lambda counts: {"holes": holes_by_template(counts)},
)
