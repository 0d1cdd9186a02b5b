"""Templates: what the tables show; what they do not understand is a hole, never a guess."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from filters.wikitext import CleanPage, clean_wikitext
from filters.wikitext.licence import wikipedia_licence
from filters.wikitext.page import LLAMA_LANGUAGES
from filters.wikitext.templates.pattern import pattern_rule
from filters.wikitext.templates.rules import RULES


def page(wikitext: str, language: str = "en") -> CleanPage:
    return clean_wikitext(wikitext, language=language, title="Title (x)", dropped_sections=())


@pytest.mark.parametrize(
    ("language", "wikitext", "expected"),
    [
        (
            "en",
            "{{quote|As he said in [[Star Trek: First Contact|First Contact]], the line.}}",
            "As he said in First Contact, the line.",
        ),
        ("en", "[[File:x.jpg|thumb|A {{lang|ja|[[wikt:気|気]]}} word]]After.", "After."),
        ("en", "P ({{langx|fr|Ville de Paris}}) is", "P (French: Ville de Paris) is"),
        (
            "en",
            "word {{langx|ru|слово|slovo|word}} is",
            "word Russian: слово, romanized: slovo, lit. 'word' is",
        ),
        ("en", "P ({{IPA|fr|paʁi|lang}}) is", "P (French: [paʁi]) is"),
        ("en", "P ({{IPA|de|ˈʃtat}}) is", "P ([ˈʃtat]) is"),
        ("en", "is {{val|6.2415093|e=18}} charges", "is 6.2415093×10¹⁸ charges"),
        ("en", "is {{val|1.5|0.2|e=-3|u=m/s2}} fast", "is (1.5±0.2)×10⁻³ m/s² fast"),
        ("en", "At {{convert|6|ft|4|in|cm|0}}, he", "At 6 feet 4 inches (193 cm), he"),
        ("en", "has {{convert|22|e6acre|km2}} of", "has 22 million acres (89,000 km²) of"),
        (
            "en",
            "and {{convert|50|koilbbl/d}} of",
            "and 50 thousand barrels per day (7.9×10³ m³/d) of",
        ),
        ("en", "From {{transl|ar|ALA|al-}} on", "From al- on"),
        (
            "en",
            "born {{circa|1450}} on {{birth date|1450|3|4}} ({{née|Smith}}; {{zh|s=北京}}), "
            "{{ordinal|3}} of the {{sclass|Nimitz|carrier}} {{ship|HMS|Beagle}}.",
            "born c. 1450 on March 4, 1450 (née Smith; Chinese: 北京), "
            "3rd of the Nimitz-class carrier HMS Beagle.",
        ),
        ("en", "so {{math|1=''aT'' = {{mset|''a'', ''b''}}}} is", "so aT = {a, b} is"),
        ("en", "a {{sortname|Jane|Doe|dab=actor}} b", "a Jane Doe b"),
        (
            "fr",
            "de {{unité|144.2|km|2}} à {{unité|3.5|e=6|euros}} le "
            "{{date|29|9|2019|en politique}} ; {{nombre|71|sièges}} ; {{1er}} janvier",
            "de 144,2 km² à 3,5×10⁶ euros le 29 septembre 2019 ; 71 sièges ; 1er janvier",
        ),
        ("fr", "le {{date|22 septembre 1925-}}, il", "le 22 septembre, il"),
        ("fr", "au {{s|XX}} et aux {{sp|XV|et|XVI}}", "au XXe siècle et aux XVe et XVIe siècles"),
        (
            "it",
            "{{Bio\n|Nome = Carlo\n|Cognome = Esempio\n|Sesso = M\n|LuogoNascita = Roma\n"
            "|GiornoMeseNascita = 13 marzo\n|AnnoNascita = 1950\n|Attività = giornalista\n"
            "|Nazionalità = italiano\n|PostNazionalità = , insignito nel [[1987]] di un premio\n}}",
            "Carlo Esempio (Roma, 13 marzo 1950) è un giornalista italiano, "
            "insignito nel 1987 di un premio.",
        ),
        ("de", "von {{CHE|Ziel=Marc Rosset}} und {{CHE}}", "von Marc Rosset und Schweiz"),
        ("de", "heißt {{ruS|матрёшка}} dort", "heißt russisch матрёшка dort"),
        ("pt", "com {{fmtn|92090|km²}} no {{séc|XII}}", "com 92 090 km² no século XII"),
        ("fr", "soit {{formatnum:20292}} ans", "soit 20 292 ans"),
        ("de", "also {{formatnum:20292.5}} Jahre", "also 20.292,5 Jahre"),
    ],
)
def test_what_templates_show(language: str, wikitext: str, expected: str) -> None:
    made = page(wikitext, language)
    assert made.text == expected
    assert made.holes == []


@pytest.mark.parametrize(
    ("wikitext", "expected", "holes"),
    [
        ("On {{frobnicate|1}}, he came.", "On, he came.", ["Frobnicate"]),
        ("Here ({{frobnicate}}) is", "Here is", ["Frobnicate"]),
        ("of {{convert|5|frob|km}} long", "of long", ["Convert"]),
        ("of {{convert|5|km|mi|frob=1}} long", "of long", ["Convert"]),
        ("of {{val|5|+3|-2}} long", "of long", ["Val"]),
        ("set {{math|T {{=}} {{frob|x}}}} is", "set is", ["Math"]),
        ("a {{nowrap|b {{frob}} c}} d", "a b c d", ["Frob"]),
        ("{{frob|HMS|Beagle}} was lost", "was lost", ["Frob"]),
        ("a {{" + "x" * 1000 + "}} b", "a b", ["X" + "x" * 79]),
        ("a {{frob <nowiki>y</nowiki>}} b", "a b", ["Frob"]),
        ("He {{#if:x|came|went}} home", "He home", ["#if:"]),
        # A box or a note, and what stands in what is dropped, is none.
        ("{{Frobbox|a=b}}\n'''Foo''' is", "Foo is", []),
        ("a{{citation needed|date=x}} b{{sfn|A|1990}}", "a b", []),
        ("text\n{|\n| a {{frob}}\n|}", "text", []),
        ("text [[File:x.jpg|thumb|a {{frob}}]] more", "text more", []),
        ("text\n{{frob}}\n* {{frob}}", "text", []),
    ],
)
def test_holes_are_removed_and_counted(wikitext: str, expected: str, holes: list[str]) -> None:
    made = page(wikitext)
    assert made.text == expected
    assert made.holes == holes


@pytest.mark.parametrize(
    ("language", "call", "expected"),
    [
        (
            "en",
            "{{cite book |last1=Roe |first1=Ann |last2=Poe |first2=Bo |title=[[The Book]] "
            "|edition=2nd |location=New York |publisher=Row |year=1968 |isbn=1-2 "
            "|author-link1=x |ref=none}}",
            "Roe, Ann; Poe, Bo (1968). The Book (2nd ed.). New York: Row. ISBN 1-2.",
        ),
        (
            "en",
            "{{cite web |url=http://a.org/x.pdf |title=A page |date=1 May 2001 |publisher=P "
            "|archive-url=http://b.org |archive-date=2 May 2002 |access-date=3 May 2003}}",
            '"A page" (PDF). P. 1 May 2001. Archived from the original (PDF) on 2 May 2002. '
            "Retrieved 3 May 2003.",
        ),
        (
            "en",
            "{{cite journal |last=Roe |first=A. |year=1985 |title=On it |journal=J. |volume=2 "
            "|issue=3 |pages=1-9 |doi=10.1/x}}",
            'Roe, A. (1985). "On it". J. 2 (3): 1–9. doi:10.1/x.',
        ),
        (
            "en",
            "{{citation |last=Roe |first=A. |contribution=Part |editor1-last=Poe |editor1-first=B. "
            "|year=1995 |title=Whole |publisher=P |pages=3–4}}",
            'Roe, A. (1995), "Part", in Poe, B. (ed.), Whole, P, pp. 3–4',
        ),
        (
            "fr",
            "{{Ouvrage |langue=en |prénom1=Ann |nom1=Roe |auteur2=Bo Poe |titre=T |sous-titre=s "
            "|lieu=Paris |éditeur=É |année=2007 |pages totales=36 |isbn=1 |lire en ligne=http://x}}",
            "(en) Ann Roe et Bo Poe, T : s, Paris, É, 2007, 36 p. (ISBN 1, lire en ligne)",
        ),
        (
            "de",
            "{{Literatur |Autor=Ann Roe |Titel=T? |Sammelwerk=Z |Band=4 |Datum=1905 |Seiten=1–2 "
            "|Online=http://www.a.b.org/x.pdf |DOI=10.1/x}}",
            "Ann Roe: T? In: Z. Band 4, 1905, S. 1–2, doi:10.1/x (b.org [PDF]).",
        ),
    ],
)
def test_lists_of_literature(language: str, call: str, expected: str) -> None:
    made = page(f"Lit.\n* {call}", language)
    assert made.text == f"Lit.\n{expected}"
    assert made.holes == []


def test_what_a_template_shows_separates_no_parameters() -> None:
    assert page("a {{nowrap|x {{=}} {{abbr|y|z}} {{!}} w}} b").text == "a x = y | w b"
    assert page("a {{nowrap|1=b = c}} d").text == "a b = c d"
    assert page("a {{nowrap|[[E=m|b=c]] and [[d|e]]}} f").text == "a b=c and e f"


def test_a_rule_of_one_wiki_is_none_of_another() -> None:
    assert page("uno {{S|chimica}} stub", "it").text == "uno stub"
    assert page("born {{s|XX}} there", "en").holes == ["S"]


@pytest.mark.parametrize("name", [*LLAMA_LANGUAGES, "common"])
def test_tables_say_what_they_mean(name: str) -> None:
    path = files("filters.wikitext.templates") / "wikis" / f"{name}.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for kind in ("text", "nothing"):
        for entry in table.get(kind, ()):
            assert entry["means"]
            assert entry["source"]
            assert kind == "nothing" or ("show" in entry) != ("rule" in entry)
            if "show" in entry:
                pattern_rule(entry["show"])
            elif kind == "text":
                assert entry["rule"] in RULES
            names = {one[:1].lower() + one[1:] for one in entry["names"]}
            assert len(names) == len(entry["names"]), entry["names"]
            assert not names & seen, f"{name}: twice: {names & seen}"
            seen |= names


@pytest.mark.parametrize(
    ("language", "wikitext", "expected"),
    [
        ("en", "'''Mercury''' may be:\n* [[Mercury (planet)]]\n{{Disambiguation}}", True),
        ("fr", "'''Lens''' peut désigner :\n* [[Lens]]\n{{homonymie}}", True),
        ("de", "'''Berg''' ist:\n* [[Berg]]\n{{Begriffsklärung}}", True),
        ("en", "'''Mercury''' is a planet.{{dablink|x}}\n{{infobox|y}}", False),
        ("de", "'''Mercury''' ist. {{Disambiguation}}", False),
        ("en", "A page. __DISAMBIG__", True),
    ],
)
def test_disambiguation_pages_are_known(language: str, wikitext: str, expected: bool) -> None:
    assert page(wikitext, language).is_disambiguation is expected


def test_categories_are_metadata() -> None:
    wikitext = "Text.\n[[Category:Towns in X|y]]\n[[Kategorie:Ort_in Z]]\n[[:Category:No]]"
    assert page(wikitext).categories == ["Towns in X", "Ort in Z"]


@pytest.mark.parametrize(
    ("timestamp", "licence"),
    [
        ("2008-01-01T00:00:00Z", "GFDL-1.2-or-later"),
        ("2009-06-15T00:00:00Z", "CC-BY-SA-3.0"),
        ("2022-08-01T00:00:00Z", "CC-BY-SA-3.0"),
        ("2023-06-07T12:00:00Z", "CC-BY-SA-4.0"),
        (None, None),
    ],
)
def test_licence_goes_by_the_day(timestamp: str | None, licence: str | None) -> None:
    assert wikipedia_licence(timestamp) == licence


@pytest.mark.parametrize(
    ("language", "wikitext", "expected"),
    [
        (
            "fr",
            "De {{Mme|Duval}} à François {{Ier}}, {{IIIe|du nom}}",
            "De Mme Duval à François Ier, IIIe du nom",
        ),
        ("fr", "Texte.\n{{DEFAULTSORT:Algèbre}}\n{{France}}", "Texte."),
        ("fr", "soit {{euro|1500.5}} par an", "soit 1 500,5 € par an"),
        ("en", "is {{sfrac|3''n'' + 1|2}} here", "is (3n + 1)/2 here"),
        (
            "en",
            "x {{cite magazine|title=T|magazine=[[M]]|issue=6|date=May 1993|page=2}}",
            'x "T". M. No. 6. May 1993. p. 2.',
        ),
        ("en", "Text.\n{{see|Other}}", "Text."),
    ],
)
def test_what_once_was_false(language: str, wikitext: str, expected: str) -> None:
    made = page(wikitext, language)
    assert made.text == expected
    assert made.holes == []
