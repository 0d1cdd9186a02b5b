"""The prescreen: which pages are worth extracting."""

from __future__ import annotations

import pickle

import pytest

from filters.document import Document, Filter, Rejected
from filters.models import MissingModel
from filters.prescreen import LanguagePrescreen, PrescreenSettings, main_content

SETTINGS = PrescreenSettings(
    enabled=True,
    sample_characters=500,
    paragraph_characters=300,
    reject_probability=0.01,
    accept_probability=0.5,
    main_characters=50,
    minimum_probability=0.1,
)
ENGLISH = (
    "The river rose during the night and by the morning the lower part of the town was under "
    "water. Nobody had expected it so early in the year, and the boats were still in the sheds. "
)
GERMAN = (
    "Der Fluss stieg in der Nacht, und am Morgen stand der untere Teil der Stadt unter Wasser. "
    "Niemand hatte das so früh im Jahr erwartet, und die Boote lagen noch in den Schuppen. "
)


def page(*paragraphs: str, tag: str = "p") -> str:
    body = "\n".join(f"<{tag} class='x'>{paragraph}</{tag}>" for paragraph in paragraphs)
    return f"<html><head><title>x</title></head><body><article>{body}</article></body></html>"


@pytest.fixture(scope="module")
def prescreen(lid_model):
    stage = LanguagePrescreen(SETTINGS, lid_model, ("en",))
    stage.open()
    return stage


def screen(stage: LanguagePrescreen, html: str) -> tuple[str, str]:
    """(look, reason or empty)."""
    document = Document(id="1", source="test", text=html)
    result = stage(document)
    assert document.text == html
    reason = result.reason if isinstance(result, Rejected) else ""
    return document.signals["prescreen_look"], reason


def test_paragraphs_decide(prescreen):
    assert screen(prescreen, page(ENGLISH, ENGLISH)) == ("paragraphs", "")
    assert screen(prescreen, page(GERMAN, GERMAN)) == ("paragraphs", "other_language")


def test_main_content_decides_where_paragraphs_are_few(prescreen):
    assert screen(prescreen, page(ENGLISH * 3, tag="div")) == ("main", "")
    assert screen(prescreen, page(GERMAN * 3, tag="div")) == ("main", "other_language")


def test_mixed_page_gets_a_second_look(prescreen):
    look, reason = screen(prescreen, page(*[ENGLISH, GERMAN] * 6))
    assert reason == ""
    assert look in ("main", "paragraphs")


def test_short_labels_in_another_language_do_not_decide(prescreen):
    menu = "".join(f"<p>Zur Startseite {n}</p>" for n in range(40))
    assert screen(prescreen, menu + page(ENGLISH, ENGLISH)) == ("paragraphs", "")


def test_entities_are_letters(prescreen):
    escaped = "".join(f"&#{ord(c)};" if ord(c) > 127 else c for c in GERMAN * 2)
    assert screen(prescreen, page(escaped, escaped))[1] == "other_language"


@pytest.mark.parametrize("html", ["", "<html></html>", page("short"), "<p " * 1000])
def test_too_little_text_passes(prescreen, html):
    assert screen(prescreen, html) == ("too_little_text", "")


def test_any_set_of_languages(lid_model):
    stage = LanguagePrescreen(SETTINGS, lid_model, ("de", "fr"))
    stage.open()
    assert screen(stage, page(GERMAN, GERMAN)) == ("paragraphs", "")
    assert screen(stage, page(ENGLISH, ENGLISH)) == ("paragraphs", "other_language")


def test_detail_says_what_was_found(prescreen):
    document = Document(id="1", source="test", text=page(GERMAN, GERMAN))
    result = prescreen(document)
    assert isinstance(result, Rejected)
    assert result.detail.startswith("paragraphs: 0.0")
    assert "< 0.01; de 0.9" in result.detail
    assert document.signals["prescreen_probability"] < 0.01


def test_pickles_and_is_a_filter(prescreen):
    copy = pickle.loads(pickle.dumps(prescreen))
    assert isinstance(copy, Filter)
    copy.open()
    assert screen(copy, page(GERMAN, GERMAN)) == ("paragraphs", "other_language")


def test_missing_model(tmp_path):
    with pytest.raises(
        MissingModel, match=r"none\.ftz: not found; make it with `roving models fetch"
    ):
        LanguagePrescreen(SETTINGS, tmp_path / "none.ftz", ("en",)).open()


def test_main_content_is_without_menu_and_scripts():
    html = (
        "<html><body><nav><ul><li><a href=/>Home</a></li></ul></nav><script>var x;</script>"
        f"<article><h1>Flood</h1><p>{ENGLISH}</p></article><footer>Imprint</footer></body></html>"
    )
    text = main_content(html)
    assert ENGLISH.strip() in text
    assert "var x" not in text
    assert "Home" not in text
