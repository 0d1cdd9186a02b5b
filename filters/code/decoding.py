"""A file's bytes to text: size, encoding, binary content."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from filters.code.content import language_of
from filters.document import Document, Rejected, StageSettings, setting

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Form feed separates sections of old sources, escape sequences stand in shell scripts.
_CONTROLS = re.compile("[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, kw_only=True)
class CodeDecoderSettings(StageSettings):
    """[github.decode].

    Attributes:
        minimum_bytes: smaller files go.
        maximum_bytes: larger files go.
        maximum_control_share: of control characters other than white space and escape.
        maximum_replacement_share: of U+FFFD, which an exporter wrote for what it could not read.
    """

    minimum_bytes: int = setting(1, "ours: an empty file has no text")
    maximum_bytes: int = setting(1_048_576, "ours: BigQuery has no content of larger files")
    maximum_control_share: float = setting(
        0.001, "ours: not tuned; source code has none, binary files 0.1"
    )
    maximum_replacement_share: float = setting(
        0.001, "ours: not tuned; a character in a thousand is damage"
    )


class CodeDecoder:
    """UTF-8 (or UTF-16 with a byte order mark) to text with `\\n` line ends.

    Adds the programming language to the metadata, by path and content.
    """

    name = "decode"

    def __init__(self, settings: CodeDecoderSettings | None = None) -> None:
        self.settings = settings or CodeDecoderSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        raw = document.raw
        wrong = self._size(raw)
        if wrong is not None:
            return wrong
        mark, encoding = next(
            ((mark, name) for mark, name in _BYTE_ORDER_MARKS if raw.startswith(mark)),
            (b"", "utf-8"),
        )
        try:
            text = raw[len(mark) :].decode(encoding)
        except UnicodeDecodeError as error:
            return Rejected("not_utf8", f"byte {error.start}: {error.reason}")
        wrong = self._characters(text)
        if wrong is not None:
            return wrong
        document.text = text.replace("\r\n", "\n").replace("\r", "\n")
        document.raw = b""
        language = language_of(document.metadata["path"], document.text)
        document.metadata["programming_language"] = language
        return document

    def _size(self, raw: bytes) -> Rejected | None:
        minimum, maximum = self.settings.minimum_bytes, self.settings.maximum_bytes
        if not raw.strip():
            return Rejected("empty", f"{len(raw)} bytes")
        if len(raw) < minimum:
            return Rejected("too_small", f"{len(raw)} bytes < {minimum}")
        return (
            Rejected("too_large", f"{len(raw)} bytes > {maximum}") if len(raw) > maximum else None
        )

    def _characters(self, text: str) -> Rejected | None:
        settings = self.settings
        if "\0" in text:
            return Rejected("null_character", f"at character {text.index(chr(0))}")
        for reason, number, share in (
            ("control_characters", len(_CONTROLS.findall(text)), settings.maximum_control_share),
            ("not_utf8", text.count(_REPLACEMENT), settings.maximum_replacement_share),
        ):
            if number > share * len(text):
                return Rejected(reason, f"{number} of {len(text)} characters > {share}")
        return None
