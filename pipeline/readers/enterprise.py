"""Read Wikimedia Enterprise's HTML dumps: a gzipped tar of NDJSON, one page a line.

Format: https://dumps.wikimedia.org/other/enterprise_html/ and
https://enterprise.wikimedia.com/docs/data-dictionary/. The archive is read as a stream, line by
line; a line that is no page, or too long, costs that line alone.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

import orjson

from filters.document import Document
from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.mediawiki import wiki_language, wiki_name
from pipeline.readers.records import BadRecord, LostInput, Record, Records


def read_enterprise(stream: BinaryIO, *, relative: str, maximum_record_bytes: int) -> Records:
    """Yield one record per page, with its HTML as `raw`.

    Args:
        stream: bytes of the archive.
        relative: path of the file; its name gives the wiki.
        maximum_record_bytes: a longer line is skipped without being held.

    Yields:
        Documents with title, url, timestamp, language, licence, revision_id, namespace, redirect
        and wikidata_id as metadata; `BadRecord`s with `malformed_json`, `malformed_record`,
        `page_too_large`, `no_text`, `malformed_tar` or the reason of an `UnreadableDumpError`.
    """
    wiki = wiki_name(relative) or relative
    try:
        with tarfile.open(fileobj=open_dump(stream, relative, is_text=False), mode="r|") as archive:
            for member in archive:
                lines = archive.extractfile(member) if member.isfile() else None
                if lines is not None:
                    yield from _read_lines(lines, wiki, member.name, maximum_record_bytes)
    except tarfile.TarError as problem:
        yield BadRecord(f"{relative}#rest", "", "malformed_tar", str(problem), LostInput())
    except UnreadableDumpError as problem:
        yield problem.row(f"{relative}#rest")


def _read_lines(lines: IO[bytes], wiki: str, name: str, maximum: int) -> Iterator[Record]:
    number = 0
    while line := lines.readline(maximum + 1):
        where = f"{wiki}@{name[-100:]}:{number}"
        number += 1
        if len(line) > maximum:
            while line and not line.endswith(b"\n"):
                line = lines.readline(maximum + 1)
            yield BadRecord(where, "", "page_too_large", f"over {maximum} bytes")
        elif line.strip():
            yield _read_page(line, wiki, where)


def _read_page(line: bytes, wiki: str, where: str) -> Record:
    try:
        page = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        return BadRecord(where, "", "malformed_json", str(problem))
    identifier, title = _at(page, "identifier"), _at(page, "name")
    if not isinstance(identifier, int) or not isinstance(title, str):
        return BadRecord(where, "", "malformed_record", "a page without identifier or name")
    url = _at(page, "url")
    url = url if isinstance(url, str) else ""
    content = _at(page, "article_body", "html")
    if not isinstance(content, str) or not content:
        return BadRecord(f"{wiki}/{identifier}", url, "no_text", "no HTML")
    revision = _at(page, "version", "identifier")
    namespace = _at(page, "namespace", "identifier")
    metadata: dict[str, Any] = {
        "title": title,
        "url": url,
        "timestamp": _text(_at(page, "date_modified")),
        "language": wiki_language(wiki),
        "licence": _text(_at(page, "license", 0, "identifier")),
        "revision_id": str(revision) if isinstance(revision, int) else None,
        "namespace": namespace if isinstance(namespace, int) else 0,
        "redirect": False,
        "wikidata_id": _text(_at(page, "main_entity", "identifier")),
    }
    return Document(
        f"{wiki}/{identifier}", "wikipedia", "", metadata, raw=content.encode("utf-8", "replace")
    )


def _at(value: Any, *path: str | int) -> Any:
    """What stands at a path of keys and positions, None where one of them is missing."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
