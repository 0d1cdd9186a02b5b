"""The language codes that fastText's identifier knows, and which one an unknown code means."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from filters.models import MissingModel

# ISO 639-2 and -3 codes, old and regional ones, and English names, by the identifier's code.
_OTHER_NAMES = {
    "ar": "ara arabic", "bg": "bul bulgarian", "bn": "ben bengali", "ca": "cat catalan",
    "cs": "ces cze czech", "da": "dan danish", "de": "deu ger german", "el": "ell gre greek",
    "en": "eng english", "es": "spa spanish", "et": "est estonian", "eu": "eus baq basque",
    "fa": "fas per persian farsi", "fi": "fin finnish", "fr": "fra fre french",
    "he": "heb iw hebrew", "hi": "hin hindi", "hr": "hrv croatian", "hu": "hun hungarian",
    "hy": "hye arm armenian", "id": "ind in indonesian", "is": "isl ice icelandic",
    "it": "ita italian", "ja": "jpn jp japanese", "ka": "kat geo georgian", "ko": "kor kr korean",
    "lt": "lit lithuanian", "lv": "lav latvian", "mk": "mkd mac macedonian", "ms": "msa may malay",
    "nl": "nld dut dutch", "no": "nb nob nor norwegian bokmål", "nn": "nno nynorsk",
    "pl": "pol polish", "pt": "por portuguese", "ro": "ron rum mo romanian",
    "ru": "rus russian", "sk": "slk slo slovak", "sl": "slv slovene slovenian",
    "sq": "sqi alb albanian", "sr": "srp serbian", "sv": "swe swedish", "sw": "swa swahili",
    "ta": "tam tamil", "te": "tel telugu", "th": "tha thai", "tl": "tgl fil tagalog filipino",
    "tr": "tur turkish", "uk": "ukr ua ukrainian", "ur": "urd urdu", "vi": "vie vietnamese",
    "yi": "yid ji yiddish", "zh": "zho chi cmn cn chinese mandarin",
}  # fmt: skip
_CODE_OF = {name: code for code, names in _OTHER_NAMES.items() for name in names.split()}


class UnknownLanguage(MissingModel):
    """A recipe wants a language that the identifier has no label for; the message says which."""


def check_languages(wanted: Iterable[str], known: Iterable[str], key: str) -> None:
    """Refuse codes that no document can ever have.

    Args:
        wanted: codes of the recipe.
        known: the identifier's codes.
        key: of the recipe, for the message.

    Raises:
        UnknownLanguage: one of them is unknown; the message names the nearest that is known.
    """
    codes = sorted(known)
    for code in wanted:
        if code not in codes:
            nearest = nearest_code(code, codes)
            meant = f"did you mean {nearest!r}?" if nearest else f"known are {', '.join(codes)}"
            raise UnknownLanguage(
                f"{key} has {code!r}, which the language identifier does not know; {meant}"
            )


def nearest_code(code: str, known: list[str]) -> str:
    """The known code that an unknown one stands for or looks like, else empty."""
    plain = code.strip().lower().replace("_", "-")
    for candidate in (plain, plain.partition("-")[0]):
        found = _CODE_OF.get(candidate, candidate)
        if found in known:
            return found
    names = {**_CODE_OF, **{one: one for one in known}}
    close = get_close_matches(plain, names, n=1)
    return names[close[0]] if close else ""
