"""EPUB: the markup of a book in the order of reading, and what its package says of it.

The container names the package file, whose spine lists the files (EPUB 3.3, sections 4 to 6).
Nothing is extracted; a book without a readable package is a bad record.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import Any
from urllib.parse import unquote

from lxml import etree

from filters.books.html_edition import DIVIDER
from filters.document import Document
from pipeline.readers.records import BadRecord, Record

_CONTAINER = "META-INF/container.xml"
_MARKUP = frozenset({"application/xhtml+xml", "text/html"})
_FIELDS = {"title": "title", "creator": "author", "language": "language", "rights": "licence"}
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError),
    *(NotImplementedError, RuntimeError, etree.XMLSyntaxError),
)


def read_epub(path: str, content: bytes, source: str, maximum_bytes: int) -> Record:
    """The document of an EPUB file, its `raw` the files of its spine; never raises for bad input.

    Reasons: `malformed_epub`, `encrypted`, `member_too_large`.

    Args:
        path: the document's id and its metadata `path`.
        content: of the file.
        source: of the document.
        maximum_bytes: of markup in all.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(info.flag_bits & 1 for info in archive.infolist()):
                return BadRecord(path, "", "encrypted", "a password is needed")
            package_name = _package_name(archive, maximum_bytes)
            package = _xml(_member(archive, package_name, maximum_bytes))
            parts, left = [], maximum_bytes
            for name in _spine(package, posixpath.dirname(package_name)):
                parts.append(_member(archive, name, left).replace(DIVIDER, b""))
                left -= len(parts[-1])
    except _TooLargeError as problem:
        return BadRecord(path, "", "member_too_large", str(problem))
    except _DAMAGED as problem:
        return BadRecord(path, "", "malformed_epub", f"{type(problem).__name__}: {problem}"[:200])
    if not parts:
        return BadRecord(path, "", "malformed_epub", "no markup in the spine")
    metadata = {"path": path, "form": "epub", **_metadata(package)}
    return Document(path, source, metadata=metadata, raw=DIVIDER.join(parts))


class _TooLargeError(Exception):
    """More markup than allowed."""


def _package_name(archive: zipfile.ZipFile, limit: int) -> str:
    container = _xml(_member(archive, _CONTAINER, limit))
    for element in container.iter("{*}rootfile"):
        return unquote(element.get("full-path", ""))
    raise ValueError("the container names no package")


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise _TooLargeError(f"{name[:200]}: more than {limit} bytes")
    return content


def _xml(content: bytes) -> Any:
    # No entity is resolved: neither files nor bombs.
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(content, parser)


def _spine(package: Any, folder: str) -> list[str]:
    """Names of the files of markup in the order of reading, without the navigation."""
    files = {}
    for item in package.iter("{*}item"):
        is_navigation = "nav" in (item.get("properties") or "").split()
        if item.get("media-type") in _MARKUP and not is_navigation:
            files[item.get("id")] = posixpath.normpath(
                posixpath.join(folder, unquote(item.get("href", "")))
            )
    names = [files.get(item.get("idref")) for item in package.iter("{*}itemref")]
    return list(dict.fromkeys(name for name in names if name))


def _metadata(package: Any) -> dict[str, str]:
    """What the package says: the first of each, and all creators."""
    found: dict[str, list[str]] = {}
    for element in package.iter("{http://purl.org/dc/elements/1.1/}*"):
        name = _FIELDS.get(etree.QName(element).localname)
        text = " ".join("".join(element.itertext()).split())
        if name and text:
            found.setdefault(name, []).append(text)
    metadata = {name: values[0] for name, values in found.items()}
    if "author" in found:
        metadata["author"] = ", ".join(found["author"])
    if "language" in metadata:
        metadata["language"] = metadata["language"].split("-")[0].lower()
    return metadata
