"""Jupyter notebooks to scripts: code as it is, text as comments, outputs left out.

The form is Jupytext's percent format: a line `# %%` before each cell, `# %% [markdown]` before
text.
"""

from __future__ import annotations

from typing import Any

import orjson

from filters.code.languages import LANGUAGES
from filters.document import Document, Rejected

NOTEBOOK = "Jupyter Notebook"
_LANGUAGES = {name.lower(): name for name in LANGUAGES} | {"ir": "R", "bash": "Shell"}


class NotebookFilter:
    """Turn a notebook into a script of its kernel's language; leave any other file as it is.

    Reasons: `malformed_notebook`, `unknown_kernel` (of no language whose comments are known),
    `empty`.
    """

    name = "notebook"

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        if document.metadata["programming_language"] != NOTEBOOK:
            return document
        try:
            notebook = orjson.loads(document.text)
            cells = [_cell(cell) for cell in notebook["cells"]]
            language = _language(notebook.get("metadata") or {})
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
            return Rejected("malformed_notebook", f"{type(problem).__name__}: {problem}"[:200])
        syntax = LANGUAGES[language].syntax if language else None
        if syntax is None or not syntax.line:
            return Rejected("unknown_kernel", str(notebook.get("metadata"))[:200])
        marker = syntax.line[0]
        parts = [_script(kind, source, marker) for kind, source in cells if source.strip()]
        if not parts:
            return Rejected("empty", f"{len(cells)} cells without text")
        document.text = "\n".join(parts)
        document.metadata["programming_language"] = language
        return document


def _cell(cell: dict[str, Any]) -> tuple[str, str]:
    """The kind of a cell and its text, which is one string or a list of lines."""
    source = cell["source"]
    return str(cell["cell_type"]), source if isinstance(source, str) else "".join(source)


def _language(metadata: dict[str, Any]) -> str:
    """linguist's name of the kernel's language; empty if it is not known."""
    kernel, info = metadata.get("kernelspec") or {}, metadata.get("language_info") or {}
    named = info.get("name") or kernel.get("language") or kernel.get("name") or "python"
    name = str(named).lower().rstrip("0123456789.- ")
    return _LANGUAGES.get(name, "")


def _script(kind: str, source: str, marker: str) -> str:
    if kind == "code":
        return f"{marker} %%\n{source.rstrip()}\n"
    said = [f"{marker} {line}".rstrip() for line in source.rstrip().split("\n")]
    return "\n".join([f"{marker} %% [{kind}]", *said]) + "\n"
