"""Templates of a page: what their wiki's table says they show, and the gaps that the others leave.

A template that the table does not know, or a call with parameters that its rule does not
understand, is a hole: it is removed, and where there is running text around it, it is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from filters.wikitext import nesting
from filters.wikitext.opaque import (
    HOLE_START,
    KEPT_END,
    KEPT_START,
    REMOVED,
    RESERVED,
    OpaqueParts,
)
from filters.wikitext.templates.call import Call, expose, protect, split_parameters
from filters.wikitext.templates.table import (
    Template,
    TemplateTable,
    tables_digest,
    template_table,
)

__all__ = ["TemplateNotes", "replace_templates", "tables_digest"]

_NAME = re.compile(r"\s*([^|{}\[\]<>\n]*)")
_PLACE = re.compile(f"{KEPT_START}([0-9]+){KEPT_END}")
_LONGEST_NAME = 80
# MediaWiki's limit, in bytes.
_LONGEST_TITLE = 255


class TemplateNotes:
    """What the templates of one page leave behind: its holes, and whether one of them says that the
    page only tells apart what has one name.

    A hole that stands in running text becomes an empty kept part, so that it lives or goes with the
    line that it stands in; those that are left in the end count.
    """

    def __init__(self, parts: OpaqueParts) -> None:
        self._parts = parts
        self._names: list[str] = []
        self._kept: dict[int, str] = {}
        self.is_disambiguation = False

    def mark(self, name: str) -> str:
        """What stands in the text where the template of this name was."""
        if name.startswith("#"):
            name = name.partition(":")[0] + ":"
        # As the wiki names its page.
        name = RESERVED.sub("", _PLACE.sub("", name[:_LONGEST_NAME])).strip()
        self._names.append(name[:1].upper() + name[1:])
        return f"{HOLE_START}{len(self._names) - 1}{REMOVED}"

    def keep(self, number: str) -> str:
        """The placeholder of a hole that stands in running text."""
        self._kept[len(self._parts.kept)] = self._names[int(number)]
        self._parts.kept.append("")
        return f"{KEPT_START}{len(self._parts.kept) - 1}{KEPT_END}"

    def left_in(self, text: str) -> list[str]:
        """Names of the holes whose placeholders stand in a text, in order."""
        if not self._kept:
            return []
        numbers = map(int, _PLACE.findall(text))
        return [self._kept[number] for number in numbers if number in self._kept]


def replace_templates(text: str, language: str, title: str, notes: TemplateNotes) -> str:
    """Put in the place of every template what it shows.

    Args:
        text: wikitext without comments and opaque parts.
        language: code of the wiki's language.
        title: of the page.
        notes: where those that cannot be shown are noted.
    """
    if "{{" not in text and "}}" not in text:
        return text
    page = _Page(text, template_table(language), language, title, notes)
    text = nesting.render(text, nesting.match_braces(text), page.keep)
    return expose(text).replace("{{", "").replace("}}", "")


class _Page:
    """Decides what the templates of one page show."""

    def __init__(
        self, text: str, table: TemplateTable, language: str, title: str, notes: TemplateNotes
    ) -> None:
        self._text = text
        self._table = table
        self._language = language
        self._title = title
        self._notes = notes

    def keep(self, pair: nesting.Pair) -> nesting.Show:
        """What stands in a pair's place: a text, or a function from its inner text to one."""
        if pair.braces == 3:
            return REMOVED
        match = _NAME.match(self._text, pair.inner_start, pair.inner_end)
        name = match[1] if match else ""
        if len(name) > _LONGEST_TITLE:  # of no page; and what is looked up is remembered
            return self._notes.mark(name)
        known = self._table.resolve(name)
        if known.is_disambiguation:
            self._notes.is_disambiguation = True
            return REMOVED
        if known.template is None:
            return self._notes.mark(known.name or "?")
        if known.template.show is None:
            return REMOVED
        return self._shown(known.template, known.star, known.name, known.end)

    def _shown(self, template: Template, star: str, name: str, after: str) -> Callable[[str], str]:
        def show(inner: str) -> str:
            _, has_parameters, rest = inner.partition(after)
            parameters = split_parameters(f"|{rest}") if has_parameters else {}
            call = Call(name, self._language, self._title, star, parameters)
            assert template.show is not None
            is_torn = template.is_whole and HOLE_START in inner
            text = None if is_torn else template.show(call)
            if text is None or not call.is_understood(template.ignored):
                return self._notes.mark(name)
            return protect(text) if text else REMOVED

        return show
