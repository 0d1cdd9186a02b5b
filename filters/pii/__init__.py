"""Personal data in text, replaced by placeholders: emails, phone numbers, IPs, IBANs, cards.

Kinds are looked for from the most specific to the least (email, IBAN, card, IP address, phone),
each in the text that those before it left, so what several could claim goes to the most specific.
The result is looked through again until nothing is found, so a second run changes nothing.
docs/pii.md has the rules, and their precision and recall.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from phonenumbers import SUPPORTED_REGIONS

from filters.document import Document, Rejected, Settings, StageSettings, setting
from filters.pii.accounts import find_cards, find_ibans
from filters.pii.addresses import find_ips
from filters.pii.emails import find_emails
from filters.pii.phones import PhoneFinder, TooManyCandidates
from filters.pii.spans import Span, digit_runs, replace

Kind: TypeAlias = Literal["email", "phone", "ip", "iban", "card"]

ORDER: tuple[Kind, ...] = ("email", "iban", "card", "ip", "phone")

# A placeholder holds nothing that could be taken for personal data, or for a word before it.
_PLACEHOLDER = re.compile(r"[<\[{|][A-Z_]+[>\]}|]")

PHONE_REGIONS: dict[str, tuple[str, ...]] = {
    "default": ("US", "GB"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH"),
    "es": ("ES", "MX", "AR"),
    "it": ("IT",),
    "nl": ("NL", "BE"),
    "pl": ("PL",),
    "pt": ("BR", "PT"),
    "ru": ("RU",),
    "sv": ("SE",),
    "da": ("DK",),
}

# Ends a loop that no text needs: the second pass finds something in one of some thousand texts.
_PASSES = 10


@dataclass(frozen=True, kw_only=True)
class PiiPlaceholders(Settings):
    """What stands for each kind: capitals and underscores between brackets, as `<EMAIL>`."""

    email: str = "<EMAIL>"
    phone: str = "<PHONE>"
    ip: str = "<IP>"
    iban: str = "<IBAN>"
    card: str = "<CARD>"

    def __post_init__(self) -> None:
        for value in (self.email, self.phone, self.ip, self.iban, self.card):
            if not _PLACEHOLDER.fullmatch(value):
                raise ValueError(f"placeholder {value!r}: write capitals in brackets, as <EMAIL>")


@dataclass(frozen=True, kw_only=True)
class PiiSettings(StageSettings):
    """What is replaced, by what, and when there is too much of it.

    Attributes:
        kinds: the kinds that are replaced; the others stay.
        placeholders: what stands for each kind.
        keep_email_domains: addresses at these domains, and those below them, stay.
        phone_regions: ISO 3166 codes of the countries whose national numbers are looked for, by
            the document's language (`metadata["language"]`); `default` for any other. Numbers with
            a country code are found whatever the region.
        context_characters: how far before a number a word like `Tel` or `IP` counts.
        maximum_phone_candidates: a document with more strings to validate goes; bounds its cost.
        maximum_per_1000_characters: a document with more placeholders per 1,000 characters of its
            text goes; 0: none does.
    """

    enabled: bool = setting(False, "paper: LLaMA takes none out")
    kinds: tuple[Kind, ...] = setting(
        ("email", "phone", "ip", "iban", "card"),
        "ours: what can be told from other numbers with certainty (docs/pii.md)",
    )
    placeholders: PiiPlaceholders = field(default_factory=PiiPlaceholders)
    keep_email_domains: tuple[str, ...] = setting((), "ours: no domain is known to be nobody's")
    phone_regions: dict[str, tuple[str, ...]] = setting(
        PHONE_REGIONS, "ours: where most pages in the language are written"
    )
    context_characters: int = setting(
        40, "measured: one phone of 132 wrong on 52 million characters (docs/pii.md)"
    )
    maximum_phone_candidates: int = setting(
        20_000, "ours: bounds the time of a directory; not tuned"
    )
    maximum_per_1000_characters: float = setting(0.0, "ours: no bound, since no paper has one")

    def __post_init__(self) -> None:
        if "default" not in self.phone_regions:
            raise ValueError("phone_regions: there is no `default`")
        for region in {region for regions in self.phone_regions.values() for region in regions}:
            if region not in SUPPORTED_REGIONS:
                raise ValueError(f"phone_regions: {region} is no country that phonenumbers knows")


class PiiFilter:
    """Replace personal data by placeholders.

    Adds the number of replaced spans to the signals `pii_email`, `pii_phone`, `pii_ip`, `pii_iban`
    and `pii_card`: one integer per kind of the recipe, written always, 0 included.
    Reasons: `too_much_pii`, `too_many_phone_candidates`.
    """

    name = "pii"
    signals: ClassVar = {f"pii_{kind}": "int32" for kind in ORDER}

    def __init__(self, settings: PiiSettings | None = None) -> None:
        self.settings = settings or PiiSettings()
        self._kinds = tuple(kind for kind in ORDER if kind in self.settings.kinds)

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        language = document.metadata.get("language") or "default"
        regions = settings.phone_regions.get(language, settings.phone_regions["default"])
        finder = PhoneFinder(
            regions, settings.context_characters, settings.maximum_phone_candidates
        )
        try:
            text, counts = self._replace(document.text, finder)
        except TooManyCandidates:
            detail = f"more than {settings.maximum_phone_candidates}"
            return Rejected("too_many_phone_candidates", detail)
        for kind in self._kinds:
            name = f"pii_{kind}"
            document.signals[name] = document.signals.get(name, 0) + counts[kind]
        limit = settings.maximum_per_1000_characters
        if counts and limit > 0:
            density = 1000 * sum(counts.values()) / len(document.text)
            if density > limit:
                return Rejected("too_much_pii", f"{density:.2f} per 1000 characters > {limit}")
        document.text = text
        return document

    def _replace(self, text: str, finder: PhoneFinder) -> tuple[str, Counter[Kind]]:
        counts: Counter[Kind] = Counter()
        for _ in range(_PASSES):
            before = text
            runs = digit_runs(text)
            for kind in self._kinds:
                spans = self._find(kind, text, runs, finder)
                if spans:
                    counts[kind] += len(spans)
                    text = replace(text, spans, getattr(self.settings.placeholders, kind))
                    runs = digit_runs(text)
            if text == before:
                break
        return text, counts

    def _find(self, kind: Kind, text: str, runs: list[Span], finder: PhoneFinder) -> list[Span]:
        if kind == "email":
            return find_emails(text, self.settings.keep_email_domains)
        if kind == "iban":
            return find_ibans(text, runs)
        if kind == "card":
            return find_cards(text, runs)
        if kind == "ip":
            return find_ips(text, runs, self.settings.context_characters)
        return finder.find(text, runs)
