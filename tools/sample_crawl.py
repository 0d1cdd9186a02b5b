"""Build the sample crawl: WARC and WET files as Common Crawl makes them, one gzip member a record.

Sources are `samples/source/commoncrawl/*.pages` and `sites.txt`. Fields of a page:

    url, title, lang     as they say; the site is the URL's host
    file                 which of the files holds it (0, 1: WARC; 2: WET); else by hash of its name
    charset, declared    encoding of the bytes; what header and <meta> claim ("none": nothing)
    status, mime         of the HTTP response; served-as: the type it claims instead
    raw                  `yes`: the body is the payload as it stands, without a site around it
    copy-of, replace     the page is another page's body, with `old => new` replaced
    noise                machine-made: `salad`, `hex` or `keywords`, with a number of words
    record               `revisit`, `truncated`, `resource`: other record shapes
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
import uuid
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from sample_html import render, visible_text
from sample_sources import Entry, read_entries

SNAPSHOT = "CC-MAIN-2024-10"
FILES = ("00000.warc.gz", "00001.warc.gz", "00002.warc.wet.gz")
WET = 2
DATE = "2024-02-2{day}T{hour:02d}:{minute:02d}:{second:02d}Z"
NAMESPACE = uuid.UUID("5f3c1c2e-0f53-5d0a-9d51-6e0b6a1c7a10")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
STOCKS = {
    "keywords": "cheap best buy online discount free shipping top rated outlet sale 2024 near me",
    "salad": """of the lantern gravel upon quickly seven whose marble under not orange because tram
    eleven folded into were hinge dust although pepper a an is ladder tide behind copper which
    sleeve ran softly glass moon with before ticket bent between fern none""",
}
IDENTIFIED = {"en": "eng", "de": "deu", "fr": "fra", "es": "spa", "ru": "rus", "ja": "jpn"}


def read_pages(source: Path) -> list[Entry]:
    """The pages of the crawl, copies resolved, in order of source files."""
    pages = read_entries(source, "*.pages")
    by_name = {page.name: page for page in pages}
    return [_resolve(page, by_name) for page in pages]


def _resolve(page: Entry, by_name: dict[str, Entry]) -> Entry:
    """A page with the body it copies or the noise it is made of."""
    body, fields = page.body, dict(page.fields)
    if original := page.get("copy-of"):
        body = by_name[original].body
        fields = {**by_name[original].fields, **fields}
        for change in page.get("replace").split(";;"):
            old, arrow, new = change.partition(" => ")
            if arrow and old.strip() not in body:
                raise ValueError(f"{page.origin}: {page.name}: no {old!r} in {original}")
            body = body.replace(old.strip(), new.strip()) if arrow else body
    if noise := page.get("noise"):
        kind, count = noise.split()
        body = "\n\n".join(filter(None, (body, _noise(kind, int(count), page.name))))
    return replace(page, body=body, fields=fields)


def _noise(kind: str, count: int, seed: str) -> str:
    """Text that no person wrote, the same for the same name."""
    draw = random.Random(seed)
    if kind == "hex":
        words = [f"{draw.getrandbits(48):012x}" for _ in range(count)]
    elif kind in STOCKS:
        stock = STOCKS[kind].split()
        words = [draw.choice(stock) for _ in range(count)]
    else:
        raise ValueError(f"unknown noise {kind!r}")
    return "\n\n".join(" ".join(words[start : start + 60]) for start in range(0, count, 60))


def build_crawl(source: Path, output: Path) -> None:
    """Write the WARC and WET files."""
    sites = {site.name: site for site in read_entries(source, "sites.txt")}
    pages = read_pages(source)
    for number, suffix in enumerate(FILES):
        name = f"{SNAPSHOT}-sample-{suffix}"
        records = [_warcinfo(name)]
        for page in pages:
            if _file_of(page) == number:
                site = sites[urlsplit(page.need("url")).netloc]
                records += _conversion(page, site) if number == WET else _exchange(page, site)
        data = b"".join(gzip.compress(record, compresslevel=9, mtime=0) for record in records)
        (output / name).write_bytes(data)


def _file_of(page: Entry) -> int:
    """The index in FILES of the file that holds the page."""
    return int(page.get("file") or zlib.crc32(page.name.encode()) % len(FILES))


def _exchange(page: Entry, site: Entry) -> list[bytes]:
    """Request, response (or revisit) and metadata record of one fetched page."""
    url = page.need("url")
    payload, content_type = _payload(page, site)
    if page.get("record") == "resource":
        return [_record("resource", page, content_type, payload, {"WARC-Target-URI": url})]
    parts = urlsplit(url)
    request = (
        f"GET {parts.path or '/'} HTTP/1.1\r\nUser-Agent: CCBot/2.0 (sample)\r\n"
        f"Accept: text/html,*/*;q=0.8\r\nHost: {parts.netloc}\r\nConnection: Keep-Alive\r\n\r\n"
    ).encode()
    status = page.get("status", "200 OK")
    revisit = page.get("record") == "revisit"
    header = (
        f"HTTP/1.1 {status}\r\nDate: Wed, 21 Feb 2024 10:00:00 GMT\r\nServer: nginx\r\n"
        f"Content-Type: {content_type}\r\n"
        + ("" if revisit else f"Content-Length: {len(payload)}\r\n")
        + "\r\n"
    ).encode()
    common = {"WARC-Target-URI": url, "WARC-IP-Address": "192.0.2.17"}
    extra = {"WARC-Payload-Digest": _digest(payload)}
    if revisit:
        extra["WARC-Profile"] = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
        block = header
    elif page.get("record") == "truncated":
        extra["WARC-Truncated"] = "length"
        block = header + payload[: len(payload) * 2 // 3]
    else:
        extra["WARC-Identified-Payload-Type"] = content_type.split(";")[0]
        block = header + payload
    kind = "revisit" if revisit else "response"
    told = {
        "WARC-Target-URI": url,
        "WARC-Concurrent-To": f"<urn:uuid:{_record_id(page, kind)}>",
    }
    http = "application/http; msgtype="
    return [
        _record("request", page, http + "request", request, common),
        _record(kind, page, http + "response", block, {**common, **extra}),
        _record("metadata", page, "application/warc-fields", b"fetchTimeMs: 120\r\n", told),
    ]


def _payload(page: Entry, site: Entry) -> tuple[bytes, str]:
    """The body of the response and its Content-Type."""
    mime = page.get("mime", "text/html")
    served_as = page.get("served-as", mime)
    if mime == "image/png":
        return PIXEL, served_as
    if mime == "application/pdf":
        stream = f"BT /F1 12 Tf 72 720 Td ({page.body[:400]}) Tj ET".encode("latin-1", "replace")
        return b"%PDF-1.4\n1 0 obj\n<<>>\nstream\n" + stream + b"\nendstream\nendobj\n%%EOF\n", mime
    if mime == "text/plain" or page.get("raw"):
        return page.body.encode(), f"{mime}; charset=utf-8"
    charset = page.get("charset", "utf-8")
    declared = page.get("declared", charset)
    claim = "" if declared == "none" else declared
    html = render(page, site, page.get("meta", claim))
    return html.encode(charset), mime + (f"; charset={claim}" if claim else "")


def _conversion(page: Entry, site: Entry) -> list[bytes]:
    """The WET record of one page."""
    text = visible_text(render(page, site, "utf-8")).encode()
    headers = {
        "WARC-Target-URI": page.need("url"),
        "WARC-Refers-To": f"<urn:uuid:{_record_id(page, 'response')}>",
        "WARC-Identified-Content-Language": IDENTIFIED[page.get("lang", "en")],
        "WARC-Payload-Digest": _digest(text),
    }
    return [_record("conversion", page, "text/plain", text, headers)]


def _warcinfo(name: str) -> bytes:
    """The record that opens every file."""
    block = (
        f"isPartOf: {SNAPSHOT}\r\npublisher: the Roving project (written for it, not crawled)\r\n"
        "description: sample pages\r\nformat: WARC File Format 1.0\r\n"
    ).encode()
    entry = Entry(name, {}, "", "")
    extra = {"WARC-Filename": name}
    return _record("warcinfo", entry, "application/warc-fields", block, extra)


def _record(
    kind: str, page: Entry, content_type: str, block: bytes, extra: dict[str, str]
) -> bytes:
    """One WARC/1.0 record, uncompressed."""
    spread = zlib.crc32(page.name.encode())
    headers = {
        "WARC-Type": kind,
        "WARC-Date": DATE.format(
            day=spread % 9, hour=spread // 9 % 24, minute=spread // 216 % 60,
            second=spread // 12960 % 60,
        ),
        "WARC-Record-ID": f"<urn:uuid:{_record_id(page, kind)}>",
        "Content-Length": str(len(block)),
        "Content-Type": content_type,
        **extra,
        "WARC-Block-Digest": _digest(block),
    }  # fmt: skip
    head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


def _record_id(page: Entry, kind: str) -> str:
    """A record's UUID: the same for the same page and kind."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{page.name}"))


def _digest(data: bytes) -> str:
    """SHA-1 in base 32, as WARC files write it."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
