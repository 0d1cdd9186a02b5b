"""Build the C4 samples: a WET whose pages meet each heuristic, and a shard as C4 is published.

Sources are `samples/source/c4`. Fields of a page in `made.pages`:

    url, date, title     as they say; empty: the record has none
    expect               what becomes of the page: `kept`, or stage and reason
    word                 the page is one word of so many letters
    repeat               the body so many times
"""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path

from sample_sources import Entry, read_entries

MADE = "CC-MAIN-2024-10-made-00000.warc.wet.gz"
PUBLISHED = "published/c4-train.00000-of-00001.json.gz"
NAMESPACE = uuid.UUID("b9a4f0c6-2f0e-5c1b-9b0e-6a6cb3f6c1d4")


def build_c4(source: Path, output: Path) -> None:
    """Write both files."""
    records = [_record(page) for page in read_entries(source, "*.pages")]
    members = [gzip.compress(record, compresslevel=9, mtime=0) for record in records]
    (output / MADE).write_bytes(b"".join(members))
    (output / PUBLISHED).parent.mkdir(exist_ok=True)
    lines = (source / "published.jsonl").read_bytes()
    (output / PUBLISHED).write_bytes(gzip.compress(lines, compresslevel=9, mtime=0))


def _record(page: Entry) -> bytes:
    """The conversion record of a page."""
    lines = [page.get("title"), page.body]
    if page.get("word"):
        lines = ["x" * int(page.need("word"))]
    if page.get("repeat"):
        lines += [page.body] * int(page.need("repeat"))
    block = "\n".join(lines).encode()
    headers = {
        "WARC-Type": "conversion",
        "WARC-Target-URI": page.need("url"),
        "WARC-Date": page.need("date"),
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(NAMESPACE, page.name)}>",
        "Content-Type": "text/plain",
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{key}: {value}\r\n" for key, value in headers.items() if value)
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"
