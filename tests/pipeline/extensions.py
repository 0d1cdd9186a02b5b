"""The examples of docs/extending.md as files."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


def examples() -> dict[str, str]:
    """Every example, by the name that its first line gives it."""
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", DOCS.read_text(), re.S | re.M)
    return dict(blocks)


def write_example(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    """Path of an example that was written to a folder, changed."""
    text = examples()[name]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return str(path)
