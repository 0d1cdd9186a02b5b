"""Pages with a listed word go (C4: the "List of Dirty, Naughty, Obscene and Otherwise Bad Words").

The list is the user's file; none comes with Roving. An entry counts where it stands flanked by
characters that are not part of words, or by the text's ends, in the text in lower case.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filters.document import Document, Rejected, StageSettings, setting
from filters.models import MissingModel
from filters.paths import Model

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class BadWordSettings(StageSettings):
    """The list.

    Attributes:
        list: path of a file with one entry per line; empty for none.
        sha256: of the file, so that a run says which version it used; empty does not ask.
        allow: entries of the list that do not count.
        whole_words: whether an entry must be flanked; not for Japanese, Thai and Chinese.
    """

    list: str = setting(
        "", "ours: the list is not part of Roving; without one such pages stay (docs/c4.md)"
    )
    sha256: str = setting(
        "a506cbcf8a31935b122299f3bb1d32be6db3d0ad498765d28f365dfc4f4d7b8c",
        "code: the version that C4's names",
    )
    allow: tuple[str, ...] = setting((), "code: C4's counts every entry of the English list")
    whole_words: bool = setting(True, "code: C4's, but for Japanese, Thai and Chinese")


class BadWordFilter:
    """Reject pages that hold an entry of the list (`bad_word`); the entry goes to the detail."""

    name = "bad_words"

    def __init__(self, settings: BadWordSettings | None = None) -> None:
        given = settings or BadWordSettings()
        self.settings = replace(given, list=Model(given.list))
        self._words: frozenset[str] = frozenset()
        self._phrases: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings,)

    def open(self) -> None:
        """Read the list.

        Raises:
            MissingModel: it is not there, is another version, or is no list.
        """
        allowed = {entry.strip().lower() for entry in self.settings.allow}
        entries = read_list(self.settings.list, self.settings.sha256) - allowed
        whole = self.settings.whole_words
        # A single word is found among the text's words; everything else by search.
        self._words = frozenset(entry for entry in entries if whole and _WORD.fullmatch(entry))
        self._phrases = tuple(sorted(entries - self._words))

    def __call__(self, document: Document) -> Document | Rejected:
        found = self.find(document.text.lower())
        return Rejected("bad_word", found) if found else document

    def find(self, text: str) -> str:
        """An entry that a text in lower case holds, the same one in every run; else empty."""
        words = self._words.intersection(_WORD.findall(text))
        if words:
            return min(words)
        whole = self.settings.whole_words
        for phrase in self._phrases:
            if phrase in text and (not whole or _stands_alone(phrase, text)):
                return phrase
        return ""


def _stands_alone(phrase: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None


def read_list(path: str, sha256: str) -> frozenset[str]:
    """Entries of a list in lower case.

    Raises:
        MissingModel: it is not there, is another version, or is no list.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise MissingModel(
            f"the list of bad words cannot be read: {problem}; give its path in the recipe "
            '(bad_words.list), or leave it out with list = ""'
        ) from None
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256.lower():
        raise MissingModel(f"the list of bad words {path} has SHA-256 {digest}, not {sha256}")
    try:
        entries = frozenset(filter(None, map(str.strip, data.decode().lower().split("\n"))))
    except UnicodeDecodeError as problem:
        raise MissingModel(f"the list of bad words {path} is no UTF-8 text: {problem}") from None
    if not entries:
        raise MissingModel(f"the list of bad words {path} is empty")
    return entries
