"""Gopher's rules, each at its border."""

from __future__ import annotations

import pytest

from filters.document import Document, Rejected
from filters.optional.gopher_quality import GopherQuality, GopherQualitySettings

PROSE = "The wool of the llama is combed, and that is to be done with care before it is spun. "


def decide(text: str, **settings: float) -> Document | Rejected:
    return GopherQuality(GopherQualitySettings(**settings))(Document("a", "test", text))


def reason(text: str, **settings: float) -> str:
    result = decide(text, **settings)
    assert isinstance(result, Rejected)
    return result.reason


def test_prose_stays_with_its_signals() -> None:
    document = GopherQuality()(Document("a", "test", PROSE * 3))
    assert isinstance(document, Document)
    assert document.signals["words"] == 57
    assert document.signals["stop_words"] == 7
    assert document.signals["lettered_share"] == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PROSE * 2, "too_few_words"),
        (PROSE * 5556, "too_many_words"),
        ("of a the to be it is " * 8, "short_words"),
        ("the compartmentalisations of incomprehensibilities " * 13, "long_words"),
        ((PROSE + "# " * 3) * 3, "symbols"),
        (("# # … ... " + PROSE) * 6, ""),  # each of the two symbols is 2 of 23 words
        ("\n".join(f"• {PROSE}" for _ in range(10)), "bullets"),
        ("\n".join([*[f"• {PROSE}"] * 9, PROSE]), ""),
        (
            "\n".join(["The wool of the llama is combed and spun with care…"] * 4 + [PROSE] * 8),
            "ellipses",
        ),
        ((PROSE + "1,000 2,000 3,000 4,000 5,000 ") * 3, "no_letters"),
        ("Ein Lama hat Wolle, die man kämmt und spinnt. " * 8, "no_stop_words"),
        ("Ein Lama hat Wolle, die man kämmt und spinnt, the of - " * 8, ""),
    ],
)
def test_a_rule(text: str, expected: str) -> None:
    result = decide(text)
    assert (result.reason if isinstance(result, Rejected) else "") == expected


def test_bounds_are_of_the_recipe() -> None:
    assert reason(PROSE * 3, minimum_words=58) == "too_few_words"
    assert isinstance(decide(PROSE, minimum_words=19), Document)


def test_an_empty_text_has_signals_too() -> None:
    document = Document("a", "test", "")
    assert isinstance(GopherQuality()(document), Rejected)
    assert document.signals["words"] == 0
