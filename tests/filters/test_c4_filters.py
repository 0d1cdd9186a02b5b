"""C4's heuristics, each by itself: what it drops, why, and what it leaves alone."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from typing import get_args

import langdetect_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.bad_words import BadWordFilter, BadWordSettings
from filters.c4 import (
    CitationMarkFilter,
    EndMarkFilter,
    EndMarkSettings,
    LongWordFilter,
    LongWordSettings,
    PageFilter,
    PageSettings,
    PhraseLineFilter,
    PhrasePageFilter,
    PhraseSettings,
    ShortLineFilter,
    ShortLineSettings,
)
from filters.document import Document, Filter, Rejected, StageSettings
from filters.langdetect import Code, LangdetectFilter, LangdetectSettings
from filters.models import MissingModel
from pipeline.recipe import load_recipe

SETTINGS = load_recipe(str(Path(__file__).resolve().parents[2] / "recipes" / "llama1.toml")).c4
PAGE = PageFilter(SETTINGS.page)
END_MARKS = EndMarkFilter(SETTINGS.end_marks)
JAVASCRIPT = PhraseLineFilter(SETTINGS.javascript, "javascript", "only_javascript")
POLICY = PhraseLineFilter(SETTINGS.policy, "policy", "only_policy")
CURLY = PhrasePageFilter(SETTINGS.curly_bracket, "curly_bracket")
LOREM = PhrasePageFilter(SETTINGS.lorem_ipsum, "lorem_ipsum")


def page(text: str, **metadata: str) -> Document:
    return Document("a", "c4", text, {"url": "http://a.example", "timestamp": "2019", **metadata})


def reason(result: Document | Rejected) -> str:
    assert isinstance(result, Rejected)
    return result.reason


def left(stage: Filter, text: str) -> str:
    """The text after a stage that keeps the page."""
    result = stage(page(text))
    assert isinstance(result, Document), result
    return result.text


@pytest.fixture(scope="module")
def language() -> LangdetectFilter:
    stage = LangdetectFilter(SETTINGS.language)
    stage.open()
    return stage


def test_page_loses_blank_lines_and_the_blanks_around_lines() -> None:
    assert left(PAGE, "\n  one \t\n\n \n two\n") == "one\ntwo"


def test_lines_that_start_like_warc_headers_stay() -> None:
    # C4's code reads a WET line by line and takes these for headers.
    text = "WARC files are fun.\nContent-Type is a header.\nCONTENT- is one too."
    assert left(PAGE, text) == text


def test_page_is_split_at_every_line_end_of_unicode() -> None:
    assert left(PAGE, "one\x85two\u2028three\x0bfour") == "one\ntwo\nthree\nfour"


def test_page_needs_url_timestamp_and_text() -> None:
    assert reason(PAGE(page("x", url=""))) == "no_url"
    assert reason(PAGE(page("x", timestamp=""))) == "no_timestamp"
    assert reason(PAGE(page(" \n\t"))) == "no_text"
    lenient = PageFilter(PageSettings(enabled=True, needs=(), maximum_characters=9))
    assert isinstance(lenient(page("x", url="", timestamp="")), Document)


def test_page_length_counts_without_blank_lines() -> None:
    stage = PageFilter(PageSettings(enabled=True, needs=(), maximum_characters=7))
    assert left(stage, " abc \n\n\n def\n") == "abc\ndef"
    assert reason(stage(page("abcd\ndef"))) == "too_long"


def test_long_words() -> None:
    stage = LongWordFilter(LongWordSettings(enabled=True, maximum_characters=5))
    assert left(stage, "a bcdef g\nabcdef h\nshort all here") == "a bcdef g\nshort all here"
    assert reason(stage(page("abcdef\nghijklm"))) == "only_long_words"
    document = page("abcdef\nok")
    stage(document)
    assert document.signals == {"dropped_long_words": 1}


def test_citation_marks() -> None:
    stage = CitationMarkFilter(StageSettings(enabled=True))
    text = "As shown.[12] See [edit] and []that.[citation needed] [a] [1, 2] [Edit]"
    assert left(stage, text) == "As shown. See  and that. [a] [1, 2] [Edit]"


def test_no_blank_is_left_of_a_mark_before_the_first_word() -> None:
    # The code strips the page when it is done; inside the page the blank stays.
    document = page("[1] One line.\n[2] Another line.")
    CitationMarkFilter(StageSettings(enabled=True))(document)
    assert left(END_MARKS, document.text) == "One line.\n Another line."
    assert left(END_MARKS, "No end\n Another line.") == "Another line."


def test_a_line_must_end_a_sentence() -> None:
    kept = ["It ends.", "Does it?", "It does!", 'He said "yes."', 'A "quote"']
    gone = ["No end", "Wait...", "So…", "It’s ’quoted’", "Ends.’", "A list:", "Ends. ", ""]
    assert left(END_MARKS, "\n".join(kept + gone)) == "\n".join(kept)
    assert reason(END_MARKS(page("\n".join(gone)))) == "no_end_marks"


def test_marks_come_from_the_settings() -> None:
    stage = EndMarkFilter(EndMarkSettings(enabled=True, marks=("'",), refused=()))
    assert left(stage, "one.\ntwo'") == "two'"


def test_short_lines() -> None:
    stage = ShortLineFilter(SETTINGS.short_lines)
    assert left(stage, "just four words here.\nbut five words are enough.") == (
        "but five words are enough."
    )
    assert reason(stage(page("One two."))) == "only_short_lines"
    one = ShortLineFilter(ShortLineSettings(enabled=True, minimum_words=1))
    assert left(one, "\na") == "a"


@pytest.mark.parametrize("line", ["Please enable JavaScript now.", "It needs javascript!"])
def test_javascript_lines(line: str) -> None:
    assert left(JAVASCRIPT, f"Before.\n{line}\nAfter.") == "Before.\nAfter."
    assert reason(JAVASCRIPT(page(line))) == "only_javascript"


@pytest.mark.parametrize(
    "phrase",
    [
        "Terms of Use",
        "privacy policy",
        "Cookie Policy",
        "uses cookies",
        "use of cookies",
        "use cookies",
    ],
)
def test_policy_lines(phrase: str) -> None:
    assert left(POLICY, f"Before.\nThis {phrase} here.\nAfter.") == "Before.\nAfter."
    assert reason(POLICY(page(f"About {phrase}."))) == "only_policy"


def test_pages_with_placeholder_text_or_code() -> None:
    assert reason(LOREM(page("Fine.\nLorem Ipsum dolor."))) == "lorem_ipsum"
    assert reason(CURLY(page("Fine.\nif (x) { y }"))) == "curly_bracket"
    assert isinstance(CURLY(page("a } b")), Document)
    assert isinstance(LOREM(page("lorem\nipsum")), Document)


def test_phrases_must_be_able_to_match() -> None:
    for phrase in ("", "Upper", "two\nlines"):
        with pytest.raises(ValueError, match="lower case"):
            PhraseSettings(enabled=True, phrases=(phrase,))


def test_language(language: LangdetectFilter) -> None:
    english = page("The river rises in the hills and flows through the old town to the sea.")
    assert language(english) is english
    assert english.metadata["language"] == "en"
    assert english.signals["language_score"] >= 0.99
    german = page("Der Fluss entspringt in den Bergen und fließt durch die alte Stadt.")
    assert reason(language(german)) == "not_wanted"
    assert german.signals["language"] == "de"
    mixed = page(f"{english.text[:40]} {german.text[:40]}")
    assert reason(language(mixed)) == "low_score"
    assert reason(language(page("12345 !!! 67"))) == "no_language"


def test_language_is_the_same_each_time(language: LangdetectFilter) -> None:
    text = "Die the river rises alte Stadt in hills und flows durch town."
    scores = set()
    for _ in range(5):
        document = page(text)
        language(document)
        scores.add(document.signals["language_score"])
    assert len(scores) == 1


@pytest.fixture
def bad_words(tmp_path: Path) -> BadWordFilter:
    (tmp_path / "en").write_text("Blast\n\nrotten egg\npoo-poo\n🖕\ndarn\n", encoding="utf-8")
    stage = BadWordFilter(
        BadWordSettings(
            enabled=True, list=str(tmp_path / "en"), sha256="", allow=("DARN",), whole_words=True
        )
    )
    stage.open()
    return stage


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What a BLAST, he said.", "blast"),
        ("blast", "blast"),
        ("Blasting is no entry, nor is sandblast.", ""),
        ("snake_blast_case", ""),
        ("sand-blast", "blast"),
        ("A Rotten Egg!", "rotten egg"),
        ("rotten eggs", ""),
        ("rotten  egg", ""),
        ("some poo-poo here", "poo-poo"),
        ("spoo-poo", ""),
        ("go away 🖕 now", "🖕"),
        ("x🖕", ""),
        ("darn, it is allowed", ""),
    ],
)
def test_bad_words(bad_words: BadWordFilter, text: str, found: str) -> None:
    result = bad_words(page(text))
    if found:
        assert result == Rejected("bad_word", found)
    else:
        assert isinstance(result, Document)


def test_bad_words_without_flanks(tmp_path: Path) -> None:
    (tmp_path / "ja").write_text("だめ\n", encoding="utf-8")
    settings = BadWordSettings(
        enabled=True, list=str(tmp_path / "ja"), sha256="", allow=(), whole_words=False
    )
    stage = BadWordFilter(settings)
    stage.open()
    assert reason(stage(page("それはだめです"))) == "bad_word"


def test_a_list_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "en"

    def load(sha256: str) -> None:
        settings = BadWordSettings(
            enabled=True, list=str(path), sha256=sha256, allow=(), whole_words=True
        )
        BadWordFilter(settings).open()

    with pytest.raises(MissingModel, match="cannot be read"):
        load("")
    path.write_bytes(b"blast\n")
    load("")
    load(hashlib.sha256(b"blast\n").hexdigest().upper())
    with pytest.raises(MissingModel, match="has SHA-256"):
        load("0" * 64)
    path.write_bytes(b"bl\xe4st\n")
    with pytest.raises(MissingModel, match="no UTF-8"):
        load("")
    path.write_bytes(b"\n\n")
    with pytest.raises(MissingModel, match="is empty"):
        load("")


def test_stages_with_something_loaded_can_be_pickled(
    language: LangdetectFilter, bad_words: BadWordFilter
) -> None:
    for stage in (language, bad_words):
        copy = pickle.loads(pickle.dumps(stage))
        copy.open()
        assert type(copy) is type(stage)


def test_all_languages_are_known_to_langdetect_and_no_list_keeps_all() -> None:
    factory = langdetect_rs.DetectorFactory()
    factory.load_profile(langdetect_rs.PROFILES_DIRECTORY)
    assert tuple(sorted(factory.get_lang_list())) == get_args(Code)
    every = LangdetectFilter(replace(SETTINGS.language, keep=()))
    every.open()
    german = page("Der Fluss entspringt in den Bergen und fließt durch die alte Stadt.")
    assert every(german) is german


def test_a_score_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        replace(SETTINGS.language, minimum_score=99)


def test_langdetect_settings_are_the_papers() -> None:
    assert SETTINGS.language == LangdetectSettings(
        enabled=True, keep=("en",), minimum_score=0.99, seed=0
    )


@given(st.text(), st.text("ab {}.[1]\n\x85"))
def test_no_heuristic_adds_text(text: str, more: str) -> None:
    stages = (
        PAGE,
        LongWordFilter(SETTINGS.long_words),
        CitationMarkFilter(SETTINGS.citation_marks),
        END_MARKS,
        ShortLineFilter(SETTINGS.short_lines),
        JAVASCRIPT,
        POLICY,
        LOREM,
        CURLY,
    )
    document = page(text + more)
    for stage in stages:
        before = len(document.text)
        result = stage(document)
        if isinstance(result, Rejected):
            return
        assert len(result.text) <= before
