"""Blocks of code: their lines as they stand, without numbers and buttons, and their language."""

from __future__ import annotations

import re
from typing import Any

# What highlighters put beside code; no part of it.
_BESIDE = re.compile(
    r"\b(?:line-?num(?:ber)?s?|linenos?|lineno|gutter|linenodiv|line-numbers-rows|copy-?btn|"
    r"copy-?button|clipboard-copy|code-?toolbar-item|hljs-ln-numbers|blob-num|rouge-gutter)\b",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language|lang|highlight-source|highlight|brush:|sourceCode|source-)[-\s:]*"
    r"([a-zA-Z][\w+#.-]{0,19})(?=\s|;|$)"
)
_NO_LANGUAGES = frozenset((
    "text", "plain", "plaintext", "none", "nohighlight", "default", "notranslate", "code",
    "block", "console-output",
))  # fmt: skip
_LINES = frozenset(("div", "p", "li", "tr", "table", "tbody", "ol", "ul"))
_UNREAD = frozenset(("button", "script", "style", "select", "svg", "textarea"))


def code_lines(element: Any) -> list[str]:
    """Lines of a `<pre>` as a browser shows them, from the first that is not blank to the last."""
    parts: list[str] = []
    _collect(element, parts)
    lines = [line.rstrip() for line in "".join(parts).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    start = next((index for index, line in enumerate(lines) if line), 0)
    return lines[start:]


def _collect(element: Any, parts: list[str]) -> None:
    if element.text:
        parts.append(element.text)
    for child in element:
        tag = child.tag
        if tag == "br":
            parts.append("\n")
        elif tag not in _UNREAD and not _BESIDE.search(child.get("class", "")):
            breaks = tag in _LINES
            if breaks:
                _end_line(parts)
            _collect(child, parts)
            if breaks:
                _end_line(parts)
        if child.tail:
            parts.append(child.tail)


def _end_line(parts: list[str]) -> None:
    last = next((part for part in reversed(parts) if part), "\n")
    if not last.endswith("\n"):
        parts.append("\n")


def code_language(element: Any) -> str:
    """The language that the classes of a `<pre>`, its `<code>` or its wrappers name, else empty."""
    code = element.find("code")
    candidates = [element] if code is None else [code, element]
    parent = element.getparent()
    for _ in range(2):
        if parent is not None:
            candidates.append(parent)
            parent = parent.getparent()
    for candidate in candidates:
        named = candidate.get("data-lang") or candidate.get("data-language") or ""
        found = _LANGUAGE.search(candidate.get("class", ""))
        language = (named or (found[1] if found else "")).lower()
        if language and language not in _NO_LANGUAGES and len(language) <= 20:
            return language
    return ""
