"""Build `Posts.xml` files, as Stack Exchange's dumps have them, from hand-written posts.

An entry is a post: its name is the id, its fields are the row's attributes in lower case, its body
is the post's HTML. A file is a site, named like it.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

from sample_sources import Entry, read_entries

ATTRIBUTES = (
    *("Id", "PostTypeId", "AcceptedAnswerId", "ParentId", "CreationDate", "Score", "Body"),
    *("OwnerUserId", "OwnerDisplayName", "Title", "Tags", "ClosedDate", "ContentLicense"),
)


def build_sites(source: Path, output: Path) -> None:
    """Write `<output>/<site>/Posts.xml` for each `<source>/<site>.posts`."""
    for path in sorted(source.glob("*.posts")):
        rows = "".join(_row(entry) for entry in read_entries(source, path.name))
        target = output / path.stem / "Posts.xml"
        target.parent.mkdir(parents=True, exist_ok=True)
        xml = f'\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<posts>\r\n{rows}</posts>'
        target.write_bytes(xml.encode())


def _row(entry: Entry) -> str:
    values = {**entry.fields, "id": entry.name, "body": entry.body + "\n" if entry.body else ""}
    pairs = [
        f"{name}={_quoted(values[name.lower()])}" for name in ATTRIBUTES if name.lower() in values
    ]
    return f"  <row {' '.join(pairs)} />\r\n"


def _quoted(value: str) -> str:
    return '"' + quoteattr("'" + value, {"\n": "&#xA;", '"': "&quot;"})[2:-1] + '"'
