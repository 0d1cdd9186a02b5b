"""The comments at the top of a file, before any code, in the file's own language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from filters.code.syntax import Syntax

# What stands before or between header comments without being one, and is no code either.
_PREAMBLE = re.compile(
    r"<\?(?:php|xml|hh)\b|<!doctype|</?html|<head|(['\"])use (?:strict|client|server)\1;?$|"
    r"#\s*pragma once$|#\s*(?:ifndef|define)\s+\w+$|#\s*if\s+!?\s*defined\b|@echo off$|@charset\b|"
    r"#requires\b|package\s+[\w.:]+;?$|declare\s*\(",
    re.IGNORECASE,
)
# What says only what a file needs or belongs to: a licence may stand below it.
_NEEDS = re.compile(
    r"<meta\b|<title>.*</title>$|<template\b|#\s*(?:pragma|include|import|if|endif|ifdef|define)\b|#!\[|"
    r"(?:module|namespace|library|unit)\s+[\w.:\\]+\s*;?$|"
    r"(?:import|using|use|require|require_relative|from|include|open|export|load)\b[^={}]*;?$|"
    r"(?:set|setlocal|cls|option)\b[^={}()]*$|cmake_minimum_required\s*\(|function\b[^\n]*$|"
    r"\{-#.*#-\}$|:-\s*(?:module|use_module)\b|\\(?:documentclass|ProvidesPackage|NeedsTeXFormat)\b|"
    r"syntax\s*=|\(use-modules|extern\s+\"C(?:\+\+)?\"|#\s*(?:else|elif)\b|"
    r"<\w[\w:.-]*(?:\s[^<>]*)?>$",
    re.IGNORECASE,
)

# Comment markers that are words: of batch files, fixed-form Fortran, m4.
_WORD_MARKER = re.compile(r"^(?:REM|@REM|rem|Rem|@rem|C|c|dnl)(?=\s|$)")
_DECORATION = " \t\f*#/;%!=<>{}|+~_-:\"'"


@dataclass(frozen=True, slots=True)
class Comment:
    """Lines `start` to `end` (exclusive) of a file.

    Attributes:
        opener, closer: of a block comment; both empty for a run of line comments.
        each_line: whether every line is a block comment of its own.
        leads: whether no code stands above it.
    """

    start: int
    end: int
    opener: str = ""
    closer: str = ""
    each_line: bool = False
    leads: bool = True


def head_of(text: str, maximum_characters: int) -> tuple[list[str], str]:
    """The first whole lines of a text, and the rest from the line end before it."""
    if len(text) <= maximum_characters:
        return text.split("\n"), ""
    end = text.rfind("\n", 0, maximum_characters)
    if end < 0:
        return [], text
    return text[:end].split("\n"), text[end:]


def leading_comments(
    lines: Sequence[str], syntax: Syntax, past_imports: bool = False
) -> Iterator[Comment]:
    """Comments up to the first line of code; blank lines part runs of line comments.

    Args:
        lines: of a file.
        syntax: of its language.
        past_imports: whether lines that only say what a file needs are passed over.
    """
    at = 1 if lines and lines[0].startswith("#!") else 0
    while at < len(lines):
        line = lines[at].strip()
        if not line:
            at += 1
            continue
        comment = _blocks(lines, at, syntax) or _run(lines, at, syntax)
        if comment is not None:
            yield comment
            at = comment.end
        elif _PREAMBLE.match(line) or (past_imports and _NEEDS.match(line)):
            at += 1
        else:
            return


def comment_around(lines: Sequence[str], first: int, inside: int, syntax: Syntax) -> Comment | None:
    """The comment below code, but no docstring, that line `inside` is in; None if there is none.

    Args:
        lines: of a file.
        first: the line from which it may begin.
        inside: a line of it.
        syntax: of the language.
    """
    for at in range(inside, first - 1, -1):
        found = _blocks(lines, at, syntax) or _run(lines, at, syntax)
        if found is not None and found.end > inside and found.opener[-1:] not in ("'", '"'):
            start = at
            while not found.opener and start > first and _run(lines, start - 1, syntax):
                start -= 1
            return Comment(start, found.end, found.opener, found.closer, found.each_line, False)
        if found is not None and found.opener:
            return None
    return None


def said(line: str, comment: Comment) -> str:
    """What a line of a comment says, without markers, frames, rulers and repeated spaces."""
    text = line.strip()
    if comment.opener:
        text = text.removeprefix(comment.opener).removesuffix(comment.closer)
    text = _WORD_MARKER.sub("", text, count=1)
    return " ".join(text.strip(_DECORATION).split())


def _blocks(lines: Sequence[str], start: int, syntax: Syntax) -> Comment | None:
    """The block comment that fills whole lines from here, or a run of those of one line each."""
    first = _block(lines, start, syntax)
    if first is None or first.end > start + 1 or first.opener[-1:] in ("'", '"'):
        return first
    end = first.end
    while end < len(lines):
        following = _block(lines, end, syntax)
        if following is None or following.end > end + 1 or following.opener != first.opener:
            break
        end = following.end
    return Comment(start, end, first.opener, first.closer, each_line=end > start + 1)


def _block(lines: Sequence[str], start: int, syntax: Syntax) -> Comment | None:
    """The block comment that fills whole lines from here, if it ends."""
    # Headers for C and an assembler put the assembler's mark before it.
    line = lines[start].lstrip(" \t\f;")
    for opener, closer in syntax.block:
        if not line.startswith(opener):
            continue
        position = len(lines[start]) - len(line) + len(opener)
        for at in range(start, len(lines)):
            end = lines[at].find(closer, position)
            if end >= 0:
                code = lines[at][end + len(closer) :].strip()
                return None if code else Comment(start, at + 1, opener, closer)
            position = 0
    return None


def _run(lines: Sequence[str], start: int, syntax: Syntax) -> Comment | None:
    """The line comments from here, all with the same marker."""
    for marker in syntax.line:
        end = start
        while end < len(lines) and _has_marker(lines[end], marker):
            end += 1
        if end > start:
            return Comment(start, end)
    return None


def _has_marker(line: str, marker: str) -> bool:
    # Fortran's `C ` and `*` count in the first column only.
    if marker in ("C ", "c ", "*"):
        return line.startswith(marker) or line.rstrip() == marker.rstrip()
    line = line.lstrip()
    if not line.startswith(marker):
        return False
    return not marker.isalpha() or not line[len(marker) : len(marker) + 1].isalnum()
