"""Read the hand-written sample sources: readable text files with several entries each.

An entry starts with a line `%% name`, goes on with `key: value` lines up to the first blank line,
and ends with its body:

    %% rhine-floods
    url: https://journal.riverfield.example/rhine-floods
    title: Floods of the Rhine

    First paragraph of the body...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MARK = "%% "


@dataclass(frozen=True, slots=True)
class Entry:
    """One page, article or site of the sample sources.

    Attributes:
        name: what follows the mark: an article's title, a page's short name, a site's host.
        fields: its `key: value` lines.
        body: what follows the first blank line, without surrounding blank lines.
        origin: the source file, for error messages.
    """

    name: str
    fields: dict[str, str]
    body: str
    origin: str

    def get(self, key: str, default: str = "") -> str:
        """The field `key`, or the default."""
        return self.fields.get(key, default)

    def need(self, key: str) -> str:
        """The field `key`; raises ValueError naming entry and file when it is missing."""
        if key not in self.fields:
            raise ValueError(f"{self.origin}: entry {self.name!r} has no field {key!r}")
        return self.fields[key]


def read_entries(folder: Path, pattern: str) -> list[Entry]:
    """All entries of the files that match, in order of file name; names must be unique.

    Raises:
        ValueError: a file does not start with an entry, a field has no colon, a name occurs twice.
    """
    entries: list[Entry] = []
    seen: set[tuple[str, str]] = set()
    for path in sorted(folder.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        head, *parts = ("\n" + text).split("\n" + MARK)
        if head.strip():
            raise ValueError(f"{path.name}: text before the first entry")
        for part in parts:
            entry = _entry(part, path.name)
            key = (entry.name, entry.get("ns"))
            if key in seen:
                raise ValueError(f"{path.name}: second entry named {entry.name!r}")
            seen.add(key)
            entries.append(entry)
    return entries


def _entry(part: str, origin: str) -> Entry:
    """Split one entry into name, fields and body."""
    head, _, body = part.rstrip("\n").partition("\n\n")
    name, *lines = head.split("\n")
    fields: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"{origin}: entry {name!r}: no 'key: value' in {line!r}")
        fields[key.strip()] = value.strip()
    return Entry(name.strip(), fields, body.strip("\n"), origin)
