"""What a run says at its end of the models that decided in it: untrusted ones, and bad fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from pipeline.models.cards import CARD, read_card
from pipeline.store.accounting import Funnel

# Shares of fewer documents are chance; a smaller difference is what crawls differ by.
_FEWEST, _DIFFERENCE = 50, 0.15


def model_warnings(funnel: Funnel, language_models: str, reference_model: str) -> list[str]:
    """Warnings on the models that stages of a finished run have used, for people.

    Args:
        funnel: of the run.
        language_models, reference_model: their folders, as the recipe has them.
    """
    warnings: list[str] = []
    if "perplexity" in funnel.stages:
        cards = dict(_cards(Path(language_models)))
        warnings += [card["warning"] for card in cards.values() if card.get("warning")]
        warnings += _tail_warning(funnel, cards)
    if "reference_quality" in funnel.stages:
        for card in dict(_card(Path(reference_model))).values():
            if card.get("warning"):
                warnings.append(f"reference classifier: {card['warning']}")
    return [f"WARNING: {warning}" for warning in warnings]


def _cards(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cards of the models in a folder; models made elsewhere have none."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            yield from _card(path)


def _card(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if (folder / CARD).is_file():
        try:
            card = read_card(folder)
        except orjson.JSONDecodeError:
            return  # whoever loads the model says what is wrong with its card
        yield folder.name, card


def _tail_warning(funnel: Funnel, cards: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Where far more, or fewer, documents are in the tail than the cut-offs were made for."""
    stage = funnel.stages["perplexity"]
    expected = {
        round(1 - card["settings"]["middle_percentile"] / 100, 4)
        for card in cards.values()
        if "middle_percentile" in card.get("settings", {})
    }
    tail, scored = stage.reasons["bucket_tail"], stage.count.documents_in
    if len(expected) != 1 or not tail or scored < _FEWEST:
        return
    share, wanted = tail / scored, expected.pop()
    if abs(share - wanted) > _DIFFERENCE:
        yield (
            f"{100 * share:.0f} % of {scored:,} documents are in the tail of perplexity, where "
            f"{100 * wanted:.0f} % were when the cut-offs were made: they are of another crawl; "
            "take them from pages of this one (`roving models language --reference`)"
        )
