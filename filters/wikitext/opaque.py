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
# A line of a block that is indented by a space, and every further space in it.
BLOCK_LINE = "\ue006"
BLOCK_SPACE = "\ue007"
# A hole: HOLE_START, the number of its template, REMOVED.
HOLE_START = "\ue003"
# Bars and equals signs in what a template shows, until no call stands around it any more.
BAR = "\ue004"
EQUALS = "\ue005"
# What may stand in a text in place of something that was taken out.
GAP = f"{REMOVED} \n"
RESERVED = re.compile("[\ue000-\ue007]")
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
_LANGUAGE = re.compile(r"\blang\s{0,9}=\s{0,9}[\"']?([\w+#-]{1,30})", re.IGNORECASE)
_NOWIKI_TAG = re.compile(r"</?nowiki\s{0,9}/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,12}|#[xX][0-9a-fA-F]{1,12}|[A-Za-z][A-Za-z0-9]{1,31});")
_SPACES = re.compile(r"\s+")
# A link, a template or emphasis that is closed: `[[NSObject alloc] init]` is none.
_LIVE = re.compile(r"\[\[[^\[\]\n]*\]\]|\{\{[^{}]*\}\}|''[^'\n]+''")


@dataclass(slots=True)
class OpaqueParts:
    """Wikitext without its opaque parts.

    Attributes:
        text: the wikitext, with a placeholder where `kept` belongs.
        references: the content of every `<ref>...</ref>`, in order.
        kept: literal texts; the placeholder is KEPT_START + position in this list + KEPT_END.
    """

    text: str
    references: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def unescape(text: str) -> str:
    """Replace HTML entities that end in a semicolon, so that `?a=1&copy=2` stays as it is."""
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda match: RESERVED.sub("", html.unescape(match[0])), text)


def split_opaque(wikitext: str, *, fenced: bool = False) -> OpaqueParts:
    """Separate comments, references and literal parts from a page's wikitext.

    Args:
        wikitext: source of a page.
        fenced: whether blocks of code stand between Markdown's fences, with their language.
    """
    if any(chr(code) in wikitext for code in range(0xE000, 0xE008)):
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
            language = _LANGUAGE.search(opening[2]) if fenced else None
            fence = f"```{language[1] if language else ''}" if fenced else ""
            pieces.append(_keep(parts, tag, content, fence))
        elif "<ref" in content:
            parts.references.extend(split_opaque(content).references)
    pieces.append(wikitext[position:])
    parts.text = "".join(pieces)
    return parts


def restore_kept(text: str, parts: OpaqueParts) -> str:
    """Put the literal parts back into cleaned text, to the letter."""
    if KEPT_START not in text:
        return text
    return _PLACEHOLDER.sub(lambda place: parts.kept[int(place[1])], text)


def _is_wikitext(code: str) -> bool:
    """`<code>` is a plain HTML tag: without `<nowiki>` inside, links and templates are live."""
    return "nowiki" not in code.lower() and _LIVE.search(code) is not None


def _keep(parts: OpaqueParts, tag: str, content: str, fence: str) -> str:
    if not content.strip():
        return ""
    if tag in _FORMULA:
        formula = _SPACES.sub(" ", content).strip()
        content = f"${formula}$" if tag == "math" else f"$\\ce{{{formula}}}$"
    elif tag == "nowiki":
        content = unescape(content)
    else:
        content = unescape(_NOWIKI_TAG.sub("", content).strip("\n"))
    is_block = tag in _BLOCK and "\n" in content
    parts.kept.append(f"{fence}\n{content}\n```" if fence and is_block else content)
    placeholder = f"{KEPT_START}{len(parts.kept) - 1}{KEPT_END}"
    return f"\n{placeholder}\n" if is_block else placeholder
