"""The heuristics that made C4 from plain pages (arXiv 1910.10683, section 2.2, and its code).

Each is a stage of its own and works on the lines that the stages before left: the order of the
stages is that of the code. A stage that takes a page's last line rejects the page.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

from filters.document import Document, Rejected, StageSettings, setting
from filters.line_kinds import SIGNAL

Need = Literal["url", "timestamp"]


@dataclass(frozen=True, kw_only=True)
class PageSettings(StageSettings):
    """Which pages are looked at.

    Attributes:
        needs: what a page must have besides text.
        maximum_characters: longer pages go.
    """

    needs: tuple[Need, ...] = setting(("url", "timestamp"), "code: C4's")
    maximum_characters: int = setting(190_000, "code: C4's")


@dataclass(frozen=True, kw_only=True)
class LongWordSettings(StageSettings):
    """Attributes:
    maximum_characters: a line with a longer word goes.
    """

    maximum_characters: int = setting(1000, "code: C4's")


@dataclass(frozen=True, kw_only=True)
class EndMarkSettings(StageSettings):
    """How a line must end.

    Attributes:
        marks: it ends in one of these...
        refused: ...and in none of these.
    """

    marks: tuple[str, ...] = setting((".", "?", "!", '"'), "paper: C4, section 2.2")
    refused: tuple[str, ...] = setting(("...",), "code: C4's")


@dataclass(frozen=True, kw_only=True)
class ShortLineSettings(StageSettings):
    """Attributes:
    minimum_words: a line with fewer goes.
    """

    minimum_words: int = setting(5, "code: C4's")


@dataclass(frozen=True, kw_only=True)
class PhraseSettings(StageSettings):
    """Attributes:
    phrases: looked for in the text in lower case.
    """

    phrases: tuple[str, ...]

    def __post_init__(self) -> None:
        if any(not phrase or phrase != phrase.lower() or "\n" in phrase for phrase in self.phrases):
            raise ValueError("phrases are in lower case, on one line and not empty")


@dataclass(frozen=True, kw_only=True)
class LoremIpsumSettings(PhraseSettings):
    """[c4.lorem_ipsum]: filler."""

    phrases: tuple[str, ...] = setting(("lorem ipsum",), "paper: C4, section 2.2")


@dataclass(frozen=True, kw_only=True)
class JavascriptSettings(PhraseSettings):
    """[c4.javascript]: warnings that it is off."""

    phrases: tuple[str, ...] = setting(("javascript",), "paper: C4, section 2.2")


@dataclass(frozen=True, kw_only=True)
class CurlyBracketSettings(PhraseSettings):
    """[c4.curly_bracket]: code."""

    phrases: tuple[str, ...] = setting(("{",), "paper: C4, section 2.2")


@dataclass(frozen=True, kw_only=True)
class PolicySettings(PhraseSettings):
    """[c4.policy]: notices."""

    phrases: tuple[str, ...] = setting(
        (
            "terms of use",
            "privacy policy",
            "cookie policy",
            "uses cookies",
            "use of cookies",
            "use cookies",
        ),
        "paper: C4, section 2.2",
    )


class PageFilter:
    """Drop blank lines and the blanks around lines; reject pages that are no input.

    Reasons: `no_text`, `no_url`, `no_timestamp`, `too_long`.
    """

    name = "page"

    def __init__(self, settings: PageSettings | None = None) -> None:
        self.settings = settings or PageSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text = "\n".join(filter(None, map(str.strip, document.text.split("\n"))))
        limit = self.settings.maximum_characters
        if not text:
            return Rejected("no_text")
        for need in self.settings.needs:
            if not document.metadata.get(need):
                return Rejected(f"no_{need}")
        if len(text) > limit:
            return Rejected("too_long", f"{len(text)} characters > {limit}")
        # Only now by all of Unicode's line ends: they do not change what is too long.
        document.text = "\n".join(filter(None, map(str.strip, text.splitlines())))
        document.signals.pop(SIGNAL, None)  # C4's lines are others
        return document


class LineFilter:
    """Base of the stages that drop lines; counts them in the signal `dropped_<name>`."""

    name: str
    # Why a page goes that has no other lines.
    reason: str

    def open(self) -> None:
        """Nothing to load."""

    @abstractmethod
    def keeps(self, line: str) -> bool:
        """Whether a line stays."""

    def concerns(self, text: str) -> bool:
        """Whether there may be lines to drop; a cheap look."""
        return True

    def __call__(self, document: Document) -> Document | Rejected:
        dropped = 0
        if self.concerns(document.text):
            lines = document.text.split("\n")
            kept = [line for line in lines if self.keeps(line)]
            dropped = len(lines) - len(kept)
            if not kept:
                return Rejected(self.reason, f"all {dropped} lines")
            if dropped:
                document.text = "\n".join(kept)
                document.signals.pop(SIGNAL, None)
        # A citation mark may have left a blank before the page's first word, as in the code.
        document.text = document.text.lstrip()
        document.signals[f"dropped_{self.name}"] = dropped
        return document


class LongWordFilter(LineFilter):
    """Drop lines with an over-long word (`only_long_words`)."""

    name = "long_words"
    reason = "only_long_words"

    def __init__(self, settings: LongWordSettings | None = None) -> None:
        self.settings = settings or LongWordSettings()

    def concerns(self, text: str) -> bool:
        return len(text) > self.settings.maximum_characters

    def keeps(self, line: str) -> bool:
        limit = self.settings.maximum_characters
        return len(line) <= limit or all(len(word) <= limit for word in line.split())


class CitationMarkFilter:
    """Delete `[12]`, `[]`, `[edit]` and `[citation needed]`; count them in `citation_marks`."""

    name = "citation_marks"
    _MARK = re.compile(r"\[(?:\d*|edit|citation needed)\]")

    def __init__(self, settings: StageSettings | None = None) -> None:
        self.settings = settings or StageSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        # A line whose last mark followed a blank keeps the blank, and so has no end mark; a line
        # that was nothing but marks stays, empty, until the next stage.
        document.text, count = self._MARK.subn("", document.text)
        document.signals["citation_marks"] = count
        return document


class EndMarkFilter(LineFilter):
    """Drop lines that do not end a sentence (`no_end_marks`)."""

    name = "end_marks"
    reason = "no_end_marks"

    def __init__(self, settings: EndMarkSettings | None = None) -> None:
        self.settings = settings or EndMarkSettings()

    def keeps(self, line: str) -> bool:
        return line.endswith(self.settings.marks) and not line.endswith(self.settings.refused)


class ShortLineFilter(LineFilter):
    """Drop lines of few words, as white space separates them (`only_short_lines`)."""

    name = "short_lines"
    reason = "only_short_lines"

    def __init__(self, settings: ShortLineSettings | None = None) -> None:
        self.settings = settings or ShortLineSettings()

    def keeps(self, line: str) -> bool:
        minimum = self.settings.minimum_words
        return len(line.split(None, minimum)) >= minimum


class PhraseLineFilter(LineFilter):
    """Drop lines that hold a phrase.

    Args:
        settings: the phrases.
        name: of the stage.
        reason: why a page goes that has no other lines.
    """

    def __init__(self, settings: PhraseSettings, name: str, reason: str) -> None:
        self.settings = settings
        self.name = name
        self.reason = reason

    def concerns(self, text: str) -> bool:
        return _holds(text, self.settings.phrases)

    def keeps(self, line: str) -> bool:
        return not _holds(line, self.settings.phrases)


class PhrasePageFilter:
    """Reject pages that hold a phrase.

    Args:
        settings: the phrases.
        name: of the stage, and the reason.
    """

    def __init__(self, settings: PhraseSettings, name: str) -> None:
        self.settings = settings
        self.name = name

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        if _holds(document.text, self.settings.phrases):
            return Rejected(self.name)
        return document


def _holds(text: str, phrases: tuple[str, ...]) -> bool:
    lower = text.lower()
    return any(phrase in lower for phrase in phrases)
