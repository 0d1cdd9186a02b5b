"""Wikitext to clean text: what LLaMA did to Wikipedia ("remove hyperlinks, comments and other
formatting boilerplate", arXiv 2302.13971, 2.1), by RedPajama's rules where the paper says no more.

The order is MediaWiki's: comments and extension tags, templates, tables, links, HTML, emphasis,
and entities last, so that what an entity spells is never taken for markup. Each step is one pass
over the page; docs/wikipedia.md gives every rule with its origin.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from filters.document import Document, Rejected, StageSettings, setting
from filters.scripts import script
from filters.wikitext import nesting
from filters.wikitext.citations import urls_of_references
from filters.wikitext.names import (
    CATEGORY_NAMESPACES,
    MEDIA_NAMESPACES,
    PROJECT_PREFIXES,
    SectionKind,
    is_interlanguage,
)
from filters.wikitext.opaque import (
    BLOCK_LINE,
    HOLE_START,
    REMOVED,
    restore_kept,
    split_opaque,
    unescape,
)
from filters.wikitext.rendered import rendered_text, urls_of
from filters.wikitext.tables import is_data, markdown, wiki_table
from filters.wikitext.templates import TemplateNotes, replace_templates, tables_digest
from filters.wikitext.tidy import mark_blocks, mend_gaps, plain_lines

# A link without a colon or anything nested; what it shows is the group.
_SIMPLE_LINK = re.compile(r"\[\[(?:[^\[\]|:{}=\n]*\|)?([^\[\]|:{}=]*)\]\]")
_TABLE = re.compile(r"\n[ \t:*#]*\{\|"), re.compile(r"\n[ \t]*\|\}")
_HTML_TABLE = (
    re.compile(r"<table(?=[\s>])[^<>]*>", re.IGNORECASE),
    re.compile(r"</table\s{0,9}>", re.IGNORECASE),
)
_LINK = re.compile(r"\[\["), re.compile(r"\]\]"), re.compile(r"\n==")
_LINK_PREFIX = re.compile(r"\s*(:?)([^:|\[\]{}\n]{1,40}):")
# An address ends at white space, brackets and emphasis.
_EXTERNAL_LINK = re.compile(
    r"\[(?:https?://|//|ftps?://|mailto:|ircs?://|news:|gopher://)[^\s\[\]<>']*(?:'(?!')[^\s\[\]<>']*)*"
    r"((?:(?:[ \t\u00a0]|'')[^\[\]\n]*)?)\]",
    re.IGNORECASE,
)
_VARIANT = re.compile(r"-\{([^{}|]*\|)?([^{}]*)\}-")
_MAY_BE_HIDDEN = re.compile(r"<(span|div)\b([^<>]{1,500})>[^<]*</\1>", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s{0,9}:\s{0,9}none", re.IGNORECASE)
_SCRIPT = re.compile(r"<(su[bp])>([^<>]{1,20})</\1>", re.IGNORECASE)
# What a formula's superscript stands behind.
_VARIABLE = re.compile(r"(?:''|</i>|</var>|\d|[)\]])\Z")
_BLOCK_TAG = re.compile(
    r"</?(?:br|p|div|blockquote|li|ul|ol|dl|dd|dt|poem|center|hr|h[1-6]|tr|caption|table)"
    r"(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(
    r"</?(?:abbr|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|includeonly|ins|kbd|mark"
    r"|math|noinclude|nowiki|onlyinclude|pre|q|rb|rp|rt|rtc|ruby|s|samp|section|small|source|span"
    r"|strike|strong|sub|sup|syntaxhighlight|td|th|time|translate|tt|tvar|u|var|wbr|references"
    r"|refs?|gallery|chem|ce|timeline|score|templatestyles)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
# What is left of a reference without its other bracket.
_TORN_REFERENCE = re.compile(r"</?ref(?:s|erences)?\b", re.IGNORECASE)
# The first of two brackets or braces that come together when what stood between them is gone.
_TORN_MARK = re.compile(rf"([{{}}\[\]])(?=(?:(?:{HOLE_START}\d+)?{REMOVED})*\1)")
_EMPHASIS = re.compile(r"'''*")
_SWITCH = re.compile(r"__[^\W\d_]+(?:_[^\W\d_]+)*__")


@dataclass(frozen=True, kw_only=True)
class WikitextSettings(StageSettings):
    """Recipe section of the cleaner.

    Attributes:
        dropped_sections: kinds of apparatus sections left out, found by their heading in any of
            the twenty languages, with their subsections.
        structure: whether headings, lists, tables of data and code keep their form, as Markdown.
    """

    dropped_sections: tuple[SectionKind, ...] = setting(
        ("references", "external_links", "see_also"),
        "ours: lists of links and sources, no prose; RedPajama v1 keeps them",
    )
    structure: bool = setting(False, "paper: boilerplate goes; RedPajama v1 has plain lines")


class WikitextCleaner:
    """Turn a page's wikitext, or its HTML in `raw`, into plain text.

    Puts the URLs that it cites into `cited_urls`, its categories into `categories`.

    Rejects with `empty` where no text is left.
    """

    name = "wikitext"

    def __init__(self, settings: WikitextSettings | None = None) -> None:
        self.settings = settings or WikitextSettings()
        self.tables = tables_digest()  # they decide text, so they are part of the fingerprint

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        """Clean one page; `metadata` gives its language and title."""
        if document.raw:
            return self._clean_rendered(document)
        wikitext = document.text
        document.signals["wikitext_characters"] = len(wikitext)
        page = clean_wikitext(
            wikitext,
            language=document.metadata.get("language") or "",
            title=document.metadata.get("title") or "",
            dropped_sections=self.settings.dropped_sections,
            structure=self.settings.structure,
        )
        document.text, document.metadata["cited_urls"] = page.text, page.cited_urls
        document.metadata["categories"] = page.categories
        document.signals["disambiguation"] = page.is_disambiguation
        document.signals["holes"] = len(page.holes)
        document.signals["hole_templates"] = page.holes
        if not document.text:
            return Rejected("empty", f"nothing left of {len(wikitext)} characters of wikitext")
        return document

    def _clean_rendered(self, document: Document) -> Document | Rejected:
        source, document.raw = document.raw, b""
        document.text, page = rendered_text(
            source,
            language=document.metadata.get("language") or "",
            dropped_sections=self.settings.dropped_sections,
            structure=self.settings.structure,
        )
        document.metadata["cited_urls"] = urls_of(page)
        document.metadata["categories"] = list(page.categories)
        document.signals["disambiguation"] = page.is_disambiguation
        document.signals["holes"] = 0
        if not document.text:
            return Rejected("empty", f"nothing left of {len(source)} bytes of HTML")
        return document


class CleanPage(NamedTuple):
    """What cleaning makes of a page.

    Attributes:
        text: its plain text.
        cited_urls: the URLs it cites.
        holes: names of the templates that left a gap in running text, one for each gap.
        categories: names of the categories that its own wikitext names, without their namespace.
        is_disambiguation: whether it only tells apart what has one name.
    """

    text: str
    cited_urls: list[str]
    holes: list[str]
    categories: list[str]
    is_disambiguation: bool


def clean_wikitext(
    wikitext: str,
    *,
    language: str,
    title: str,
    dropped_sections: Collection[SectionKind],
    structure: bool = False,
) -> CleanPage:
    """Return a page's plain text, the URLs it cites, and the gaps left in it.

    Args:
        wikitext: source of one page.
        language: code of the wiki's language, for templates that differ by wiki.
        title: what `{{PAGENAME}}` shows.
        dropped_sections: kinds of apparatus sections to leave out.
        structure: whether headings, lists, tables and code are Markdown.
    """
    wikitext = wikitext.replace("\r", "") if "\r" in wikitext else wikitext
    parts = split_opaque(wikitext, fenced=structure)
    text = "".join(_SIMPLE_LINK.split(parts.text))
    notes = TemplateNotes(parts)
    text = replace_templates("\n" + text, language, title, notes)
    text = _remove_tables(text, structure)
    categories: dict[str, None] = {}
    text = _replace_links(text, categories)
    text = _remove_tags(text)
    text = _remove_emphasis(text)
    if "<" in text:
        text = "".join(_TORN_REFERENCE.split(text))
    if "[" in text or "]" in text or "{" in text or "}" in text:
        text = _TORN_MARK.sub("", text)
    text = mend_gaps(unescape(mark_blocks(text)), notes.keep)
    text = plain_lines(text, dropped_sections, structure)
    holes = notes.left_in(text)
    text = restore_kept(text, parts).strip("\n")
    is_disambiguation = notes.is_disambiguation or "__DISAMBIG__" in wikitext
    urls = urls_of_references(parts.references)
    return CleanPage(text, urls, holes, list(categories), is_disambiguation)


def _remove_tables(text: str, structure: bool) -> str:
    if "{|" in text:

        def keep(pair: nesting.Pair) -> nesting.Show:
            line = text[pair.inner_start : text.find("\n", pair.inner_start)]
            return _table if structure and is_data(line) else "\n"

        pairs = nesting.match_marks(text, *_TABLE, None)
        text = nesting.render(text, pairs, keep)
    if "<table" in text:
        pairs = nesting.match_marks(text, *_HTML_TABLE, None)
        text = nesting.render(text, pairs, lambda pair: "\n")
    return text


def _table(inner: str) -> str:
    lines = markdown(wiki_table(inner))
    return "\n".join(["\n", *(BLOCK_LINE + line for line in lines), "\n"]) if lines else "\n"


def _replace_links(text: str, categories: dict[str, None]) -> str:
    """Put labels in the place of links; the names of the page's categories go to `categories`."""
    if "[[" in text:
        pairs = nesting.match_marks(text, *_LINK)

        def keep(pair: nesting.Pair) -> nesting.Show:
            prefix = _LINK_PREFIX.match(text, pair.inner_start, pair.inner_end)
            if prefix is None or prefix[1]:
                return _label
            namespace = prefix[2].strip().replace("_", " ")
            folded = namespace.lower()
            if folded in CATEGORY_NAMESPACES:
                name = text[prefix.end() : pair.inner_end].partition("|")[0].strip()
                categories[name.replace("_", " ")] = None
                return REMOVED
            if folded in MEDIA_NAMESPACES:
                return REMOVED
            return REMOVED if is_interlanguage(namespace) else _label

        text = nesting.render(text, pairs, keep)
    text = text.replace("[[", "").replace("]]", "")
    if "[" in text:
        text = _EXTERNAL_LINK.sub(lambda match: match[1].strip() or REMOVED, text)
    return text


def _label(inner: str) -> str:
    target, bar, label = inner.partition("|")
    if bar and label.strip():
        return label
    target = target.strip().removeprefix(":")
    prefix, colon, rest = target.partition(":")
    return rest if colon and prefix.lower() in PROJECT_PREFIXES else target


def _remove_tags(text: str) -> str:
    if "-{" in text:
        text = _VARIANT.sub(_first_variant, text)
    if "<" not in text:
        return text
    if "isplay" in text:
        text = _MAY_BE_HIDDEN.sub(lambda tag: "" if _HIDDEN.search(tag[2]) else tag[0], text)
    text = _SCRIPT.sub(_script, text)
    text = "\n".join(_BLOCK_TAG.split(text))
    return "".join(_INLINE_TAG.split(text))


def _first_variant(match: re.Match[str]) -> str:
    """Of `-{sr-ec: а; sr-el: a}-` keep the first; `-{text}-` only forbids conversion.

    Flags stand before a bar: with `H` and `T` a rule or the page's title is set, nothing is shown.
    """
    flags = {flag.strip() for flag in (match[1] or "").rstrip("|").split(";")}
    if flags & {"H", "T", "-"}:
        return ""
    first = match[2].split(";", 1)[0]
    code, colon, text = first.partition(":")
    return text.strip() if colon and code.strip().replace("-", "").isascii() else match[2]


def _script(match: re.Match[str]) -> str:
    """Digits raised or lowered; letters marked where they belong to a formula."""
    content = match[2].replace("''", "").strip()
    before = match.string[max(0, match.start() - 6) : match.start()]
    if content.isalpha() and content == match[2] and not _VARIABLE.search(before):
        return content
    return script(content, "^" if match[1].lower() == "sup" else "_")


def _remove_emphasis(text: str) -> str:
    if "'''" in text:
        lines = text.split("\n")
        text = "\n".join(_plain_emphasis(line) if "'''" in line else line for line in lines)
    text = text.replace("''", "")
    if "__" in text:
        text = _SWITCH.sub(lambda word: "" if word[0].isupper() else word[0], text)
    return text


def _plain_emphasis(line: str) -> str:
    """Remove emphasis from a line as MediaWiki reads it, keeping apostrophes that are letters.

    Two, three and five apostrophes are emphasis and what is over is text; but where neither bold
    nor italics close on the line, as in `l'''homme''`, one bold mark is an apostrophe and italics.
    """
    runs = [(match.start(), len(match[0])) for match in _EMPHASIS.finditer(line)]
    bold = [start for start, length in runs if length == 3]
    open_bold = sum(length != 2 for _, length in runs) % 2
    open_italics = sum(length == 2 or length > 4 for _, length in runs) % 2
    if open_bold and open_italics and bold:
        start = min(bold, key=lambda start: (_word_before(line, start), start))
        line = f"{line[:start]}'{line[start + 3 :]}"
    return _EMPHASIS.sub(_apostrophes, line)


def _word_before(line: str, start: int) -> int:
    """Rank what stands before a bold mark: one letter, then a word, then a space."""
    before = line[max(0, start - 2) : start]
    if before.endswith(" ") or not before:
        return 2
    return 0 if len(before) < 2 or before[0] == " " else 1


def _apostrophes(run: re.Match[str]) -> str:
    count = len(run[0])
    return "'" if count == 4 else "'" * max(count - 5, 0)
