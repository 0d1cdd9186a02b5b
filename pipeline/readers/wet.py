"""WET files (plain text that Common Crawl took from pages) to documents, as CCNet reads them.

Follows CCNet (Wenzek et al. 2020), `process_wet_file.py`: only `conversion` records; every line
stripped; the first line is the title and no part of the text; the rest joined by newlines; two
closing blank lines cut. Unlike CCNet's reader, headers are found by name, so the files since 2020,
with a language header more, are read right.
"""

from __future__ import annotations

from typing import BinaryIO

from filters.document import Document
from pipeline.readers.records import BadRecord, Record, Records, SkippedRecord
from pipeline.readers.warc import bad_record, date_metadata, record_id, target_url
from pipeline.readers.warc_records import DamagedRecord, RawRecord, read_raw_records


def read_wet(stream: BinaryIO, *, title_in_text: bool, maximum_record_bytes: int) -> Records:
    """One document per conversion record, and all other records; never raises for bad input.

    Args:
        stream: the file's own bytes, gzip or not, not decompressed by whoever opened it; seekable.
        title_in_text: the first line stays in the text (as C4 has it); else it is metadata only.
        maximum_record_bytes: longest record that is kept.
    """
    for record in read_raw_records(stream, maximum_record_bytes=maximum_record_bytes):
        if isinstance(record, DamagedRecord):
            yield bad_record(record)
        else:
            yield _read_record(record, title_in_text)


def _read_record(record: RawRecord, title_in_text: bool) -> Record:
    kind = record.headers.get("warc-type", "").lower()
    if kind in ("warcinfo", "metadata", "request"):
        return SkippedRecord(kind)
    identifier, url = record_id(record), target_url(record.headers)
    if kind != "conversion":
        known = kind in ("response", "resource", "revisit", "continuation")
        return BadRecord(identifier, url, kind if known else "unknown_record_type")
    title, lines = split_lines(record.block)
    languages = record.headers.get("warc-identified-content-language", "")
    return Document(
        id=identifier,
        source="commoncrawl",
        text="\n".join([title, *lines] if title_in_text else lines),
        metadata={
            "url": url,
            "title": title,
            **date_metadata(record.headers),
            "digest": record.headers.get("warc-block-digest", ""),
            "content_length": len(record.block),
            "line_count": len(lines),
            **({"declared_languages": languages} if languages else {}),
        },
    )


def split_lines(block: bytes) -> tuple[str, list[str]]:
    """Title and stripped lines of a record's block, as CCNet has them.

    CCNet reads the file as text, so the two line breaks that close a record are lines of it: they
    are cut where both make a blank line, and leave one where the block's last line is not ended.
    """
    text = block.decode("utf-8", "replace") + "\n\n"
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = list(map(str.strip, text.split("\n")[:-1]))
    body = lines[1:] if lines[-1] or lines[-2] else lines[1:-2]
    return lines[0], body
