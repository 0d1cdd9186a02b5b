"""Read the pages of a MediaWiki XML export (schema 0.3 to 0.11), one record per page.

The stream is cut at `<page>` and `</page>` and each page is parsed on its own: nothing before or
around a page can hurt it, memory is bounded by one page whatever the file's size, a page that is
malformed or too large costs that page alone, and a slice of a dump (pages without root element) is
read like a whole file. No entity, DTD or network access: a page can declare none.

Format: https://www.mediawiki.org/wiki/Help:Export. A page may stand in a file twice (dumps are
made while pages change); both are kept, since Wikipedia takes no deduplication in LLaMA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

from lxml import etree

from filters.document import Document
from filters.wikitext.licence import wikipedia_licence
from pipeline.readers.dump_file import UnreadableDumpError
from pipeline.readers.records import BadRecord, LostInput, Record, Records

_CHUNK_BYTES = 1 << 20
_MAXIMUM_HEADER_BYTES = 1 << 20
# Of a dump that is cut off nothing is unread; the rest is not in the file.
_NOT_THERE = LostInput(bytes_lost=0)
# The longest piece of a mark that may stand at the end of a chunk.
_MARK_BYTES = 16

_FILE_NAME = re.compile(r"([a-z][a-z0-9_]*?)wiki(?=[-.]|$)")
_NOT_LANGUAGES = frozenset(
    (
        *("commons", "foundation", "incubator", "media", "mediawiki", "meta", "outreach"),
        *("sources", "species", "strategy", "test", "test2", "wikidata", "wikimania"),
    )
)
_HOSTS = {"be_x_old": "be-tarask"}
_OUTSIDE = re.compile(rb"<!--|<page[\s>]|</?mediawiki[\s>]")
_XML_LANGUAGE = re.compile(rb"<mediawiki[^<>]*\sxml:lang=[\"']([\w-]{1,30})[\"']")


@dataclass(slots=True)
class _Site:
    """What a dump says about its wiki."""

    declared: str | None = None
    namespaces: dict[str, int] = field(default_factory=dict)


class _Piece(NamedTuple):
    """A page's XML at an offset of the stream, or the reason why there is none."""

    offset: int
    page: bytes = b""
    reason: str = ""
    detail: str = ""
    lost: LostInput | None = None


def wiki_name(file_name: str) -> str | None:
    """Return the wiki in a dump's file name: `enwiki-20220801-pages-articles1.xml.bz2`: enwiki."""
    match = _FILE_NAME.match(file_name.rpartition("/")[2])
    return match[0] if match else None


def wiki_language(file_name: str) -> str | None:
    """Return the language code in a Wikipedia dump's file name, None if it is no Wikipedia's.

    `enwiki-latest-...`: en; `zh_min_nanwiki`: zh_min_nan; `simplewiki`: simple.
    """
    match = _FILE_NAME.match(file_name.rpartition("/")[2])
    return match[1] if match and match[1] not in _NOT_LANGUAGES else None


def read_mediawiki(
    stream: BinaryIO, *, wiki: str, maximum_page_bytes: int, slice_start: int | None = None
) -> Records:
    """Yield one record per page.

    Args:
        stream: decompressed XML, from `open_dump` or `open_slice`.
        wiki: name of the wiki as in the file name (`enwiki`); gives ids, language and addresses,
            whatever the dump says. A dump that says otherwise is noted as `declared_wiki`.
        maximum_page_bytes: a page element longer than this is skipped without being held.
        slice_start: where in its file the slice starts that the stream is; None for a whole dump,
            which has a page and closes its root element.

    Yields:
        Documents with wikitext as `text` and title, url, timestamp, language, licence,
        revision_id, namespace, redirect and, where it is not wikitext, model as metadata;
        `BadRecord`s with `malformed_xml`, `page_too_large`, `no_text`, `truncated_xml`,
        `not_mediawiki` or the reason of an `UnreadableDumpError`.
    """
    site = _Site()
    language = wiki_language(wiki)
    start = "" if slice_start is None else f"{slice_start}+"
    for piece in _cut_pages(stream, maximum_page_bytes, site, slice_start is not None):
        where = f"{wiki}@{start}{piece.offset}"
        if piece.reason:
            yield BadRecord(where, "", piece.reason, piece.detail, piece.lost)
        else:
            yield _read_page(piece, where, wiki, language, site)


def _cut_pages(stream: BinaryIO, maximum: int, site: _Site, is_slice: bool) -> Iterator[_Piece]:
    """Cut the stream into pages; fill `site` from what stands before the first."""
    window = _Window(stream)
    header = bytearray()
    seen_page = root_open = seen_root = False
    while (mark := window.next_mark(header if not seen_page else None)) is not None:
        if mark.startswith(b"<!--"):
            if not window.skip_past(b"-->"):
                break
        elif mark.startswith(b"<page"):
            if not seen_page:
                _read_site(bytes(header), site)
                seen_page = True
            start = window.offset
            page = window.take_past(b"</page>", maximum)
            if page is None:
                if window.problem is None:
                    detail = "ends inside a page"
                    yield _Piece(start, reason="truncated_xml", detail=detail, lost=_NOT_THERE)
                    return
                break
            yield from _page_pieces(start, page, maximum)
        else:
            seen_root = True
            root_open = not mark.startswith(b"</")
            window.skip_past(b">")
    if window.problem is not None:
        problem = window.problem
        yield _Piece(window.offset, b"", problem.reason, problem.detail, problem.lost)
    elif is_slice:
        return
    elif not seen_root and not seen_page:
        detail = f"{window.offset} bytes without a page"
        yield _Piece(0, reason="not_mediawiki", detail=detail, lost=LostInput())
    elif root_open:
        detail = "the root element stays open"
        yield _Piece(window.offset, reason="truncated_xml", detail=detail, lost=_NOT_THERE)


def _page_pieces(start: int, page: bytes, maximum: int) -> Iterator[_Piece]:
    if len(page) > maximum:
        yield _Piece(start, reason="page_too_large", detail=f"over {maximum} bytes")
        return
    # Text escapes its brackets, so a second beginning means that an end is missing.
    last = page.rfind(b"<page>")
    if last > 0:
        yield _Piece(start, reason="malformed_xml", detail="another page begins before its end")
    yield _Piece(start + max(last, 0), page[max(last, 0) :])


class _Window:
    """The part of a stream that is being looked at.

    Attributes:
        offset: where the window starts in the stream.
        problem: why the stream ended early, None if it did not.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.offset = 0
        self.problem: UnreadableDumpError | None = None
        self._stream = stream
        self._buffer = bytearray()

    def next_mark(self, header: bytearray | None) -> bytes | None:
        """Move to the next mark outside pages and return it; what is passed goes to `header`."""
        while True:
            match = _OUTSIDE.search(self._buffer)
            mark = match[0] if match else b""
            end = match.start() if match else max(0, len(self._buffer) - _MARK_BYTES)
            if header is not None and len(header) < _MAXIMUM_HEADER_BYTES:
                header += self._buffer[:end]
                if mark.startswith(b"<mediawiki"):
                    header += self._buffer[end : end + 1000]
            self._drop(end)
            if mark:
                return mark
            if not self._fill():
                self._drop(len(self._buffer))
                return None

    def skip_past(self, mark: bytes) -> bool:
        """Move behind the next `mark`; False where the stream ends first."""
        while (found := self._buffer.find(mark)) < 0:
            self._drop(max(0, len(self._buffer) - len(mark)))
            if not self._fill():
                self._drop(len(self._buffer))
                return False
        self._drop(found + len(mark))
        return True

    def take_past(self, mark: bytes, maximum: int) -> bytes | None:
        """Return what comes up to and with `mark` and move behind it; None if it never comes.

        What is longer than `maximum` is passed over, and its first bytes are returned, one more
        than `maximum`.
        """
        searched = 0
        while (found := self._buffer.find(mark, searched)) < 0:
            if len(self._buffer) > maximum + len(mark):
                head = bytes(self._buffer[: maximum + 1])
                return head if self.skip_past(mark) else None
            searched = max(0, len(self._buffer) - len(mark))
            if not self._fill():
                self._drop(len(self._buffer))
                return None
        taken = bytes(self._buffer[: found + len(mark)])
        self._drop(found + len(mark))
        return taken

    def _fill(self) -> bool:
        try:
            chunk = self._stream.read(_CHUNK_BYTES)
        except UnreadableDumpError as problem:
            self.problem = problem
            return False
        self._buffer += chunk
        return bool(chunk)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self.offset += count


def _parse(xml: bytes) -> etree._Element:
    # The input is bounded and declares no entities, so libxml2's own limits are not needed.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    return etree.fromstring(xml, parser)


def _read_site(header: bytes, site: _Site) -> None:
    """Note the wiki's name and its namespaces; a header that says nothing is none of our harm."""
    language = _XML_LANGUAGE.search(header)
    if language:
        site.declared = language[1].decode().replace("-", "_") + "wiki"
    start, end = header.find(b"<siteinfo"), header.find(b"</siteinfo>")
    if start < 0 or end < 0:
        return
    try:
        siteinfo = _parse(header[start : end + len(b"</siteinfo>")])
    except etree.XMLSyntaxError:
        return
    for element in siteinfo.iter("{*}dbname", "{*}namespace"):
        if element.tag.endswith("dbname"):
            site.declared = element.text or site.declared
        elif element.text and re.fullmatch(r"-?\d{1,9}", element.get("key", "")):
            site.namespaces[element.text.casefold()] = int(element.get("key", "0"))


def _read_page(piece: _Piece, where: str, wiki: str, language: str | None, site: _Site) -> Record:
    try:
        page = _parse(piece.page)
    except etree.XMLSyntaxError as problem:
        return BadRecord(where, "", "malformed_xml", str(problem))
    page_id, title = page.findtext("{*}id"), page.findtext("{*}title")
    if not page_id or not title or not page_id.isdigit():
        return BadRecord(where, "", "malformed_xml", "a page without title or id")
    # A history dump gives a page's revisions from the oldest to the newest.
    revisions = page.findall("{*}revision")
    text = revisions[-1].find("{*}text") if revisions else None
    host = _HOSTS.get(language or "", (language or "www").replace("_", "-"))
    url = f"https://{host}.wikipedia.org/wiki/" + quote(title.replace(" ", "_"), safe="/:@!$*(),;~")
    if text is None:
        return BadRecord(f"{wiki}/{page_id}", url, "no_text", "no revision with text")
    metadata: dict[str, Any] = {
        "title": title,
        "url": url,
        "timestamp": revisions[-1].findtext("{*}timestamp"),
        "language": language,
        "revision_id": revisions[-1].findtext("{*}id"),
        "namespace": _namespace(page.findtext("{*}ns"), title, site),
        "redirect": page.find("{*}redirect") is not None,
        "licence": wikipedia_licence(revisions[-1].findtext("{*}timestamp")),
    }
    model = revisions[-1].findtext("{*}model")
    if model and model != "wikitext":
        metadata["model"] = model
    if site.declared and site.declared != wiki:
        metadata["declared_wiki"] = site.declared
    return Document(f"{wiki}/{page_id}", "wikipedia", text.text or "", metadata)


def _namespace(declared: str | None, title: str, site: _Site) -> int:
    """A page's namespace; before schema 0.6 only the title's prefix tells it."""
    if declared and re.fullmatch(r"-?\d{1,9}", declared):
        return int(declared)
    prefix, colon, _ = title.partition(":")
    return site.namespaces.get(prefix.replace("_", " ").casefold(), 0) if colon else 0
