"""BigQuery's tables, small and invented, in every form they are exported in."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fastavro
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources.github.blobs import blob_id

SCHEMAS = {
    "contents": {
        "id": "string",
        "size": "long",
        "content": "string",
        "binary": "boolean",
        "copies": "long",
    },
    "files": {
        "repo_name": "string",
        "ref": "string",
        "path": "string",
        "mode": "long",
        "id": "string",
        "symlink_target": "string",
    },
    "licenses": {"repo_name": "string", "license": "string"},
}
_ARROW = {"string": pa.string(), "long": pa.int64(), "boolean": pa.bool_()}
CODE = "def heron(pond):\n    return sorted(pond.fish)\n"
MIT = """\
MIT License

Copyright (c) 2020 Ada Wren

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
ISC = """\
ISC License

Copyright (c) 2020, Bo Finch

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM
LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR
OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR
PERFORMANCE OF THIS SOFTWARE.
"""

Rows = Sequence[Mapping[str, Any]]


def file_row(repository: str, path: str, content: str, mode: int = 33188) -> dict[str, Any]:
    return {
        "repo_name": repository,
        "ref": "refs/heads/main",
        "path": path,
        "mode": mode,
        "id": blob_id(content.encode()),
        "symlink_target": None,
    }


def content_row(text: str, **changed: Any) -> dict[str, Any]:
    data = text.encode()
    row = {"id": blob_id(data), "size": len(data), "content": text, "binary": False, "copies": 1}
    return {**row, **changed}


def tables() -> dict[str, list[dict[str, Any]]]:
    """Each case once: the paths say which."""
    shared, own = CODE + "# shared\n", ISC
    files = [
        file_row("ada/kept", "kept.py", CODE),
        file_row("ada/kept", "LICENSE", MIT),
        file_row("ada/kept", "link", "target", 0o120000),
        file_row("ada/kept", "module", "commit", 0o160000),
        file_row("ada/kept", "lost.py", "not exported"),
        file_row("ada/kept", "big.py", "big"),
        file_row("ada/kept", "picture.py", "picture"),
        # The same content at several places: the smallest wanted path under a kept licence.
        file_row("zoe/gpl", "a.py", shared),
        file_row("ada/kept", "a.txt", shared),
        file_row("bo/kept", "b.py", shared),
        file_row("bo/kept", "a.py", shared),
        file_row("zoe/gpl", "own.py", CODE + "# gpl\n"),
        file_row("zoe/none", "none.py", CODE + "# none\n"),
        file_row("zoe/two", "two.py", CODE + "# two\n"),
        file_row("bo/kept", "inner/LICENSE", own),
        file_row("bo/kept", "inner/deep/x.py", CODE + "# inner\n"),
        file_row("bo/kept", "LICENSE", MIT + "\n"),
        file_row("bo/kept", "same/LICENSE", MIT + "\n"),
        file_row("bo/kept", "same/y.py", CODE + "# same\n"),
    ]
    contents = [
        content_row(text)
        for text in (
            *(CODE, MIT, shared, own, MIT + "\n"),
            *(CODE + f"# {name}\n" for name in ("gpl", "none", "two", "inner", "same")),
            "in no repository",
        )
    ]
    contents.append(content_row("big", content=None, size=2_000_000))
    contents.append(content_row("picture", content=None, binary=True))
    licences = [
        {"repo_name": "ada/kept", "license": "mit"},
        {"repo_name": "bo/kept", "license": "apache-2.0"},
        {"repo_name": "zoe/gpl", "license": "gpl-3.0"},
        {"repo_name": "zoe/two", "license": "mit"},
        {"repo_name": "zoe/two", "license": "gpl-2.0"},
    ]
    return {"files": files, "contents": contents, "licenses": licences}


def write_parquet(path: Path, kind: str, rows: Rows, row_group_size: int = 5) -> None:
    schema = pa.schema([(name, _ARROW[of]) for name, of in SCHEMAS[kind].items()])
    table = pa.Table.from_pylist([dict(row) for row in rows], schema)
    pq.write_table(table, path, row_group_size=row_group_size)


def avro_bytes(kind: str, rows: Rows, codec: str = "deflate") -> bytes:
    fields = [{"name": name, "type": ["null", of]} for name, of in SCHEMAS[kind].items()]
    schema = {"type": "record", "name": "Root", "fields": fields}
    buffer = io.BytesIO()
    fastavro.writer(buffer, fastavro.parse_schema(schema), rows, codec, sync_interval=300)
    return buffer.getvalue()


def json_lines(rows: Rows) -> bytes:
    """As BigQuery writes them: whole numbers as strings, no nulls."""
    lines = []
    for row in rows:
        plain = {
            name: str(value) if type(value) is int else value
            for name, value in row.items()
            if value is not None
        }
        lines.append(orjson.dumps(plain) + b"\n")
    return b"".join(lines)


def write_tables(folder: Path, form: str, parts: int = 2) -> Path:
    """The three tables in `parts` files each, as `parquet`, `avro` or `jsonl.gz`."""
    folder.mkdir(parents=True)
    for kind, rows in tables().items():
        for part in range(parts):
            chosen = rows[part * len(rows) // parts : (part + 1) * len(rows) // parts]
            path = folder / f"{kind}-{part:012}.{form}"
            if form == "parquet":
                write_parquet(path, kind, chosen)
            elif form == "avro":
                path.write_bytes(avro_bytes(kind, chosen))
            else:
                path.write_bytes(gzip.compress(json_lines(chosen), mtime=0))
    return folder


def write_tar(path: Path, members: Mapping[str, str], mode: str = "w:gz") -> None:
    """A tar of text files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            data = text.encode()
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
