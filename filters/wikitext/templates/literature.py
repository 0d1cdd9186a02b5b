"""Citations in lists of literature: Citation Style 1 and 2, `{{Ouvrage}}`, `{{Literatur}}`.

What a list of books and articles says, as far as a call keeps to the usual parameters
(Help:Citation Style 1; Modèle:Ouvrage; Vorlage:Literatur). References between `<ref>` tags are not
shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from filters.wikitext.templates.call import Call
from filters.wikitext.templates.wiki import Wiki

_SILENT = re.compile(
    r"(?:author|editor|contributor|translator|subject)-?(?:link|mask)?\d*(?:-?(?:link|mask))\d*"
    r"|(?:title|chapter|author|editor|lay|contribution|doi|url|jstor|hdl|pmc)-?(?:link|url|access"
    r"|status|format|date|free|broken)\d*|ref|df|postscript|dead-?url|accessdate"
    r"|name-list-style|no-tracking|lien[ _]auteur\d*|lien[ _]éditeur"
)
_MOST_NAMES = 30
_IDENTIFIERS = (
    ("arxiv", "arXiv:"),
    ("bibcode", "Bibcode:"),
    ("doi", "doi:"),
    ("isbn", "ISBN "),
    ("issn", "ISSN "),
    ("jstor", "JSTOR "),
    ("oclc", "OCLC "),
    ("pmc", "PMC "),
    ("pmid", "PMID "),
)
_PERIODICALS = ("work", "website", "newspaper", "magazine", "journal", "periodical", "encyclopedia")
_DOMAIN = re.compile(r"https?://(?:[^/:]*?\.)?([^/.:]+\.[^/.:]+)(?::\d+)?(?:/|\Z)")


def citation_style(wiki: Wiki, call: Call, *, kind: str) -> str | None:
    """`{{cite book|last=…|first=…|title=…}}` and its like by kind; `{{citation}}` is `cs2`."""
    get = call.get
    _pass_over(call)
    is_second = kind == "cs2"
    authors = _people(call, "", "author")
    editors = _people(call, "editor", "editor")
    title, chapter = get("title"), get("chapter", "contribution", "entry")
    work, date = get(*_PERIODICALS), get("date", "year", "publication-date")
    if not title or (editors and not chapter):
        return None
    original = get("orig-year", "orig-date", "origyear")
    when = (f"({date})" if date else "") + (f" [{original}]" if original and date else "")
    stop = ", " if is_second else ". "
    pieces = [f"{authors} {when}".strip() if authors else ""]
    pieces.append(f'"{chapter}"' if chapter else "")
    if editors:
        many = "; " in editors or " & " in editors
        pieces.append(f"{'in' if is_second else 'In'} {editors} ({'eds.' if many else 'ed.'})")
    is_part = bool(work) or kind in ("web", "journal", "news", "arxiv")
    form = f" ({get('format')})" if get("format") else _form_of(get("url"))
    archived = get("archive-url", "archiveurl")
    shown = f'"{title}"' if is_part and not chapter else title
    language = get("language", "lang")
    if language and language.lower() not in ("en", "english"):
        name = wiki.languages.get(language.lower(), language)
        form += f" (in {name})"
    edition = get("edition")
    pieces.append(shown + form + (f" ({edition} ed.)" if edition else ""))
    pieces += _within(call, work, stop)
    publisher = ": ".join(filter(None, (get("location", "place"), get("publisher"))))
    pieces += [publisher, "" if authors else date]
    if not get("journal") or not get("volume", "issue", "number"):
        pieces.append(_pages(call))
    pieces += _identifiers(call)
    if archived:
        original_form = _form_of(get("url"))
        day = get("archive-date", "archivedate")
        pieces.append(f"Archived from the original{original_form} on {day}")
    if (day := get("access-date", "accessdate")) and get("url"):
        pieces.append(f"Retrieved {day}")
    if is_second:
        pieces = [_small(piece, ("Archived", "Retrieved")) for piece in pieces]
    return _joined(pieces, stop) + ("" if is_second else ".")


def _pass_over(call: Call) -> None:
    """Note the parameters that show nothing as read."""
    for name in call.parameters:
        if _SILENT.fullmatch(name):
            call.get(name)


def _people(call: Call, prefix: str, plain: str) -> str:
    """Names as `last, first; last, first`."""
    names: list[str] = []
    for number in ("", *map(str, range(1, _MOST_NAMES))):
        keys = [f"{prefix}-last{number}", f"{prefix}{number}-last", f"{plain}{number}"]
        firsts = [f"{prefix}-first{number}", f"{prefix}{number}-first"]
        if not prefix:
            keys = [f"last{number}", f"surname{number}", f"{plain}{number}"]
            firsts = [f"first{number}", f"given{number}"]
        last, first = call.get(*keys), call.get(*firsts)
        if last:
            names.append(f"{last}, {first}" if first else last)
        elif number not in ("", "1"):
            break
    if call.get("name-list-style") == "amp" and len(names) > 1:
        return " & ".join(["; ".join(names[:-1]), names[-1]])
    return "; ".join(names)


def _form_of(url: str) -> str:
    return " (PDF)" if url.lower().endswith(".pdf") else ""


def _within(call: Call, work: str, stop: str) -> Iterator[str]:
    """The periodical with volume, issue and pages; of a book, its volume and series."""
    volume, issue = call.get("volume"), call.get("issue", "number")
    yield call.get("series")
    if not work:
        if volume:
            yield f"Vol. {volume}"
        return
    if not call.get("journal"):
        number = ", ".join(
            filter(None, (f"Vol. {volume}" if volume else "", f"no. {issue}" if issue else ""))
        )
        yield work
        yield number[:1].upper() + number[1:]
        return
    place = " ".join(filter(None, (volume, f"({issue})" if issue else "")))
    pages = call.get("pages", "page", "at").replace("-", "–") if place else ""
    before = (work.removesuffix(".") if stop == ". " else work) + stop
    yield f"{before}{place}: {pages}" if pages else f"{before}{place}" if place else work


def _pages(call: Call) -> str:
    page, pages = call.get("page"), call.get("pages")
    if pages:
        return f"pp. {pages.replace('-', '–')}"
    return f"p. {page}" if page else call.get("at")


def _identifiers(call: Call) -> Iterator[str]:
    for name, before in _IDENTIFIERS:
        number = call.get(name, name.upper(), *(("eprint",) if name == "arxiv" else ()))
        if number:
            subject = call.get("class") if name == "arxiv" else ""
            yield f"{before}{number}" + (f" [{subject}]" if subject else "")


def _small(piece: str, words: Iterable[str]) -> str:
    return piece[0].lower() + piece[1:] if piece.startswith(tuple(words)) else piece


def _joined(pieces: Iterable[str], stop: str) -> str:
    shown = ""
    for piece in filter(None, pieces):
        if shown:
            shown = shown.removesuffix(".") if stop == ". " else shown
            shown += stop
        shown += piece
    return shown.removesuffix(".") if stop == ". " else shown


def book_french(wiki: Wiki, call: Call) -> str | None:
    """`{{Ouvrage|auteur1=…|titre=…|éditeur=…}}`: authors, title, place, publisher, year, pages."""
    get = call.get
    _pass_over(call)
    title, below = get("titre"), get("sous-titre")
    if not title:
        return None
    notes = "" if not get("champ libre") else f" ({get('champ libre')})"
    if drawn := get("illustrateur"):
        notes += f" (ill. {drawn})"
    series, number = get("collection"), get("numéro dans collection")
    pages = get("pages totales", "pages")
    pieces = [
        _people_french(call) + notes,
        f"{title} : {below}" if below else title,
        get("lieu"),
        get("éditeur"),
        f"coll. « {series} »" + (f" (no {number})" if number else "") if series else "",
        get("date", "année"),
        f"{pages} p." if pages else "",
        f"p. {get('passage')}" if get("passage") else "",
    ]
    language = get("langue")
    shown = (f"({language}) " if language not in ("", "fr") else "") + _joined(pieces, ", ")
    isbns = " et ".join(filter(None, (get("isbn"), get("isbn2"))))
    inside = [f"ISBN {isbns}" if isbns else "", "lire en ligne" if get("lire en ligne") else ""]
    last = ", ".join(filter(None, inside))
    return f"{shown} ({last})" if last else shown


def _people_french(call: Call) -> str:
    names = []
    for number in ("", *map(str, range(1, _MOST_NAMES))):
        first, last = call.get(f"prénom{number}"), call.get(f"nom{number}")
        name = " ".join(filter(None, (first, last))) or call.get(f"auteur{number}")
        if name and (after := call.get(f"postnom{number}")):
            name += f" {after}"
        if name and call.get(f"directeur{number}"):
            name += " (dir.)"
        if name:
            names.append(name)
        elif number not in ("", "1"):
            break
    return " et ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def page_french(wiki: Wiki, call: Call) -> str | None:
    """`{{Lien web|auteur=…|titre=…|site=…}}`: author, « title », sur site, date (consulté le …)."""
    get = call.get
    _pass_over(call)
    get("url")
    title, site, seen = get("titre"), get("site", "éditeur"), get("consulté le")
    if not title:
        return None
    pieces = [_people_french(call), f"« {title} »", f"sur {site}" if site else "", get("date")]
    language = get("langue")
    shown = (f"({language}) " if language not in ("", "fr") else "") + _joined(pieces, ", ")
    return f"{shown} (consulté le {seen})" if seen else shown


def literature_german(wiki: Wiki, call: Call) -> str | None:
    """`{{Literatur|Autor=…|Titel=…|Sammelwerk=…}}`: author: title. In: work. Band, year, pages."""
    get = call.get
    author, title, within = get("Autor"), get("Titel"), get("Sammelwerk")
    if not title:
        return None
    if get("Typ") == "wl":
        author = ""
    edition, volume, number = get("Auflage"), get("Band"), get("Nummer")
    head = [title, get("TitelErg"), f"In: {within}" if within else ""]
    head.append(f"{edition.rstrip('.')}. Auflage" if edition else "")
    start = (f"{author}: " if author else "") + _sentences(head)
    band = volume if volume.startswith("Band") or not volume else f"Band {volume}"
    year = get("Datum", "Jahr")
    place = " ".join(filter(None, (get("Ort"), year)))
    pages, doi, link = get("Seiten"), get("DOI"), get("Online")
    rest = [
        band,
        f"Nr. {number}" if number else "",
        get("Verlag"),
        place,
        f"ISBN {get('ISBN')}" if get("ISBN") else "",
        f"S. {pages}" if pages else "",
        f"doi:{doi}" if doi else "",
    ]
    shown = f"{start} {_joined(rest, ', ')}".strip()
    if link:
        domain = _DOMAIN.match(link)
        if domain is None:
            return None
        shown += f" ({domain[1]}{' [PDF]' if link.lower().endswith('.pdf') else ''})"
    if note := get("Kommentar"):
        shown += f" ({note})"
    return shown + "."


def _sentences(pieces: Iterable[str]) -> str:
    return " ".join(
        piece if piece.endswith((".", "?", "!")) else f"{piece}." for piece in pieces if piece
    )
