"""Notebooks become scripts, or are rejected with what is wrong."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from filters.code.notebooks import NotebookFilter
from filters.document import Document, Rejected

CODE = {"cell_type": "code", "source": ["x = 1\n", "print(x)"], "outputs": [{"text": "1"}]}
TEXT = {"cell_type": "markdown", "source": "# Herons\n\nThey wait."}


def run(text: str, language: str = "Jupyter Notebook") -> Document | Rejected:
    return NotebookFilter()(Document("a", "github", text, {"programming_language": language}))


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4})


def test_a_notebook_is_a_script_without_its_outputs() -> None:
    result = run(notebook(TEXT, CODE, language_info={"name": "python"}))
    assert isinstance(result, Document)
    assert result.text == (
        "# %% [markdown]\n# # Herons\n#\n# They wait.\n\n# %%\nx = 1\nprint(x)\n"
    )
    assert result.metadata["programming_language"] == "Python"
    ast.parse(result.text)


def test_the_kernel_s_language() -> None:
    result = run(notebook(CODE, kernelspec={"name": "ir", "language": "R"}))
    assert isinstance(result, Document)
    assert result.metadata["programming_language"] == "R"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "malformed_notebook"),
        ("[]", "malformed_notebook"),
        ('{"cells": [{"source": 1}]}', "malformed_notebook"),
        (notebook(CODE, language_info={"name": "klingon"}), "unknown_kernel"),
        (notebook({"cell_type": "code", "source": []}), "empty"),
    ],
)
def test_what_is_no_notebook(text: str, reason: str) -> None:
    result = run(text)
    assert isinstance(result, Rejected)
    assert result.reason == reason


def test_other_files_stay() -> None:
    result = run("{", "JSON")
    assert isinstance(result, Document)
    assert result.text == "{"
