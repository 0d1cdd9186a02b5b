"""What REUSE's files of annotations say: `REUSE.toml` (3.3) and `.reuse/dep5` (before it)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_FIELD = re.compile(r"^(Files|License):[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_ANYTHING = re.compile(r"[\s\S]*")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A licence for files.

    Attributes:
        pattern: of their paths, below the repository.
        expression: SPDX.
        is_final: whether it holds whatever a file says of itself.
    """

    pattern: re.Pattern[str]
    expression: str
    is_final: bool


def is_annotations_file(path: str) -> bool:
    """Whether REUSE reads annotations from a file of this path."""
    return path == ".reuse/dep5" or path.rpartition("/")[2] == "REUSE.toml"


def read_annotations(path: str, content: str) -> list[Annotation]:
    """The annotations of a file, in order; of several that match a path the last one holds.

    What cannot be read annotates everything below it with a licence that nobody knows.
    """
    if path == ".reuse/dep5":
        return list(_dep5(content))
    folder = path.rpartition("REUSE.toml")[0]
    try:
        tables = tomllib.loads(content).get("annotations", [])
        return [one for table in tables for one in _annotations(folder, table)]
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        pattern = re.compile(re.escape(folder) + _ANYTHING.pattern)
        return [Annotation(pattern, "LicenseRef-unreadable-REUSE.toml", True)]


def all_of(expressions: Sequence[str]) -> str:
    """One SPDX expression of several that all hold."""
    if len(expressions) == 1:
        return expressions[0]
    return " AND ".join(f"({one})" for one in expressions)


def _annotations(folder: str, table: dict[str, Any]) -> Iterator[Annotation]:
    paths, licences = table["path"], table.get("SPDX-License-Identifier", "")
    expressions = licences if isinstance(licences, list) else [licences]
    expression = all_of([one for one in expressions if one])
    for path in paths if isinstance(paths, list) else [paths]:
        if expression:
            yield Annotation(
                _glob(folder + path), expression, table.get("precedence") == "override"
            )


def _dep5(content: str) -> Iterator[Annotation]:
    for paragraph in re.split(r"\n[ \t]*\n", content):
        fields = dict(_FIELD.findall(paragraph))
        # Debian writes `and`, and the text of a licence below its name.
        licence = fields.get("License", "").partition("\n")[0].strip()
        for path in fields.get("Files", "").split():
            if licence:
                yield Annotation(_glob(path, "*"), licence, False)


def _glob(path: str, any_depth: str = "**") -> re.Pattern[str]:
    """A path with wildcards; `*` of dep5 also matches slashes."""
    parts = re.split(r"(\*\*|\*)", path)
    return re.compile(
        "".join(
            "[\\s\\S]*"
            if part in ("**", any_depth)
            else "[^/]*"
            if part == "*"
            else re.escape(part)
            for part in parts
        )
    )
