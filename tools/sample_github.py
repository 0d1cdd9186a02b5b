"""The sample of GitHub: BigQuery's three tables as JSON lines, gzip, with git's own blob ids."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from sample_sources import Entry, read_entries


def build_github(source: Path, output: Path) -> None:
    """Write contents-*, files-* and licenses-* below `output`."""
    output.mkdir(parents=True, exist_ok=True)
    entries = {entry.name: entry for entry in read_entries(source, "*.txt")}
    contents: dict[str, dict[str, object]] = {}
    files, licences = [], []
    for name, entry in entries.items():
        repository, _, path = name.partition(":")
        row = _content(entries.get(entry.get("same_as"), entry))
        link = entry.get("link")
        files.append(
            {
                "repo_name": repository,
                "ref": "refs/heads/main",
                "path": path,
                "mode": "40960" if link else "33188",
                "id": row["id"],
                **({"symlink_target": link} if link else {}),
            }
        )
        if not link:
            contents[str(row["id"])] = row
        for licence in entry.get("licence").split():
            licences.append({"repo_name": repository, "license": licence})
    _write(output / "files-000000000000.json.gz", files)
    _write(output / "licenses-000000000000.json.gz", licences)
    rows = [contents[blob] for blob in sorted(contents)]
    for part in range(2):
        _write(output / f"contents-{part:012}.json.gz", rows[part::2])


def _content(entry: Entry) -> dict[str, object]:
    """A row of contents; of a binary or large file BigQuery has no content."""
    data = entry.body.encode() + (b"\n" if entry.body else b"")
    size = entry.get("binary") or entry.get("large")
    hashed = data or entry.get("link").encode() or size.encode()
    blob = hashlib.sha1(b"blob %d\0" % len(hashed) + hashed).hexdigest()
    row = {"id": blob, "size": size or str(len(data)), "binary": bool(entry.get("binary"))}
    return row if size else {**row, "content": data.decode(), "copies": "1"}


def _write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    lines = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
    path.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
