"""WARC files to documents: the HTML responses of a crawl, with every other record accounted for.

Follows ISO 28500 (WARC 1.0, 1.1; 0.18 is read as well). One result per record of the input:
a `Document` for a successful HTML response, a `SkippedRecord` for what carries no page by design
(`request`, `warcinfo`, `metadata`), a `BadRecord` with its reason for everything else.

A record that the crawler cut short (`WARC-Truncated`; Common Crawl cuts at a length) is kept as far
as it goes, with the cause in `metadata["truncated"]`: Common Crawl's own WET files keep it too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import BinaryIO

import xxhash

from filters.document import Document
from pipeline.readers.http import BadResponse, Response, parse_response
from pipeline.readers.records import BadRecord, Record, Records, SkippedRecord
from pipeline.readers.warc_records import DamagedRecord, RawRecord, read_raw_records

SKIPPED_TYPES = ("request", "warcinfo", "metadata")
OTHER_TYPES = ("resource", "revisit", "conversion", "continuation")
# What servers say on the use of a page: kept for whoever decides on it, not acted on here.
ROBOTS_HEADERS = ("x-robots-tag", "tdm-reservation", "content-usage")
HTML_TYPES = ("text/html", "application/xhtml+xml")
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_HTML_START = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)


def read_warc(stream: BinaryIO, *, maximum_record_bytes: int) -> Records:
    """Documents with their HTML in `raw`, undecoded, and all other records; never raises for input.

    Args:
        stream: the file's own bytes, gzip or not, not decompressed by whoever opened it; seekable.
        maximum_record_bytes: longest record, and longest decoded body, that is kept.
    """
    for record in read_raw_records(stream, maximum_record_bytes=maximum_record_bytes):
        if isinstance(record, DamagedRecord):
            yield bad_record(record)
        else:
            yield _read_record(record, maximum_record_bytes)


def record_id(record: RawRecord | DamagedRecord) -> str:
    """The record's own id without <>, else one made of its header and place in the file."""
    declared = record.headers.get("warc-record-id", "").strip("<> ")
    if declared or not record.headers:
        return declared or f"offset {record.location}"
    header = "\n".join(f"{name}:{value}" for name, value in record.headers.items())
    digest = xxhash.xxh3_64_hexdigest(header.encode())
    return f"offset {record.location} {digest}"


def target_url(headers: dict[str, str]) -> str:
    """The page's URL without the <> that WARC 1.0 put around it, else empty."""
    return headers.get("warc-target-uri", "").strip("<> ")


def bad_record(record: DamagedRecord) -> BadRecord:
    """The row of a damaged record in the rejects."""
    url = target_url(record.headers)
    return BadRecord(record_id(record), url, record.reason, record.detail, record.lost)


def parse_date(declared: str) -> str:
    """WARC-Date as ISO 8601 in UTC to the second (`2020-08-08T17:27:41Z`); empty if malformed."""
    match = _DATE.fullmatch(declared.strip())
    if not match:
        return ""
    zone = "+00:00" if match[3] == "Z" else f"{match[3][:3]}:{match[3][-2:]}"
    try:
        date = datetime.fromisoformat(match[1] + zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return f"{date.isoformat()[:19]}Z"


def date_metadata(headers: dict[str, str]) -> dict[str, str]:
    """`timestamp` and, if it is malformed, what was declared as `declared_date`."""
    declared = headers.get("warc-date", "")
    timestamp = parse_date(declared)
    return {"timestamp": timestamp} | ({} if timestamp else {"declared_date": declared})


def _read_record(record: RawRecord, maximum_record_bytes: int) -> Record:
    kind = record.headers.get("warc-type", "").lower()
    if kind in SKIPPED_TYPES:
        return SkippedRecord(kind)
    identifier, url = record_id(record), target_url(record.headers)
    if kind != "response":
        reason = kind if kind in OTHER_TYPES else "unknown_record_type"
        return BadRecord(identifier, url, reason, record.headers.get("content-type", ""))
    return read_response(record, maximum_record_bytes)


def read_response(record: RawRecord, maximum_record_bytes: int) -> Document | BadRecord:
    """The page in an HTTP response, or why there is none."""
    identifier, url = record_id(record), target_url(record.headers)
    try:
        response = parse_response(record.block)
        if not 200 <= response.status < 300:
            return BadRecord(identifier, url, "http_status", str(response.status))
        cut = "warc-truncated" in record.headers
        body = response.body(maximum_bytes=maximum_record_bytes, cut=cut)
    except BadResponse as problem:
        return BadRecord(identifier, url, problem.reason, problem.detail)
    content_type, charset = response.content_type()
    if not _is_html(content_type, body, record.headers):
        return BadRecord(identifier, url, "not_html", content_type or "no content type")
    return Document(
        id=identifier,
        source="commoncrawl",
        metadata=_metadata(record, response, content_type, charset),
        raw=body,
    )


def _is_html(content_type: str, body: bytes, headers: dict[str, str]) -> bool:
    """As the server says; where it says nothing, as the crawler found or the body starts."""
    declared = content_type or headers.get("warc-identified-payload-type", "").lower()
    if declared:
        return declared in HTML_TYPES
    return _HTML_START.search(body, 0, 1024) is not None


def _metadata(
    record: RawRecord, response: Response, content_type: str, charset: str
) -> dict[str, str | int]:
    truncated = record.headers.get("warc-truncated", "")
    robots = ", ".join(filter(None, map(response.headers.get, ROBOTS_HEADERS)))
    return {
        "url": target_url(record.headers),
        **date_metadata(record.headers),
        "content_type": content_type,
        "http_charset": charset,
        "http_status": response.status,
        "digest": record.headers.get("warc-payload-digest", ""),
        **({"truncated": truncated} if truncated else {}),
        **({"robots_header": robots} if robots else {}),
    }
