"""Templates that put words around, between or in place of their parameters."""

from __future__ import annotations

import re

from filters.scripts import script
from filters.wikitext.templates.call import Call
from filters.wikitext.templates.wiki import Wiki

# Of a template's name the first letter is small: `iIIe`.
_NUMERAL = re.compile(r"(\d+|[ivx]|[ivxlcdm][IVXLCDM]+)(ers?|res?|es?|ère|ème|eme|de?)")
_CHEMICAL = re.compile(r"(?<=[A-Za-z)\]])(\d+)")
_CHARGE = re.compile(r"(?<=[A-Za-z)\]₀-₉\d])(\d*[+−-])$")
_CELL = re.compile(r"[\w().,·•→+−-]+")


def joined(wiki: Wiki, call: Call, *, between: str = "", end: str = "") -> str | None:
    """All unnamed parameters, one after another."""
    values = [value for value in call.positional() if value]
    return between.join(values) + end if values else None


def items(wiki: Wiki, call: Call) -> str | None:
    """Every unnamed parameter a line of its own."""
    values = [value for value in call.positional() if value]
    return "\n".join(["", *values, ""]) if values else None


def inline_list(wiki: Wiki, call: Call, *, between: str = " · ") -> str | None:
    """`{{hlist|a|b}}`, or a list of lines: on one line."""
    values = [value for value in call.positional() if value]
    if len(values) == 1:
        values = [line.lstrip("*#:; ") for line in values[0].split("\n") if line.strip("*#:; ")]
    return between.join(values) or None


def changed_case(wiki: Wiki, call: Call, *, case: str) -> str | None:
    """`{{uc:text}}`, `{{lcfirst:Text}}` and their like."""
    text = call.get(1)
    if case == "first_upper":
        return text[:1].upper() + text[1:]
    if case == "first_lower":
        return text[:1].lower() + text[1:]
    return text.upper() if case == "upper" else text.lower()


def plural(wiki: Wiki, call: Call) -> str | None:
    """`{{plural:2|page|pages}}`: the form for the number, in languages with two."""
    number, one, many = call.get(1), call.get(2), call.get(3)
    return (one if number in ("1", "−1", "-1") else many or one) or None


def ship(wiki: Wiki, call: Call, *, prefix: str | None = None) -> str | None:
    """`{{ship|HMS|Ark Royal|91}}`, `{{USS|Enterprise|CV-6|2}}`: prefix, name, number."""
    start = 1
    if prefix is None:
        prefix, start = call.get(1), 2
    name, mark, form = call.get(start), call.get(start + 1), call.get(start + 2, "up")
    if not name:
        return None
    full = f"{prefix} {name}".strip()
    forms = {
        "": f"{full} ({mark})" if mark else full,
        "1": f"{prefix} ({mark})",
        "2": full,
        "3": f"{name} ({mark})",
        "4": f"{prefix} {name}",
        "5": mark,
        "6": name,
    }
    return forms.get(form)


def ship_class(wiki: Wiki, call: Call, *, hyphen: str = "-class ") -> str | None:
    """`{{sclass|Nimitz|carrier}}`: Nimitz-class carrier."""
    name, kind, form = call.get(1), call.get(2), call.get(3)
    call.get(4, 5)
    if not name or form not in ("", "0", "1", "2", "3", "4", "5"):
        return None
    if form in ("1", "5"):
        return f"{name} class"
    if form == "2":
        return f"{name} class {kind}"
    return f"{name}{hyphen}{kind}".strip() if kind else f"{name}-class"


def sort_name(wiki: Wiki, call: Call) -> str | None:
    """`{{sortname|Jane|Doe}}`: Jane Doe."""
    for name in ("dab", "nolink", 3, 4):
        call.get(name)
    return f"{call.get(1)} {call.get(2)}".strip() or None


def interlanguage(wiki: Wiki, call: Call) -> str | None:
    """`{{ill|Name|de|Name auf Deutsch|lt=label}}`: the label, else the name."""
    call.get(*range(2, 20))
    return call.get("lt", "display", "texte", "text", "label", 1) or None


def interlanguage_french(wiki: Wiki, call: Call) -> str | None:
    """`{{Lien|langue=en|trad=Original|fr=Titre|texte=label}}`: label (en)."""
    text = call.get("texte", "text", 2, 1, "fr", "trad")
    code = call.get("langue", "lang") or "en"
    return f"{text} ({code})" if text else None


def ordinal_french(wiki: Wiki, call: Call) -> str | None:
    """`{{8e|baronnet}}`, `{{1er}}`: the template's name, then what it counts."""
    match = _NUMERAL.fullmatch(call.name)
    if match is None:
        return None
    ending = {"ère": "re", "ème": "e", "eme": "e"}.get(match[2].lower(), match[2].lower())
    number = match[1].upper()
    return " ".join(filter(None, (number + ending, call.get(1))))


def before_christ(wiki: Wiki, call: Call, *, after: str) -> str | None:
    """`{{AC|5500}}`: 5 500 a.C."""
    shown = wiki.grouped(call.get(1)) if len(call.get(1)) > 3 else call.get(1)
    return f"{shown}{after}" if shown else None


def chemical(wiki: Wiki, call: Call) -> str | None:
    """`{{chem2|H2O}}`, `{{chem|H|2|O}}`: digits lowered, charges raised."""
    values = [value for value in call.positional() if value]
    if len(values) > 1:
        return "".join(script(value, "_") if value[0].isdigit() else value for value in values)
    if not values or not re.fullmatch(r"[A-Za-z0-9()\[\]+−*·⋅ -]+", values[0]):
        return None
    if "->" in values[0] or "(-" in values[0] or " " in values[0]:
        return None
    text = _CHARGE.sub(lambda match: script(match[1].replace("-", "−"), "^"), values[0])
    return _CHEMICAL.sub(lambda match: script(match[1], "_"), text)


def chemical_parts(wiki: Wiki, call: Call) -> str | None:
    """`{{fchim|CO|2}}`, `{{chem|SO|4|2-}}`: symbols and indices in turn; a charge is raised."""
    shown = ""
    for value in call.positional():
        if re.fullmatch(r"\d+", value):
            shown += script(value, "_")
        elif re.fullmatch(r"\d*[+−-]", value):
            shown += script(value.replace("-", "−"), "^")
        elif "''" in value:  # a number that is not said
            shown += f"<sub>{value}</sub>"
        elif re.fullmatch(r"[A-Za-z()\[\]]*", value):
            shown += value
        else:
            return None
    return shown or None


def country(wiki: Wiki, call: Call, *, name: str) -> str | None:
    """`{{CHE}}`, `{{CHE|Ziel=Marc Rosset}}`, `{{CHE|#}}`: a flag and a name, or the flag alone."""
    first = call.get(1)
    if first == "#" or call.get("#"):
        return ""
    return call.get(2, 1, "Ziel", "Text") or name


def labelled_plainly(wiki: Wiki, call: Call, *, between: str = " ") -> str | None:
    """`{{enS|text}}`: the language that the template's name says, and the text."""
    name = wiki.languages.get(call.star.lower())
    if name is None:
        return None
    text = call.get(1, "text")
    return f"{name}{between}{text}" if text else name


def languages_in_brackets(wiki: Wiki, call: Call) -> str | None:
    """`{{mul|fr|en}}`: (fr + en)."""
    values = [value for value in call.positional() if value]
    return f"({' + '.join(values)})" if values else None


def unbracketed(wiki: Wiki, call: Call) -> str | None:
    """`{{souverain2|Louis XIV (roi)}}`: a title without what tells pages apart."""
    return call.get(1).partition(" (")[0] or None


def language_code(wiki: Wiki, call: Call) -> str | None:
    """`{{en}}`: (en), before a source in that language; with a text it is another template."""
    return f"({call.name})" if not call.get(1) else None


def second_or_first(wiki: Wiki, call: Call) -> str | None:
    """`{{нп5|Page|label}}`: the label, else the page."""
    return call.get(2, 1) or None


def language_name(wiki: Wiki, call: Call) -> str | None:
    """`{{vjazyce|de}}`: the wiki's word for a language."""
    return wiki.languages.get(call.get(1).lower())


_MUSIC = {
    "flat": "♭",
    "b": "♭",
    "♭": "♭",
    "sharp": "♯",
    "#": "♯",
    "♯": "♯",
    "natural": "♮",
    "n": "♮",
    "♮": "♮",
}


def music(wiki: Wiki, call: Call) -> str | None:
    """`{{music|flat}}`: ♭."""
    return _MUSIC.get(call.get(1))


def currency(wiki: Wiki, call: Call) -> str | None:
    """`{{currency|40|EUR}}`: €40."""
    signs = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
    sign, amount = signs.get(call.get(2, "type").upper()), call.get(1, "amount")
    number = wiki.grouped(amount) or (amount if amount[:1].isdigit() else "")
    return f"{sign}{number}" if sign and number else None


def flag_italian(wiki: Wiki, call: Call) -> str | None:
    """`{{bandiera|Francia|nome}}`: the country's name if asked for, else a flag."""
    name, form = call.get(1), call.get(2)
    return {"nome": name, "": ""}.get(form)


def aside_french(wiki: Wiki, call: Call) -> str | None:
    """`{{incise|text}}`: — text —; with `stop`, only the first dash."""
    text, end = call.get(1), call.get(2)
    if not text or end not in ("", "stop"):
        return None
    return f"— {text}" if end else f"— {text} —"


_QUOTATION_MARKS = {
    "": ("„", "“"),
    "de": ("„", "“"),
    "en": ("“", "”"),
    "fr": ("« ", " »"),
    "es": ("«", "»"),
    "it": ("«", "»"),
    "ru": ("«", "»"),
    "pl": ("„", "”"),
}


def quotation_german(wiki: Wiki, call: Call) -> str | None:
    """`{{Zitat|text|Sprache=en|Übersetzung=…}}`: in the language's own marks, then in German."""
    text = call.get(1, "Text")
    language = call.get("Sprache", "lang")
    opening, closing = _QUOTATION_MARKS.get(language, ("", ""))
    translation = call.get("Übersetzung")
    if not text:
        return None
    shown = f"\n{opening}{text}{closing}\n"
    return f"{shown}„{translation}“\n" if translation else shown


def in_braces(wiki: Wiki, call: Call) -> str | None:
    """`{{mset|a, b}}`: {a, b}."""
    inside = ", ".join(value for value in call.positional() if value)
    return f"{{{inside}}}" if inside else None


def elsewhere(
    wiki: Wiki, call: Call, *, before: str = "", after: str, also: str = "name"
) -> str | None:
    """`{{IMDb name|123|Jane Doe}}`: Jane Doe at IMDb; without a name, the page's.

    Args:
        also: a parameter that gives the name where no other one does.
    """
    name = call.get("name", "title", "label", 2, also) or call.title.partition(" (")[0]
    return f"{before}{name} {after}" if name else None


def harvard(wiki: Wiki, call: Call, *, form: str) -> str | None:
    """`{{harvnb|Hall|2006|p=33}}`: Hall 2006, p. 33; `{{harvtxt}}`: Hall (2006, p. 33)."""
    values = [value for value in call.positional() if value]
    if len(values) < 2:
        return None
    *names, year = values
    who = " & ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    if len(names) > 3:
        who = f"{names[0]} et al."
    page, pages, place = call.get("p", "page"), call.get("pp", "pages"), call.get("loc", "at")
    where = f"p. {page}" if page else f"pp. {pages.replace('-', '–')}" if pages else place
    year_and_place = f"{year}, {where}" if where else year
    if form == "year":
        return f"{who} ({year_and_place})"
    return f"({who} {year_and_place})" if form == "bracketed" else f"{who} {year_and_place}"


def coloured(wiki: Wiki, call: Call) -> str | None:
    """`{{color|red|text}}`: the last of colours and text."""
    values = [value for value in call.positional() if value]
    return values[-1] if len(values) in (2, 3) else None


def sentence_italian(wiki: Wiki, call: Call) -> str | None:
    """`{{Bio}}` of the Italian Wikipedia: an article's first sentence, put together from facts.

    Template:Bio/man: title, name, surname, pseudonym, (place, day, year of birth – of death),
    "è" or "è stato", occupation, nationality, what follows.
    """
    get = call.get
    name = " ".join(filter(None, (get("Titolo"), get("Nome"), get("PreCognome"), get("Cognome"))))
    if surname_first := get("CognomePrima"):
        del surname_first
        name = " ".join(filter(None, (get("Cognome"), get("Nome"))))
    shown = name + get("PostCognome")
    if alias := get("Pseudonimo"):
        shown += f", noto anche come {alias}"
    shown += get("PostPseudonimo")
    occupation, nationality = get("Attività"), get("Nazionalità")
    if not name or not nationality or get("FineIncipit", "Incipit", "Categorie?"):
        return None if not name else _with_end(shown, _dates_italian(call), get("FineIncipit"))
    shown += _dates_italian(call)
    feminine = get("Sesso").upper() == "F"
    dead = bool(get("AnnoMorte", "GiornoMeseMorte", "LuogoMorte"))
    verb = ("è stata" if feminine else "è stato") if dead else "è"
    first = _occupation(occupation, get("AttivitàAltre"), get("Attività2"), get("Attività3"))
    if not first:
        return None
    article = _article_italian(first, feminine)
    after = get("PostNazionalità")
    space = " " if after and after[0] not in ",;:. " else ""
    return f"{shown} {verb} {article}{first} {nationality}{space}{after}."


def _with_end(shown: str, dates: str, end: str) -> str | None:
    return f"{shown}{dates} {end}." if end else None


def _occupation(first: str, others: str, second: str, third: str) -> str:
    listed = [value for value in (first, second, third) if value]
    if not listed:
        return ""
    if others:
        return ", ".join(listed) + (others if others.startswith((",", " ")) else f" {others}")
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} e {listed[-1]}"


def _article_italian(word: str, feminine: bool) -> str:
    lower = word.lower()
    if lower.startswith(tuple("aeiouàèéìòù")):
        return "un'" if feminine else "un "
    if feminine:
        return "una "
    hard = re.match(r"(s[^aeiou]|z|gn|ps|pn|x|y|i[aeiou])", lower)
    return "uno " if hard else "un "


def _dates_italian(call: Call) -> str:
    get = call.get
    get("LuogoNascitaAlt", "LuogoMorteAlt", "LuogoNascitaLink", "LuogoMorteLink")
    birth = ", ".join(
        filter(
            None, (get("LuogoNascita"), f"{get('GiornoMeseNascita')} {get('AnnoNascita')}".strip())
        )
    )
    death = ", ".join(
        filter(None, (get("LuogoMorte"), f"{get('GiornoMeseMorte')} {get('AnnoMorte')}".strip()))
    )
    birth += get("NoteNascita")
    death += get("NoteMorte")
    if not birth and not death:
        return ""
    return f" ({birth or '...'} – {death})" if death else f" ({birth})"
