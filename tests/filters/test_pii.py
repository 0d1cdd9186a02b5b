"""Personal data: what is replaced, what stays, and the invariants of the filter."""

from __future__ import annotations

import pickle
import re
import sys
import time
from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pii_gold import HARD, TRUE
from stdnum import iban, luhn

from filters.document import Document, Filter, Rejected
from filters.pii import ORDER, PiiFilter, PiiPlaceholders, PiiSettings

SETTINGS = PiiSettings(
    enabled=True,
    kinds=ORDER,
    placeholders=PiiPlaceholders(
        email="<EMAIL>", phone="<PHONE>", ip="<IP>", iban="<IBAN>", card="<CARD>"
    ),
    keep_email_domains=(),
    phone_regions={
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
    },
    context_characters=40,
    maximum_phone_candidates=20_000,
    maximum_per_1000_characters=0,
)
KINDS = tuple(SETTINGS.kinds)
SPAN = re.compile("⟦[^⟧]*⟧")


def run(text: str, language: str = "en", settings: PiiSettings = SETTINGS) -> Document:
    document = Document("a", "test", text, {"language": language})
    result = PiiFilter(settings)(document)
    assert isinstance(result, Document), result
    return result


def clean(text: str, language: str = "en") -> str:
    return run(text, language).text


def signals(document: Document) -> dict[str, int]:
    return {kind: document.signals[f"pii_{kind}"] for kind in KINDS}


@pytest.mark.parametrize(("language", "kind", "text"), TRUE)
def test_found(language: str, kind: str, text: str) -> None:
    result = run(text.replace("⟦", "").replace("⟧", ""), language)
    assert result.text == SPAN.sub(f"<{kind.upper()}>", text)
    assert {name: count for name, count in signals(result).items() if count} == {
        kind: len(SPAN.findall(text))
    }


@pytest.mark.parametrize(("language", "kind", "text"), HARD)
def test_left_alone(language: str, kind: str, text: str) -> None:
    result = run(text, language)
    assert result.text == text
    assert not any(signals(result).values())


def test_precision_and_recall_on_the_labelled_snippets(capsys: pytest.CaptureFixture[str]) -> None:
    """Snippets count by kind: a span found elsewhere, or under another kind, counts against it."""
    hits: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for language, kind, text in TRUE:
        found = clean(text.replace("⟦", "").replace("⟧", ""), language)
        labels = len(SPAN.findall(text))
        wanted[kind] += labels
        if found == SPAN.sub(f"<{kind.upper()}>", text):
            hits[kind] += labels
    for language, _, text in HARD:
        for kind, count in signals(run(text, language)).items():
            wrong[kind] += count
    with capsys.disabled():
        for kind in KINDS:
            precision = hits[kind] / (hits[kind] + wrong[kind])
            recall = hits[kind] / wanted[kind]
            sys.stdout.write(f"\n{kind}: precision {precision:.3f} recall {recall:.3f}")
            assert precision >= 0.98
            assert recall >= 0.98
    assert len(TRUE) >= 140
    assert len(HARD) >= 140


def test_most_specific_kind_wins() -> None:
    assert clean("4363857849774035@mail.com") == "<EMAIL>"
    # The digits of this IBAN hold a valid card number.
    number = (
        "DE"
        + iban.calc_check_digits("DE00" + "43" + "4363857849774035")
        + ("43" + "4363857849774035")
    )
    assert iban.is_valid(number)
    assert clean(number) == "<IBAN>"
    assert clean("call 4363 8578 4977 4035") == "call <CARD>"


def test_kinds_that_are_not_wanted_stay_and_have_no_signal() -> None:
    only = replace(SETTINGS, kinds=("ip",))
    result = run("a@b.com at 81.208.83.248", settings=only)
    assert result.text == "a@b.com at <IP>"
    assert result.signals == {"pii_ip": 1}


def test_placeholders_come_from_the_recipe() -> None:
    other = replace(SETTINGS, placeholders=replace(SETTINGS.placeholders, email="[E_MAIL]"))
    assert run("write a@b.com", settings=other).text == "write [E_MAIL]"


@pytest.mark.parametrize("value", ["", "EMAIL", "<a@b.com>", "<EMAIL1>", "x<EMAIL>", "<E MAIL>"])
def test_placeholder_that_could_be_data_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="capitals in brackets"):
        replace(SETTINGS.placeholders, email=value)


def test_kept_email_domains() -> None:
    keep = replace(SETTINGS, keep_email_domains=("example.com",))
    text = "a@example.com b@mail.example.com c@notexample.com"
    assert run(text, settings=keep).text == "a@example.com b@mail.example.com <EMAIL>"


def test_regions_follow_the_language() -> None:
    text = "Bürgertelefon 030 227 32153"
    assert clean(text, "de") == "Bürgertelefon <PHONE>"
    assert clean("Info 030 227 32153", "de") == "Info <PHONE>"
    assert clean("Info 030 227 32153", "fr") == "Info 030 227 32153"
    assert clean("Info (212) 736-5000", "de") == "Info (212) 736-5000"
    no_language = Document("a", "test", "Info (212) 736-5000")
    result = PiiFilter(SETTINGS)(no_language)
    assert isinstance(result, Document)
    assert result.text == "Info <PHONE>"


def test_regions_without_default_are_refused() -> None:
    with pytest.raises(ValueError, match="default"):
        replace(SETTINGS, phone_regions={"de": ("DE",)})
    with pytest.raises(ValueError, match="UK"):
        replace(SETTINGS, phone_regions={"default": ("UK",)})


def test_context_reaches_as_far_as_the_recipe_says() -> None:
    text = "call " + "x" * 20 + " 161 496 0345"
    uk = replace(SETTINGS, phone_regions={"default": ("GB",)})
    assert run(text, settings=replace(uk, context_characters=40)).text.endswith("<PHONE>")
    assert run(text, settings=replace(uk, context_characters=15)).text == text


def test_signals_are_written_always_and_add_up() -> None:
    result = run("nothing here")
    assert result.signals == {f"pii_{kind}": 0 for kind in KINDS}
    result = run("a@b.com, c@d.com")
    stage = PiiFilter(SETTINGS)
    again = stage(result)
    assert isinstance(again, Document)
    assert again.signals["pii_email"] == 2


def test_too_much() -> None:
    dense = replace(SETTINGS, maximum_per_1000_characters=10)
    text = "a@b.com, c@d.com "
    result = PiiFilter(dense)(Document("a", "test", text.ljust(199, "x")))
    assert result == Rejected("too_much_pii", "10.05 per 1000 characters > 10")
    document = Document("a", "test", text.ljust(200, "x"))
    assert PiiFilter(dense)(document) is document
    assert document.text.startswith("<EMAIL>, <EMAIL>")


def test_too_many_candidates() -> None:
    few = replace(SETTINGS, maximum_phone_candidates=5)
    text = "call 98 98 98 98 98 98 98 98, " * 3
    result = PiiFilter(few)(Document("a", "test", text))
    assert result == Rejected("too_many_phone_candidates", "more than 5")


def test_is_a_filter_and_pickles() -> None:
    stage = pickle.loads(pickle.dumps(PiiFilter(SETTINGS)))
    assert isinstance(stage, Filter)
    stage.open()
    document = Document("a", "test", "mail a@b.com")
    stage(document)
    assert document.text == "mail <EMAIL>"


PLAIN = st.text(st.characters(exclude_categories=("Cs", "Nd"), exclude_characters="@:[("))


@given(PLAIN)
def test_text_without_digits_at_and_colons_stays(text: str) -> None:
    assert clean(text) == text


DIGITS = "0123456789"
SEPARATORS = st.sampled_from(["", " ", ", ", "\n", "-", ".", "/", "(", ")", ":", "@", "+", "00"])
PIECES = st.one_of(
    st.sampled_from([text.replace("⟦", "").replace("⟧", "") for _, _, text in TRUE]),
    st.sampled_from([found[1:-1] for _, _, text in TRUE for found in SPAN.findall(text)]),
    st.sampled_from([text for _, _, text in HARD]),
    st.sampled_from(
        ["Tel", "call ", "Tel.: ", "IP ", "version ", "<PHONE>", "<EMAIL>", "https://"]
    ),
    st.text("0123456789 ()./-+@:ab", max_size=12),
)
MIXED = st.lists(st.tuples(PIECES, SEPARATORS), max_size=8).map(
    lambda pairs: "".join(piece + separator for piece, separator in pairs)
)


@given(MIXED, st.sampled_from(["en", "de", "fr", "es"]))
@settings(max_examples=600)
@example("Tel: 030 123456 030 2270 4363 8578 4977 4035", "de")
@example("+49 69 6302-0 4363 8578 4977 4035 4533 8869 6052 3587", "de")
def test_second_run_changes_nothing(text: str, language: str) -> None:
    once = clean(text, language)
    again = run(once, language)
    assert again.text == once
    assert not any(signals(again).values())


@given(MIXED)
@settings(max_examples=300)
def test_all_but_the_spans_stays(text: str) -> None:
    """What is left stands in the text, in order, with something in the place of placeholders."""
    result = run(text)
    pieces = re.split("<(?:EMAIL|PHONE|IP|IBAN|CARD)>", result.text)
    position = 0
    for piece in pieces:
        position = text.index(piece, position) + len(piece)
    assert result.text.startswith(text[: len(pieces[0])])
    assert result.text.endswith(pieces[-1])
    written = result.text.count("<") - text.count("<")
    assert written == sum(signals(result).values())


WORDS = st.sampled_from(["", "see ", "konto: ", "paid with ", "(", "\n", "«"])
TAILS = st.sampled_from(["", ".", " today", ")", "\n", ", and", "»"])


def with_check_digits(country: str, account: str) -> str:
    return country + iban.calc_check_digits(f"{country}00{account}") + account


IBANS = st.one_of(
    st.tuples(st.just("DE"), st.text(DIGITS, min_size=18, max_size=18)),
    st.tuples(st.just("AT"), st.text(DIGITS, min_size=16, max_size=16)),
    st.tuples(st.just("GB"), st.from_regex(r"[A-Z]{4}[0-9]{14}", fullmatch=True)),
).map(lambda pair: with_check_digits(*pair))


@given(IBANS, WORDS, TAILS, st.booleans(), st.data())
def test_ibans(number: str, before: str, after: str, grouped: bool, data: st.DataObject) -> None:
    written = iban.format(number) if grouped else number
    assert clean(before + written + after) == f"{before}<IBAN>{after}"
    place = data.draw(st.integers(8, len(number) - 1))
    wrong = change_digit(number, place) if number[place].isdigit() else number[::-1]
    written = iban.format(wrong) if grouped else wrong
    assert "<IBAN>" not in clean(before + written + after)


def change_digit(number: str, place: int) -> str:
    return number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]


CARDS = st.one_of(
    st.from_regex(r"4[0-9]{14}", fullmatch=True),
    st.from_regex(r"5[1-5][0-9]{13}", fullmatch=True),
    st.from_regex(r"3[47][0-9]{12}", fullmatch=True),
).map(lambda digits: digits + luhn.calc_check_digit(digits))


def group_card(number: str, separator: str) -> str:
    sizes = (4, 6, 5) if len(number) == 15 else (4, 4, 4, 4)
    groups = []
    for size in sizes:
        groups.append(number[:size])
        number = number[size:]
    return separator.join(groups)


@given(CARDS, WORDS, TAILS, st.sampled_from(["", " ", "-"]), st.integers(1, 14))
def test_cards(number: str, before: str, after: str, separator: str, place: int) -> None:
    assert clean(before + group_card(number, separator) + after) == f"{before}<CARD>{after}"
    wrong = group_card(change_digit(number, place), separator)
    assert "<CARD>" not in clean(before + wrong + after)


@given(
    st.from_regex(r"[a-z][a-z0-9]{0,10}([._+-][a-z0-9]{1,8}){0,2}", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9]{0,12}(-[a-z0-9]{1,6})?\.(com|de|co\.uk|museum)", fullmatch=True),
    WORDS,
    TAILS,
)
def test_emails(local: str, domain: str, before: str, after: str) -> None:
    kept = local in ("git", "hg", "svn")
    address = f"{local}@{domain}"
    assert clean(before + address + after) == before + (address if kept else "<EMAIL>") + after
    assert clean(f"{before}{local}@{domain}x1{after}") == f"{before}{local}@{domain}x1{after}"


@given(st.ip_addresses(v=4))
def test_ipv4(address: IPv4Address) -> None:
    public = address.is_global and not address.is_multicast and not address.is_reserved
    assert clean(f"IP {address}.") == ("IP <IP>." if public else f"IP {address}.")


@given(st.ip_addresses(v=6, network="2000::/3"))
def test_ipv6(address: IPv6Address) -> None:
    public = address.is_global
    for written in (address.compressed, address.exploded, address.compressed.upper()):
        assert clean(f"[{written}]") == ("[<IP>]" if public else f"[{written}]")


HOSTILE: dict[str, str] = {
    "digits": "7",
    "at signs": "@",
    "labels": "a.",
    "local parts": "a@a.",
    "colons": ":",
    "hexadecimal": "2001:",
    "dots": "1.",
    "pairs": "12 ",
    "brackets": "1(",
    "plus signs": "+1",
    "capitals": "DE12 ",
    "letters": "A1",
    "zeros": "00 ",
    "groups of four": "4111 ",
    "dashes": "1-",
    "bracketed at": "a(at)",
    "calls": "call 01 ",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_work_is_linear_in_the_text(unit: str) -> None:
    small, large = (count_work(unit * count) for count in (400, 1600))
    assert large <= 5 * small + 20_000


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear_in_the_text(unit: str) -> None:
    """A regular expression's work is no line of code; quadratic, it would take 64 times as long."""
    small, large = (seconds(unit * count) for count in (2_500, 20_000))
    assert large <= 24 * small + 0.01


def seconds(text: str) -> float:
    """CPU time to clean a text, the best of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        PiiFilter(SETTINGS)(Document("a", "test", text))
        times.append(time.process_time() - started)
    return min(times)


def count_work(text: str) -> int:
    """Calls made and lines run to clean a text."""
    work = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal work
        work += 1
        return trace

    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        clean(text)
    finally:
        sys.settrace(None)
    return work
