"""Read the pages of a MediaWiki XML export (schema 0.3 to 0.11), one record per page.

The stream is cut at `<page>` and `</page>` and each page is parsed on its own: nothing before or
around a page can hurt it, memory is bounded by one page whatever the file's size, a page that is
malformed or too large costs that page alone, and a slice of a multistream dump (pages without
root element) is read like a whole file. No entity, DTD or network access: a page can declare none.

Format: https://www.mediawiki.org/wiki/Help:Export. A page may stand in a file twice (dumps are
made while pages change); both are kept, since Wikipedia takes no deduplication in LLaMA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from lxml import etree

from filters.document import Document
from pipeline.readers.dump_file import UnreadableDumpError
from pipeline.readers.records import BadRecord, Records

_CHUNK_BYTES = 1 << 20
# The longest mark looked for; as much is kept back when a chunk holds none.
_MARK_BYTES = 16
_MAXIMUM_HEADER_BYTES = 1 << 20

_FILE_NAME = re.compile(r"([a-z][a-z0-9_]*?)wiki(?=-|\.|$)")
_NOT_LANGUAGES = frozenset(
    "commons foundation incubator media mediawiki meta outreach sources species strategy test"
    " test2 wikidata wikimania".split()
)
# Codes of wikis whose host is not their code with hyphens.
_HOSTS = {"be_x_old": "be-tarask", "zh_classical": "zh-classical"}
_OUTSIDE = re.compile(rb"<!--|<page(?=[\s>])|<(/?)mediawiki(?=[\s>])")
_SITE = re.compile(rb"<siteinfo>.*?</siteinfo>", re.DOTALL)
_XML_LANGUAGE = re.compile(rb"<mediawiki[^<>]*\sxml:lang=[\"']([\w-]{1,30})[\"']")


@dataclass(slots=True)
class _Site:
    """What a dump says about its wiki."""

    declared: str | None = None
    namespaces: dict[str, int] = field(default_factory=dict)


class _Cut(NamedTuple):
    """A piece of the stream: a page's XML, or what is wrong at `offset`."""

    offset: int
    page: bytes = b""
    reason: str = ""
    detail: str = ""


def wiki_name(file_name: str) -> str | None:
    """Return the wiki of a dump's file name: `enwiki-20220801-pages-articles1.xml.bz2`: enwiki."""
    match = _FILE_NAME.match(file_name.rpartition("/")[2])
    return match[0] if match else None


def wiki_language(file_name: str) -> str | None:
    """Return the language code of a Wikipedia dump's file name, None if it is no Wikipedia's.

    `enwiki-latest-...`: en; `zh_min_nanwiki`: zh_min_nan; `simplewiki`: simple.
    """
    match = _FILE_NAME.match(file_name.rpartition("/")[2])
    return match[1] if match and match[1] not in _NOT_LANGUAGES else None


def read_mediawiki(stream: BinaryIO, *, wiki: str, maximum_page_bytes: int) -> Records:
    """Yield one record per page.

    Args:
        stream: decompressed XML, from `open_dump` or `open_multistream_slice`.
        wiki: name of the wiki as in the file name (`enwiki`); gives the ids and the language,
            whatever the dump says. A dump that says otherwise is noted as `declared_wiki`.
        maximum_page_bytes: a page element longer than this is skipped without being held.

    Yields:
        Documents with wikitext as `text` and title, url, timestamp, language, revision_id,
        namespace and redirect as metadata; `BadRecord`s with `malformed_xml`, `page_too_large`,
        `no_text`, `truncated_xml`, `not_mediawiki` or the reason of the compressed stream.
    """
    site = _Site()
    pages = 0
    for cut in _cut_pages(stream, maximum_page_bytes, site):
        if cut.reason:
            yield BadRecord(f"{wiki}/offset {cut.offset}", "", cut.reason, cut.detail)
            continue
        pages += 1
        yield _read_page(cut, wiki, site)


def _cut_pages(stream: BinaryIO, maximum: int, site: _Site) -> Iterator[_Cut]:
    """Cut the stream into pages; fill `site` from what precedes the first one."""
    scanner = _Scanner(stream)
    inside_root = False
    pages = 0
    header = bytearray()
    while True:
        mark = scanner.find(_OUTSIDE, None if pages else header)
        if mark is None:
            break
        if mark[0] == b"<!--":
            if not scanner.skip_to(b"-->"):
                break
        elif mark[0] == b"<page":
            if not pages:
                _read_site(bytes(header[:_MAXIMUM_HEADER_BYTES]), site)
            pages += 1
            start = scanner.offset
            page = scanner.take_to(b"</page>", maximum)
            if page is None:
                break
            if len(page) > maximum:
                yield _Cut(start, reason="page_too_large", detail=f"over {maximum} bytes")
            else:
                yield _Cut(start, page)
        else:
            inside_root = not mark[1]
    ...


