"""The templates that a wiki's table knows: what they show, or that they show nothing.

The tables are `wikis/LANGUAGE.toml`, with `wikis/common.toml` behind each of them: MediaWiki's own
functions, and templates that mean the same wherever their name is taken over. An entry gives
`names` (first letter in either case; one `*` stands for anything), what the template's
documentation says (`means`, `source`), and either a pattern (`show`, see pattern.py), or the name
of a function for what no pattern can say (`rule`, see rules.py, with `options`); `ignored` are
parameters that change nothing in the text, and `whole` says that a gap inside spoils all of it.
Entries of `nothing` show no text where they stand; those of `disambiguation` mark pages that only
tell apart what has one name.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

from filters.wikitext.templates.call import Call
from filters.wikitext.templates.pattern import pattern_rule
from filters.wikitext.templates.rules import RULES
from filters.wikitext.templates.wiki import Wiki

_FOLDER = files("filters.wikitext.templates") / "wikis"
_COMMON = "common.toml"
_NAMESPACE = re.compile(
    r"\A(?:subst:|safesubst:|template:|t:|шаблон:|plantilla:|šablona:|skabelon:|vorlage:|modèle:"
    r"|predložak:|sablon:|sjabloon:|szablon:|predefinição:|format:|predloga:|mall:)\s*",
    re.IGNORECASE,
)
_FUNCTION = re.compile(r"(#?[\w ]+):")
# Wikis that share another's templates and language.
_SAME_AS = {"simple": "en"}
# Names kept of one wiki: of unknown ones there is no end.
_MEMORY = 20_000


@dataclass(frozen=True, slots=True)
class Template:
    """What is known of a template.

    Attributes:
        show: its text for a call, None where that is not understood; None: it shows nothing.
        ignored: parameters that change nothing in the text.
        is_whole: whether a gap inside makes all of it a gap.
    """

    show: Callable[[Call], str | None] | None
    ignored: frozenset[str] = frozenset()
    is_whole: bool = False


class Known(NamedTuple):
    """What is known of the name in a call.

    Attributes:
        name: without its namespace, the first letter small.
        end: what stands behind it before the first parameter: a bar, or a function's colon.
        template: None where it is not known.
        star: what the `*` of the entry's name stands for.
        is_disambiguation: whether it marks a page that only tells apart what has one name.
    """

    name: str
    end: str = "|"
    template: Template | None = None
    star: str = ""
    is_disambiguation: bool = False


class TemplateTable:
    """The templates of one wiki.

    Attributes:
        wiki: its conventions.
        boxes: in rendered pages, classes (and `#id`s) of what is no text.
    """

    def __init__(self, language: str) -> None:
        language = _SAME_AS.get(language, language)
        own = _FOLDER / f"{language}.toml"
        common = tomllib.loads((_FOLDER / _COMMON).read_text(encoding="utf-8"))
        wiki = tomllib.loads(own.read_text(encoding="utf-8")) if own.is_file() else {}
        self.wiki = Wiki(
            language,
            **{**common["numbers"], **wiki.get("numbers", {})},
            months=tuple(wiki.get("dates", {}).get("months", ())),
            languages=wiki.get("languages", {}),
        )
        self._disambiguations = frozenset(wiki.get("disambiguation", {}).get("names", ()))
        rendered = [*common["rendered"]["boxes"], *wiki.get("rendered", {}).get("boxes", ())]
        self.boxes = frozenset(rendered)
        self._exact: dict[str, Template] = {}
        self._starred: list[tuple[str, str, Template]] = []
        for entries in (common, wiki):
            self._read(entries)
        # The longest name says most; of two of one length the wiki's own.
        self._starred.reverse()
        self._starred.sort(key=lambda row: -len(row[0]) - len(row[1]))
        self._folded = {name.lower(): found for name, found in self._exact.items()}
        self._folded |= {name: found for name, found in self._exact.items() if name.islower()}
        self.resolve = lru_cache(_MEMORY)(self._resolve)

    def _resolve(self, written: str) -> Known:
        """What is known of the name of a call, as it is written there."""
        name = written.strip().replace("_", " ")
        if name.lower() in self._disambiguations:
            return Known(name, is_disambiguation=True)
        if ":" in name:
            name = _NAMESPACE.sub("", name, count=1)
            function = _FUNCTION.match(name)
            if function and (found := self._find(f"{first_lower(function[1])}:")):
                return Known(function[1], ":", *found)
        name = first_lower(name)
        return Known(name, "|", *(self._find(name) or ()))

    def _read(self, entries: Mapping[str, Any]) -> None:
        nothing = Template(None)
        for entry in entries.get("nothing", ()):
            self._enter(entry["names"], nothing)
        for entry in entries.get("text", ()):
            if "show" in entry:
                show = pattern_rule(entry["show"])
            else:
                show = partial(RULES[entry["rule"]], self.wiki, **entry.get("options", {}))
            ignored = frozenset(entry.get("ignored", ()))
            self._enter(entry["names"], Template(show, ignored, entry.get("whole", False)))

    def _enter(self, names: list[str], template: Template) -> None:
        for name in names:
            start, star, end = name.partition("*")
            if star:
                self._starred.append((first_lower(start), end, template))
            else:
                self._exact[first_lower(name)] = template

    def _find(self, name: str) -> tuple[Template, str] | None:
        """What is known of the template of this name, and what its `*` stands for."""
        lower = name.lower()
        found = self._exact.get(name)
        if found is not None:
            return found, ""
        starred = self._find_starred(name)
        if starred is not None:
            return starred
        found = self._folded.get(lower)
        return (found, "") if found is not None else self._find_starred(lower)

    def _find_starred(self, name: str) -> tuple[Template, str] | None:
        for start, end, template in self._starred:
            if name.startswith(start) and name.endswith(end) and len(name) > len(start) + len(end):
                return template, name[len(start) : len(name) - len(end)]
        return None


def first_lower(name: str) -> str:
    """A name with its first letter in lower case: MediaWiki takes both for one."""
    return name[:1].lower() + name[1:]


@cache
def template_table(language: str) -> TemplateTable:
    """The table of a language's wiki; only the common one where it has none of its own."""
    return TemplateTable(language)


@cache
def tables_digest() -> str:
    """SHA-256 of all tables: they decide text as code does."""
    digest = hashlib.sha256()
    for folder in (_FOLDER, files("filters.wikitext.templates") / "units"):
        for path in sorted(_tables(folder), key=lambda path: path.name):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _tables(folder: Traversable) -> list[Traversable]:
    return [path for path in folder.iterdir() if path.name.endswith(".toml")]
