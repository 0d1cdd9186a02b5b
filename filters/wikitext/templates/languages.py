"""Templates of words in other languages and of their sound."""

from __future__ import annotations

import re

from filters.wikitext.templates.call import Call
from filters.wikitext.templates.phonemes import ENGLISH_PHONEMES
from filters.wikitext.templates.wiki import Wiki

_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SCRIPT_STANDARD = re.compile(r"[A-Z][A-Za-z0-9/-]{1,12}")
_BRACKETED = re.compile(r"\[.*\]|/.*/|⟨.*⟩|\(.*\)", re.DOTALL)
_NONE = ("none", "no", "n", "off")


def transliteration(wiki: Wiki, call: Call) -> str | None:
    """`{{transl|ar|ALA|al-}}`: the last of language, standard, text."""
    values = [value for value in call.positional() if value]
    if len(values) == 1:
        return values[0]
    if len(values) == 2 or (len(values) == 3 and len(values[1]) <= 12):
        return values[-1]
    return None


def labelled(wiki: Wiki, call: Call, *, start: int = 1, colon: str = ": ") -> str | None:
    """`{{langx|ru|слово|slovo|word}}`: Russian: слово, romanized: slovo, lit. 'word'.

    Args:
        start: number of the parameter with the text; the code stands before it, or in the name.
        colon: what stands between the language's name and the text.
    """
    code = (call.star or call.get(1)).lower()
    text = call.get(start, "text")
    label = call.get("label", "lead")
    links = call.get("links", "link")
    del links
    name = label or wiki.languages.get(code)
    if not text or name is None:
        return None
    romanized = call.get(start + 1, "translit", "tr")
    meaning = call.get(start + 2, "lit", "translation")
    shown = text if label in _NONE else f"{name}{colon}{text}"
    if romanized:
        shown += f", {romanized}" if label in _NONE else f", romanized: {romanized}"
    if meaning:
        shown += f", lit. '{meaning}'"
    return shown


def named_language(wiki: Wiki, call: Call) -> str | None:
    """`{{en}}`: the wiki's word for a language."""
    return wiki.languages.get(call.star.lower())


def sound(wiki: Wiki, call: Call) -> str | None:
    """`{{IPA|fr|paʁi|lang}}`: French: [paʁi]; with one parameter, that as it stands."""
    first, second = call.get(1), call.get(2)
    if not second:
        return first or None
    if not _CODE.fullmatch(first) and first:
        return None
    call.get(4, "audio")
    return _spoken(wiki, first, second, call.get(3))


def sound_of(wiki: Wiki, call: Call) -> str | None:
    """`{{IPA-es|paˈɾis|lang}}`: Spanish: [paˈɾis]."""
    call.get(3, "audio")
    return _spoken(wiki, call.star.lower(), call.get(1), call.get(2))


def _spoken(wiki: Wiki, code: str, phones: str, mode: str) -> str | None:
    if not phones:
        return None
    shown = phones if _BRACKETED.fullmatch(phones) else f"[{phones}]"
    name = wiki.languages.get(code)
    before = {"": "", "none": "", "-": "", "pron": "pronounced ", "local": "locally "}.get(mode)
    if name and mode in ("lang", "pronunciation"):
        before = f"{name}: " if mode == "lang" else f"{name} pronunciation: "
    return None if before is None else before + shown


def english_sound(wiki: Wiki, call: Call) -> str | None:
    """`{{IPAc-en|UK|ˈ|k|æ|t}}`: UK: /ˈkæt/."""
    call.get("audio")
    before = ""
    phones: list[str] = []
    for value in call.positional():
        place = {"uk": "UK: ", "us": "US: ", "lang": "English: ", "pron": "pronounced "}.get(
            value.lower()
        )
        both = {"ipa": "", "local": "locally ", "also": "also "}.get(value.lower(), place)
        if both is not None and not phones:
            before += both
        elif value:
            shown = ENGLISH_PHONEMES.get(value)
            if shown is None:
                return None
            phones.append(shown)
    return f"{before}/{''.join(phones)}/" if phones else None


def respelled(wiki: Wiki, call: Call) -> str | None:
    """`{{respell|BOS|tən}}`: BOS-tən; an underscore stands between words."""
    text = "-".join(value for value in call.positional() if value)
    return re.sub(r"-?_-?", " ", text) or None


_CHINESE = (
    ("s", "simplified Chinese"),
    ("t", "traditional Chinese"),
    ("p", "pinyin"),
    ("tp", "Tongyong Pinyin"),
    ("w", "Wade–Giles"),
    ("j", "Jyutping"),
    ("cy", "Cantonese Yale"),
    ("poj", "Pe̍h-ōe-jī"),
)


def chinese(wiki: Wiki, call: Call) -> str | None:
    """`{{zh|s=北京|p=Běijīng}}`: Chinese: 北京; pinyin: Běijīng."""
    values = {key: call.get(key) for key, _ in _CHINESE}
    both, literal, first = call.get("c"), call.get("l"), call.get("first")
    is_bare = call.get("labels") in _NONE
    call.get("links")
    if values["s"] and (not values["t"] or values["s"] == values["t"]):
        both, values["s"], values["t"] = both or values["s"], "", ""
    elif values["t"] and not values["s"]:
        both, values["t"] = both or values["t"], ""
    order = [row for row in _CHINESE if row[0] in ("s", "t")]
    if "t" in first.split(","):
        order.reverse()
    order += _CHINESE[2:]
    shown = [("Chinese", both), *((label, values[key]) for key, label in order)]
    parts = [text if is_bare else f"{label}: {text}" for label, text in shown if text]
    if literal:
        parts.append(f"lit. '{literal}'")
    return "; ".join(parts) or None


def japanese(wiki: Wiki, call: Call) -> str | None:
    """`{{nihongo|English|漢字|romaji|extra}}`: English (漢字, romaji, extra)."""
    english, kanji, romaji, extra = (call.get(number) for number in range(1, 5))
    romaji, extra = romaji or call.get("hepburn"), extra or call.get("extra")
    call.get("lead")
    inside = ", ".join(filter(None, (kanji, romaji, extra)))
    after = call.get(5, "extra2")
    if english:
        shown = f"{english} ({inside})" if inside else english
    elif romaji:
        shown = f"{romaji} ({kanji})" if kanji else romaji
        shown += f", {extra}" if extra else ""
    else:
        shown = kanji
    return f"{shown} {after}".strip() or None


def nihongo_italian(wiki: Wiki, call: Call) -> str | None:
    """`{{nihongo|Titolo|漢字|romaji}}`: Titolo (漢字? romaji)."""
    shown, kanji, romaji, extra = (call.get(number).rstrip(",") for number in range(1, 5))
    if not shown:
        shown, romaji = romaji or kanji, "" if romaji else romaji
        kanji = "" if shown == kanji else kanji
    inside = ", ".join(filter(None, (kanji, romaji, extra or call.get("extra"))))
    return f"{shown} ({inside})" if shown and inside else shown or None


def korean(wiki: Wiki, call: Call) -> str | None:
    """`{{korean|hangul=…|hanja=…|rr=…}}`: Korean: …; Hanja: …; RR: …."""
    rows = (
        ("Korean", call.get("hangul", 1)),
        ("Hanja", call.get("hanja", 2)),
        ("RR", call.get("rr", 3)),
        ("MR", call.get("mr", 4)),
    )
    is_bare = call.get("labels") in _NONE
    literal = call.get("lit")
    call.get("links")
    parts = [text if is_bare else f"{label}: {text}" for label, text in rows if text]
    if literal:
        parts.append(f"lit. {literal}")
    return "; ".join(parts) or None
