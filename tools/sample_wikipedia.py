"""Build the sample Wikipedia dumps: MediaWiki export schema 0.11, bz2, one file per language.

Sources are `samples/source/wikipedia/<language>-*.wiki`. A body is wikitext; `{cite:page}` in it
becomes a `<ref>` to the page of that name in the sample crawl, and the entry's fields make the
frame an article has at its wiki (short description, reference list, categories).
"""

from __future__ import annotations

import bz2
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from sample_sources import Entry, read_entries

SCHEMA = "http://www.mediawiki.org/xml/export-0.11/"
MULTISTREAM_PAGES = 5
CITE = re.compile(r"\{cite:([a-z0-9-]+)(?:\|([a-z]+))?\}")
ARCHIVE = "https://web.archive.org/web/20230614081500/"


@dataclass(frozen=True, slots=True)
class Wiki:
    """What differs between the languages' dumps."""

    language: str
    sitename: str
    main_page: str
    redirect: str
    references: str
    category: str
    namespaces: Mapping[int, str]
    multistream: bool = False


WIKIS = (
    Wiki(
        language="en",
        sitename="Wikipedia",
        main_page="Main_Page",
        redirect="REDIRECT",
        references="References",
        category="Category",
        namespaces={
            -2: "Media", -1: "Special", 0: "", 1: "Talk", 2: "User", 3: "User talk",
            4: "Wikipedia", 6: "File", 8: "MediaWiki", 10: "Template", 12: "Help",
            14: "Category", 100: "Portal", 828: "Module",
        },
    ),
    Wiki(
        language="de",
        sitename="Wikipedia",
        main_page="Wikipedia:Hauptseite",
        redirect="WEITERLEITUNG",
        references="Einzelnachweise",
        category="Kategorie",
        namespaces={
            -2: "Medium", -1: "Spezial", 0: "", 1: "Diskussion", 2: "Benutzer",
            3: "Benutzer Diskussion", 4: "Wikipedia", 6: "Datei", 8: "MediaWiki",
            10: "Vorlage", 12: "Hilfe", 14: "Kategorie", 100: "Portal", 828: "Modul",
        },
        multistream=True,
    ),
    Wiki(
        language="fr",
        sitename="Wikipédia",
        main_page="Wikipédia:Accueil_principal",
        redirect="REDIRECTION",
        references="Notes et références",
        category="Catégorie",
        namespaces={
            -2: "Média", -1: "Spécial", 0: "", 1: "Discussion", 2: "Utilisateur",
            3: "Discussion utilisateur", 4: "Wikipédia", 6: "Fichier", 8: "MediaWiki",
            10: "Modèle", 12: "Aide", 14: "Catégorie", 100: "Portail", 828: "Module",
        },
    ),
    Wiki(
        language="fi",
        sitename="Wikipedia",
        main_page="Wikipedia:Etusivu",
        redirect="OHJAUS",
        references="Lähteet",
        category="Luokka",
        namespaces={
            -2: "Media", -1: "Toiminnot", 0: "", 1: "Keskustelu", 2: "Käyttäjä",
            3: "Keskustelu käyttäjästä", 4: "Wikipedia", 6: "Tiedosto", 8: "Järjestelmäviesti",
            10: "Malline", 12: "Ohje", 14: "Luokka", 100: "Teemasivu", 828: "Moduuli",
        },
    ),
)  # fmt: skip


def build_dumps(source: Path, output: Path, cited: Mapping[str, tuple[str, str]]) -> None:
    """Write every language's dump.

    Args:
        source: the folder of `.wiki` files.
        output: where the `.xml.bz2` files go.
        cited: page name -> (URL, title) of the sample crawl.
    """
    for wiki in WIKIS:
        entries = read_entries(source, f"{wiki.language}-*.wiki")
        header = _header(wiki).encode()
        cite = _citer(cited)
        pages = [
            (10 + 7 * n, entry.name, _page(wiki, entry, 10 + 7 * n, cite).encode())
            for n, entry in enumerate(entries)
        ]
        stem = f"{wiki.language}wiki-sample-pages-articles"
        if wiki.multistream:
            _write_multistream(output / f"{stem}-multistream", header, pages)
        else:
            xml = header + b"".join(page for _, _, page in pages) + b"</mediawiki>\n"
            (output / f"{stem}.xml.bz2").write_bytes(bz2.compress(xml))


def _write_multistream(stem: Path, header: bytes, pages: list[tuple[int, str, bytes]]) -> None:
    """One bz2 stream for the header, one per few pages, one for the end; and their index."""
    data = bz2.compress(header)
    index: list[str] = []
    for start in range(0, len(pages), MULTISTREAM_PAGES):
        block = pages[start : start + MULTISTREAM_PAGES]
        index += [f"{len(data)}:{number}:{title}\n" for number, title, _ in block]
        data += bz2.compress(b"".join(page for _, _, page in block))
    data += bz2.compress(b"</mediawiki>\n")
    stem.with_name(stem.name + ".xml.bz2").write_bytes(data)
    stem.with_name(stem.name + "-index.txt.bz2").write_bytes(bz2.compress("".join(index).encode()))


def _header(wiki: Wiki) -> str:
    """The root element and the siteinfo."""
    rows = "".join(
        f'      <namespace key="{key}" case="first-letter"'
        + (f">{escape(name)}</namespace>\n" if name else " />\n")
        for key, name in wiki.namespaces.items()
    )
    return (
        f'<mediawiki xmlns="{SCHEMA}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{SCHEMA} http://www.mediawiki.org/xml/export-0.11.xsd" '
        f'version="0.11" xml:lang="{wiki.language}">\n'
        f"  <siteinfo>\n    <sitename>{wiki.sitename}</sitename>\n"
        f"    <dbname>{wiki.language}wiki</dbname>\n"
        f"    <base>https://{wiki.language}.wikipedia.org/wiki/{wiki.main_page}</base>\n"
        f"    <generator>MediaWiki 1.42.0-wmf.20</generator>\n    <case>first-letter</case>\n"
        f"    <namespaces>\n{rows}    </namespaces>\n  </siteinfo>\n"
    )


def _page(wiki: Wiki, entry: Entry, number: int, cite: Callable[[str], str]) -> str:
    """One `<page>` element with its latest revision."""
    redirect = entry.get("redirect")
    text = f"#{wiki.redirect} [[{redirect}]]" if redirect else _article(wiki, entry, cite)
    raw = text.encode()
    sha1 = _base36(hashlib.sha1(raw, usedforsecurity=False).digest())
    target = (
        f'\n    <redirect title="{escape(redirect, {chr(34): "&quot;"})}" />' if redirect else ""
    )
    revision = 1_200_000_000 + number
    return f"""\
  <page>
    <title>{escape(entry.name)}</title>
    <ns>{entry.get("ns", "0")}</ns>
    <id>{number}</id>{target}
    <revision>
      <id>{revision}</id>
      <parentid>{revision - 5}</parentid>
      <timestamp>2024-02-{1 + number % 28:02d}T{number % 24:02d}:15:{number % 60:02d}Z</timestamp>
      <contributor>
        <username>SampleWriter</username>
        <id>7</id>
      </contributor>
      <comment>written for the Roving samples</comment>
      <origin>{revision}</origin>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="{len(raw)}" sha1="{sha1}" xml:space="preserve">{escape(text)}</text>
      <sha1>{sha1}</sha1>
    </revision>
  </page>
"""


def _article(wiki: Wiki, entry: Entry, cite: Callable[[str], str]) -> str:
    """The body between what its fields stand for."""
    parts = []
    if short := entry.get("short"):
        parts.append(f"{{{{Short description|{short}}}}}")
    body = CITE.sub(lambda match: cite(match[0]), entry.body)
    parts.append(body)
    if "<ref" in body and "<references" not in body:
        parts.append(f"\n== {wiki.references} ==\n{{{{Reflist}}}}")
    if categories := entry.get("categories"):
        names = (name.strip() for name in categories.split("|"))
        parts.append("\n" + "\n".join(f"[[{wiki.category}:{name}]]" for name in names))
    return "\n".join(parts)


def _citer(cited: Mapping[str, tuple[str, str]]) -> Callable[[str], str]:
    """A function from `{cite:page|variant}` to a `<ref>`; the form of the ref takes turns."""
    turn = 0

    def cite(mark: str) -> str:
        nonlocal turn
        match = CITE.fullmatch(mark)
        if match is None or match[1] not in cited:
            raise ValueError(f"{mark} names no page of the sample crawl")
        url, title = cited[match[1]]
        turn += 1
        if match[2] == "archive":
            return (
                f"<ref>{{{{cite web |title={title} |url={url} |archive-url={ARCHIVE}{url} "
                "|archive-date=14 June 2023 |url-status=dead}}</ref>"
            )
        if match[2] == "http":
            url = url.replace("https://", "http://", 1)
        elif match[2] == "fragment":
            url += "#summary"
        elif match[2] == "slash":
            url += "/"
        elif match[2] == "tracking":
            url += "?utm_source=alert&utm_medium=email"
        elif match[2]:
            raise ValueError(f"{mark}: unknown variant")
        forms = (
            f"<ref>{{{{cite web |url={url} |title={title} |access-date=3 May 2023}}}}</ref>",
            f'<ref name="r{turn}">{{{{Cite journal | last = Archer | title = {title} '
            f"| url = {url} | year = 2019 | pages = 14–22}}}}</ref>",
            f"<ref>[{url} {title}], retrieved 3 May 2023.</ref>",
            f"<ref>{url}</ref>",
        )
        return forms[turn % len(forms)]

    return cite


def _base36(digest: bytes) -> str:
    """A SHA-1 as MediaWiki writes it: 31 digits in base 36."""
    number = int.from_bytes(digest, "big")
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits.rjust(31, "0")
