"""How the tests of filters.latex run it on small texts."""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import replace

from filters.document import Document, Rejected
from filters.latex import LatexCleaner, LatexSettings
from filters.latex.commands import tex_expander
from filters.latex.tidy import join_tokens
from filters.latex.tokens import tokenize
from pipeline.recipe import RECIPES, load_recipe

SETTINGS: LatexSettings = replace(
    load_recipe(str(RECIPES / "llama1.toml")).arxiv.latex, minimum_characters=1
)


def expand(source: str) -> str:
    """A text with its macros expanded."""
    return join_tokens(tex_expander(SETTINGS.expansion).expand(tokenize(source)))


def submission(files: dict[str, str | bytes]) -> bytes:
    """A gzipped tar of files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def clean(
    files: dict[str, str | bytes] | str | bytes, settings: LatexSettings = SETTINGS
) -> Document | Rejected:
    """What becomes of a submission: files of a tar, or a single TeX file, or raw bytes."""
    if isinstance(files, str):
        raw = gzip.compress(files.encode())
    else:
        raw = files if isinstance(files, bytes) else submission(files)
    return LatexCleaner(settings)(Document("2001.00001", "arxiv", raw=raw))


def text_of(files: dict[str, str | bytes] | str) -> str:
    """The text of a submission that must not be rejected."""
    result = clean(files)
    assert isinstance(result, Document), result
    return result.text


def paper(body: str, preamble: str = "") -> str:
    """A LaTeX document."""
    return (
        f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
