"""Take out of wikitext what MediaWiki reads before anything else: comments and extension tags.

What stands between `<nowiki>`, `<math>`, `<pre>`, `<ref>` and their like is not wikitext of the
page. One scan from left to right, as in MediaWiki's preprocessor, drops it, or keeps it literally
behind a placeholder that no later step touches, or hands out the contents of references.

Time is linear in the length: a closing tag is looked for once, and when a kind has none left, its
later openings are not looked up again.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

# Private-use characters that stand for things while the page is taken apart.
KEPT_START = "\ue000"
KEPT_END = "\ue001"
REMOVED = "\ue002"
RESERVED = re.compile("[\ue000-\ue002]")
_PLACEHOLDER = re.compile(f"{KEPT_START}([0-9]+){KEPT_END}")

_DROPPED = frozenset(
    (
        *("categorytree", "gallery", "graph", "hiero", "imagemap", "includeonly", "indicator"),
        *("inputbox", "mapframe", "maplink", "score", "section", "templatedata"),
        *("templatestyles", "timeline"),
    )
)
_FORMULA = frozenset({"math", "ce", "chem"})
_LITERAL = frozenset({"nowiki", "pre", "syntaxhighlight", "source", "code"})
_BLOCK = frozenset({"pre", "syntaxhighlight", "source"})
_TAGS = ["ref", *sorted(_DROPPED | _FORMULA | _LITERAL)]

_OPENING = re.compile(r"<(?:!--|(" + "|".join(_TAGS) + r")(?=[\s/>])([^<>]*)>)", re.IGNORECASE)
_CLOSING = {tag: re.compile(rf"</{tag}\s{{0,9}}>", re.IGNORECASE) for tag in _TAGS}
# These are often left open; such a one must not take the text up to the next one's end.
_EDGE = {
    tag: re.compile(rf"<(/?){tag}(?=[\s/>])[^<>]*>?", re.IGNORECASE) for tag in ("ref", "code")
}
_NOWIKI_TAG = re.compile(r"</?nowiki\s{0,9}/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SPACES = re.compile(r"\s+")
_DOUBLE_MARK = re.compile(r"\{(?=[{|])|\[(?=\[)|<(?=/?ref)", re.IGNORECASE)
_ANY_MARK = re.compile(r"\{(?=[{|])|[}|](?=\})|\[(?=\[)|\](?=\])|<(?=/?ref)", re.IGNORECASE)


@dataclass(slots=True)
class OpaqueParts:
    """Wikitext without its opaque parts.

    Attributes:
        text: the wikitext, with a placeholder where `kept` belongs.
        references: the content of every `<ref>...</ref>`, in order.
        kept: literal texts; the placeholder is KEPT_START + position in this list + KEPT_END.
        exact: positions in `kept` of code and formulas, which need their closing brackets as is.
    """

    text: str
    references: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    exact: set[int] = field(default_factory=set)


def unescape(text: str) -> str:
    """Replace HTML entities that end in a semicolon, so that `?a=1&copy=2` stays as it is."""
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda match: RESERVED.sub("", html.unescape(match[0])), text)


def break_marks(text: str, *, closing: bool) -> str:
    """Put a space inside every mark that would read as wikitext: `{{` becomes `{ {`.

    Args:
        text: text in which such a pair can only be meant literally.
        closing: break `}}`, `]]` and `|}` too; LaTeX and code need them as they are.
    """
    marks = ("{{", "{|", "[[", "<", *(("}}", "|}", "]]") if closing else ()))
    if not any(mark[0] in text and mark in text for mark in marks):
        return text
    pattern = _ANY_MARK if closing else _DOUBLE_MARK
    return pattern.sub(lambda match: match[0] + " ", text)


def split_opaque(wikitext: str) -> OpaqueParts:
    """Separate comments, references and literal parts from a page's wikitext."""
    if any(character in wikitext for character in (KEPT_START, KEPT_END, REMOVED)):
        wikitext = RESERVED.sub("", wikitext)
    parts = OpaqueParts("")
    pieces: list[str] = []
    unclosed: set[str] = set()
    position = 0
    for opening in _OPENING.finditer(wikitext):
        start, after = opening.span()
        if start < position:
            continue
        pieces.append(wikitext[position:start])
        position = after
        if opening[1] is None:
            end = wikitext.find("-->", after)
            # As in MediaWiki, a comment that nobody closes runs to the end of the page.
            position = len(wikitext) if end < 0 else end + 3
            continue
        tag = opening[1].lower()
        if opening[2].endswith("/") or tag in unclosed:
            continue
        closing = (_EDGE.get(tag) or _CLOSING[tag]).search(wikitext, after)
        if closing is None:
            unclosed.add(tag)
            continue
        content = wikitext[after : closing.start()]
        if tag in _EDGE and (not closing[1] or (tag == "code" and _is_wikitext(content))):
            continue
        position = closing.end()
        if tag == "ref":
            parts.references.append(content)
            if wikitext[start - 1 : start] == " ":
                pieces.append(REMOVED)
        elif tag not in _DROPPED:
            pieces.append(_keep(parts, tag, content))
        elif "<ref" in content:
            parts.references.extend(split_opaque(content).references)
    pieces.append(wikitext[position:])
    parts.text = "".join(pieces)
    return parts


def restore_kept(text: str, parts: OpaqueParts) -> str:
    """Put the literal parts back into cleaned text, in which no mark of wikitext may remain."""
    finished: list[str] = []
    plain: list[str] = []
    for index, piece in enumerate(_PLACEHOLDER.split(text)):
        if index % 2 and int(piece) in parts.exact:
            finished += [break_marks("".join(plain), closing=True), parts.kept[int(piece)]]
            plain.clear()
        else:
            plain.append(parts.kept[int(piece)] if index % 2 else piece)
    finished.append(break_marks("".join(plain), closing=True))
    return break_marks("".join(finished), closing=False)


def _is_wikitext(code: str) -> bool:
    """`<code>` is a plain HTML tag: without `<nowiki>` inside, links and templates are live."""
    return "nowiki" not in code.lower() and ("[[" in code or "{{" in code or "''" in code)


def _keep(parts: OpaqueParts, tag: str, content: str) -> str:
    if not content.strip():
        return ""
    if tag in _FORMULA:
        formula = _SPACES.sub(" ", content).strip()
        content = f"${formula}$" if tag == "math" else f"$\\ce{{{formula}}}$"
    elif tag == "nowiki":
        content = unescape(content)
    else:
        content = unescape(_NOWIKI_TAG.sub("", content).strip("\n"))
    if tag != "nowiki":
        parts.exact.add(len(parts.kept))
    parts.kept.append(content)
    placeholder = f"{KEPT_START}{len(parts.kept) - 1}{KEPT_END}"
    return f"\n{placeholder}\n" if tag in _BLOCK and "\n" in content else placeholder
