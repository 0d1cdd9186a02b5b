"""Codes of languages in a recipe: known ones pass, others are refused with what is meant."""

from __future__ import annotations

import pytest

from filters.language import LanguageFilter, LanguageSettings
from filters.language_codes import UnknownLanguage, nearest_code

KNOWN = ["de", "en", "fr", "he", "no", "ru", "zh"]


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("eng", "en"), ("EN", "en"), ("nb", "no"), ("zh-cn", "zh"), ("zh_TW", "zh"), ("iw", "he"),
        ("english", "en"), ("en-GB", "en"), ("ger", "de"), ("frr", "fr"), ("german", "de"),
        ("qqq", ""),
    ],
)  # fmt: skip
def test_nearest(code: str, meant: str):
    assert nearest_code(code, KNOWN) == meant


def test_the_filter_refuses_what_no_document_can_be(lid_model):
    LanguageFilter(LanguageSettings(keep=("en", "de")), lid_model).open()
    with pytest.raises(UnknownLanguage, match=r"keep has 'eng'.*did you mean 'en'\?"):
        LanguageFilter(LanguageSettings(keep=("en", "eng")), lid_model).open()
