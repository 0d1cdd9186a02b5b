"""Files that hold no program text: pointers, encoded data, private keys, other formats.

StarCoder 2 (arXiv 2402.19173, section 2.3) drops files of which much is base64, hexadecimal or
Unicode escapes, by their share of the characters; Git LFS leaves pointers in a checkout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from filters.code.languages import LANGUAGES
from filters.document import Document, Rejected, StageSettings, setting

_POINTER = re.compile(r"version https://git-lfs\.github\.com/spec/v\d\n(?:ext-\d.*\n)*oid sha256:")
_LINK = re.compile(r"(?:\.{1,2}/)+[\w./-]+\s*")
_CONFLICT = tuple(re.compile(mark, re.MULTILINE) for mark in (r"^<{7} ", r"^={7}$", r"^>{7} "))
# Runs of base64 or of hexadecimal over line ends; words of code are shorter.
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{20,}+={0,2}(?:[\s\"',+\\|]{1,12}[A-Za-z0-9+/]{20,}+={0,2})*+"
)
_BYTES = re.compile(r"(?:\\x[0-9A-Fa-f]{2}[\"'\s\\]{0,6}){8,}")
_NUMBERS = re.compile(r"(?:0x[0-9A-Fa-f]{1,8}[UuLl]{0,3},?\s*){8,}")
_DIGITS = re.compile(r"[0-9A-Fa-f\s\"',+\\|]{40,}")
_ESCAPES = re.compile(r"(?:\\u[0-9A-Fa-f]{4}){8,}")
_MARKUP = re.compile(r"\s*(?:<\?xml|<!doctype html|<html[\s>])", re.IGNORECASE)
# Languages in which a page begins no file.
_NO_MARKUP = frozenset(
    name
    for name, language in LANGUAGES.items()
    if language.kind == "code"
    and name not in ("PHP", "Hack", "ColdFusion", "QML", "Jupyter Notebook")
)
# A key or two in a short file are no data.
_LEAST = 256
_BUNDLE = re.compile(
    r"\bfunction __webpack_require__\(|\bwebpackJsonp\w*\W{1,3}(?:push|=|\|\|)|"
    r"^/\*{6}/ \(|\bparcelRequire\w* =|\bfunction _interopRequireDefault\(|"
    r"^\s*Object\.defineProperty\(exports, ['\"]__esModule['\"]|"
    r"^var __(?:awaiter|extends|importDefault|decorate|createBinding) = \(this && this\.__|"
    r"^System\.register\(\[",
    re.MULTILINE,
)
_SCRIPTS = frozenset({"JavaScript", "TypeScript"})


@dataclass(frozen=True, kw_only=True)
class EncodedCodeSettings(StageSettings):
    """[github.encoded].

    Attributes:
        maximum_encoded_share: of a file's characters that are base64, hexadecimal or escapes.
        maximum_encoded_run: characters of base64 in one run.
    """

    maximum_encoded_share: float = setting(0.5, "paper: StarCoder 2, section 2.3")
    maximum_encoded_run: int = setting(
        1024, "paper: StarCoder 2, section 2.3: longer strings of base64 are data"
    )


class EncodedCodeFilter:
    """Drop files whose text is no program.

    Reasons: `lfs_pointer`, `link_text`, `merge_conflict`, `other_format`, `bundle`, `encoded_data`.
    """

    name = "encoded"

    def __init__(self, settings: EncodedCodeSettings | None = None) -> None:
        self.settings = settings or EncodedCodeSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text, language = document.text, document.metadata["programming_language"]
        reason = _kind(text, language)
        if reason:
            return Rejected(reason, text[:100].split("\n", 1)[0])
        longest = total = 0
        for match in _BASE64.finditer(text):
            if _is_data(match[0]):
                longest, total = max(longest, len(match[0])), total + len(match[0])
        if longest > self.settings.maximum_encoded_run:
            return Rejected("encoded_data", f"{longest} characters of base64")
        for mark, pattern in ((r"\x", _BYTES), ("0x", _NUMBERS), (r"\u", _ESCAPES)):
            if text.count(mark) >= _LEAST // 8:
                total += sum(len(match[0]) for match in pattern.finditer(text))
        share = total / max(1, len(text))
        if share > self.settings.maximum_encoded_share and total >= _LEAST:
            return Rejected("encoded_data", f"{share:.2f} of the characters are encoded data")
        return document


def _kind(text: str, language: str) -> str:
    if _POINTER.match(text):
        return "lfs_pointer"
    if len(text) < 200 and _LINK.fullmatch(text):
        return "link_text"
    if "<<<<<<< " in text and all(mark.search(text) for mark in _CONFLICT):
        return "merge_conflict"
    if language in _NO_MARKUP and _MARKUP.match(text):
        return "other_format"
    return "bundle" if language in _SCRIPTS and _BUNDLE.search(text) else ""


def _is_data(run: str) -> bool:
    """Whether a run of letters and digits is base64 or hexadecimal, and no path or identifier."""
    kinds = sum(
        any(test(character) for character in run[:200])
        for test in (str.isupper, str.islower, str.isdigit)
    )
    return (kinds == 3 and len(run) >= 64) or _DIGITS.fullmatch(run) is not None
