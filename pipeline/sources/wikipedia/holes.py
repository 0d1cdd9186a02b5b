"""Which templates left holes in a dataset of Wikipedia, by wiki: what its tables lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from filters.document import Document

# The rest are single pages' templates; the column `hole_templates` has them all.
_MOST = 200
_KIND = "hole"


def holes(document: Document) -> Iterator[str]:
    """A name for each hole of an article, to be counted: of its wiki and its template."""
    wiki = document.id.partition("/")[0]
    for template in document.signals.get("hole_templates") or ():
        yield f"{_KIND}/{wiki}/{template}"


def holes_by_template(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Number of holes by wiki and template, the commonest first, of counts by name."""
    found: dict[str, Counter[str]] = {}
    for name, number in counts.items():
        kind, wiki, template = name.split("/", 2)
        assert kind == _KIND
        found.setdefault(wiki, Counter())[template] = number
    return {wiki: dict(found[wiki].most_common(_MOST)) for wiki in sorted(found)}
