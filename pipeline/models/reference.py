"""Trains the classifier "looks like a page that Wikipedia cites", as LLaMA and RedPajama did.

Positives are crawled pages whose URL Wikipedia cites in `<ref>`, negatives are other pages, as many
(`cited_pages.py` chooses both). A linear fastText model (Joulin et al. 2016) learns to tell them
apart; a held-out share measures it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fasttext

from filters.models import predict
from pipeline.models.cards import (
    ModelError,
    TooLittleData,
    building,
    file_entries,
    package_versions,
    sha256_of,
    write_card,
)
from pipeline.models.cited_pages import Page
from pipeline.models.sampling import in_share
from pipeline.models.settings import ReferenceModelSettings

MODEL = "reference.bin"
POSITIVE, NEGATIVE = "reference", "other"
_LABEL = "__label__"
_SEED_HELD_OUT = 12
# What fastText reads as a label or as the end of a line, were it in a page's text.
_RESERVED = re.compile(r"__label__|</s>")
_log = logging.getLogger(__name__)


def train_reference_classifier(
    positives: Iterable[Page],
    negatives: Iterable[Page],
    directory: Path,
    settings: ReferenceModelSettings,
    *,
    origin: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Train the classifier; it appears in `directory` as `reference.bin` with its card when whole.

    Args:
        positives, negatives: pages, read once.
        directory: folder to make.
        settings: section [models.reference] of the recipe.
        origin: what the card shall say about where the pages are from.

    Returns:
        The card, as written to `card.json`.

    Raises:
        TooLittleData: fewer positives or negatives than settings.minimum_positives.
        ModelError: fastText diverged at every try.
    """
    with building(directory) as work:
        training, held_out = work / "training", work / "held_out"
        counts = _write_pages(positives, negatives, training, held_out, settings.held_out_share)
        _check_amount(counts, settings)
        model, learning_rate = _train(training, settings)
        model.save_model(str(work / MODEL))
        measured = measure(model, held_out, settings.threshold)
        card = {
            "kind": "reference classifier",
            "labels": {"positive": POSITIVE, "negative": NEGATIVE},
            "threshold": settings.threshold,
            "settings": asdict(settings),
            "learning_rate_used": learning_rate,
            "origin": origin or {},
            "counts": counts,
            "training_sha256": sha256_of(training),
            "held_out": measured,
            "warning": quality_warning(measured, settings.threshold),
            "files": file_entries(work, [MODEL]),
            "versions": package_versions("fasttext-community"),
        }
        training.unlink()
        held_out.unlink()
        write_card(work, card)
    return card


def single_line(text: str) -> str:
    """Text as fastText reads it whole: one line, without its two reserved words."""
    return _RESERVED.sub(" ", text.replace("\n", " "))


def _write_pages(
    positives: Iterable[Page],
    negatives: Iterable[Page],
    training: Path,
    held_out: Path,
    share: float,
) -> dict[str, int]:
    counts: dict[str, int] = {}
    with (
        training.open("w", encoding="utf-8") as train,
        held_out.open("w", encoding="utf-8") as rest,
    ):
        for name, label, pages in (
            ("positives", POSITIVE, positives),
            ("negatives", NEGATIVE, negatives),
        ):
            numbers = {False: 0, True: 0}
            for page in pages:
                held = in_share(page.key, share, _SEED_HELD_OUT)
                numbers[held] += 1
                (rest if held else train).write(f"{_LABEL}{label} {single_line(page.text)}\n")
            counts[f"training_{name}"], counts[f"held_out_{name}"] = numbers.values()
    return counts


def _check_amount(counts: dict[str, int], settings: ReferenceModelSettings) -> None:
    for name, advice in (
        (
            "positives",
            "crawl or add more pages that Wikipedia cites (--documents), add more Wikipedia "
            "(--citations)",
        ),
        ("negatives", "add crawled pages that Wikipedia does not cite (--documents)"),
    ):
        found = counts[f"training_{name}"] + counts[f"held_out_{name}"]
        if found < settings.minimum_positives or not counts[f"training_{name}"]:
            raise TooLittleData(
                f"reference classifier: {found:,} {name}, at least {settings.minimum_positives:,} "
                f"are needed; {advice}, or lower models.reference.minimum_positives"
            )


def _train(training: Path, settings: ReferenceModelSettings) -> tuple[Any, float]:
    """Train until it converges; one thread, because more make another model at every run."""
    learning_rate = settings.learning_rate
    for _ in range(settings.tries):
        try:
            model = fasttext.train_supervised(
                input=str(training),
                dim=settings.dimension,
                lr=learning_rate,
                epoch=settings.epochs,
                wordNgrams=settings.word_ngrams,
                bucket=settings.buckets,
                minCount=settings.minimum_count,
                loss="softmax",
                label=_LABEL,
                thread=1,
                seed=0,
                verbose=0,
            )
        except RuntimeError as error:
            if "NaN" not in str(error):
                raise ModelError(f"fastText failed: {error}") from None
            _log.warning("fastText diverged at learning rate %g; trying half", learning_rate)
            learning_rate /= 2
        else:
            return model, learning_rate
    raise ModelError(
        f"fastText diverged {settings.tries} times, last at learning rate {learning_rate * 2:g}; "
        "lower models.reference.learning_rate, or set word_ngrams to 1"
    )


def positive_probability(model: Any, line: str) -> float:
    """P(positive) of one line of text, as `filters.reference_quality` computes it."""
    label, probability = predict(model, line)[0]
    return probability if label == POSITIVE else 1.0 - probability


def measure(model: Any, held_out: Path, threshold: float) -> dict[str, Any]:
    """Precision, recall and F1 of the positive label; null where nothing was there to count."""
    table = {(truth, guess): 0 for truth in (True, False) for guess in (True, False)}
    with held_out.open(encoding="utf-8") as handle:
        for line in handle:
            label, _, text = line[:-1].partition(" ")
            guess = positive_probability(model, text) >= threshold
            table[label == _LABEL + POSITIVE, guess] += 1
    right = table[True, True]
    precision = _ratio(right, right + table[False, True])
    recall = _ratio(right, right + table[True, False])
    return {
        "true_positives": right,
        "false_positives": table[False, True],
        "false_negatives": table[True, False],
        "true_negatives": table[False, False],
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * right, 2 * right + table[False, True] + table[True, False]),
    }


def quality_warning(measured: dict[str, Any], threshold: float) -> str | None:
    """What is wrong with a model that tells nothing apart; trained too little, it scores 0.5."""
    right, wrong = measured["true_positives"], measured["false_positives"]
    cited = right + measured["false_negatives"]
    others = wrong + measured["true_negatives"]
    if not cited + others:
        return "nothing was held out: the model is not measured"
    if not cited or not others:
        missing = "cited page" if not cited else "other page"
        return f"no {missing} was held out: the model is not measured; give more pages"
    if right + wrong in (0, cited + others):
        return (
            f"at threshold {threshold} the model {'keeps' if right else 'drops'} every held-out "
            "page; with few pages, raise models.reference.learning_rate and models.reference.epochs"
        )
    gain = right / cited - wrong / others
    error = sum(
        share * (1 - share) / count
        for share, count in ((right / cited, cited), (wrong / others, others))
    )
    if gain <= 1.64 * error**0.5:
        return (
            f"on {cited:,} cited and {others:,} other pages held out the model is not better than "
            f"guessing: it keeps {right:,} cited and {wrong:,} other pages; give more pages"
        )
    return None


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
