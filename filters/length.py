"""CCNet's minimum length (its code: 300 characters of text, tested when a record is read)."""

from __future__ import annotations

from dataclasses import dataclass

from filters.document import Document, Rejected, StageSettings, setting


@dataclass(frozen=True, kw_only=True)
class LengthSettings(StageSettings):
    """Bounds on the text, in characters, both inclusive.

    Attributes:
        minimum_characters: shorter texts go. CCNet: 300.
        maximum_characters: longer texts go; 0 sets no bound, as in CCNet.
    """

    minimum_characters: int = setting(300, "code: CCNet's, when a record is read")
    maximum_characters: int = setting(
        1_000_000, "ours: CCNet has none; a page of 50 MB is damage (docs/ccnet.md)"
    )


class LengthFilter:
    """Drop texts that are too short or too long."""

    name = "length"

    def __init__(self, settings: LengthSettings | None = None) -> None:
        self.settings = settings or LengthSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        length = len(document.text)
        minimum, maximum = self.settings.minimum_characters, self.settings.maximum_characters
        if length < minimum:
            return Rejected("too_short", f"{length} characters < {minimum}")
        if 0 < maximum < length:
            return Rejected("too_long", f"{length} characters > {maximum}")
        return document
