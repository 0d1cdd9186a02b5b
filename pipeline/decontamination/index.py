"""The index of evaluation items: a folder of memory-mapped arrays and a card.

The same evaluation sets and settings make the same bytes. The memory for building it is stated in
`dedup/contamination_builder.py`; loading it costs none of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dedup.contamination import NgramArrays, NgramIndex
from dedup.contamination_builder import Built, NgramIndexBuilder
from dedup.contamination_spans import word_spans
from dedup.shingles import Hashes, lower, shingle_hash, shingle_texts
from pipeline.decontamination.sets import (
    EvaluationFile,
    find_evaluation_files,
    read_items,
)
from pipeline.decontamination.settings import EvaluationSettings
from pipeline.errors import InputError, RecipeError
from pipeline.models.cards import building, file_entries, read_card, write_card
from pipeline.store import files
from pipeline.store.streams import HashingReader

FORMAT = 1
# Phrases that are too common, shown on the card.
_EXAMPLES = 20
# Texts looked through at once for them.
_TEXTS = 256


class EvaluationIndex:
    """An index of evaluation items, loaded.

    Args:
        folder: as written by `build_evaluation_index`.

    Raises:
        InputError: there is none, it is damaged, or another version made it.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "card.json").is_file():
            raise InputError(f"there is no index of evaluation sets in {str(folder)!r}; build it")
        self.card = read_card(folder)
        if self.card.get("format") != FORMAT or self.card.get("hash_check") != _hash_check():
            raise InputError(
                f"the index in {str(folder)!r} was made by another version; build it again"
            )
        for name, entry in self.card["files"].items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != entry["bytes"]:
                raise InputError(f"{str(path)!r} is damaged or missing; build the index again")
        arrays = NgramArrays(**{name: _load(folder, name) for name in NgramArrays.names()})
        settings = self.card["settings"]
        self.ngrams = NgramIndex(settings["ngram_words"], settings["minimum_words"], arrays)
        self.sets = [entry["name"] for entry in self.card["sets"]]
        self._item_sets = _load(folder, "item_sets")
        self._item_numbers = _load(folder, "item_numbers")

    def label(self, item: int) -> str:
        """`set/number` of an item."""
        return f"{self.sets[self._item_sets[item]]}/{self._item_numbers[item]}"


def _load(folder: Path, name: str) -> NDArray[Any]:
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))


def _hash_check() -> int:
    """Changes whenever words or hashes do: n-grams of an old index would never be found."""
    return shingle_hash("roving decontamination \u0434\u0430 1")


def build_evaluation_index(
    source: str, folder: Path, settings: EvaluationSettings
) -> dict[str, Any]:
    """Build the index of all sets below `source`; it appears in `folder` when it is whole.

    Args:
        source: a folder, or one file: `.jsonl`, `.txt` (also `.gz`, `.zst`) or `.parquet`.
        folder: folder to make.
        settings: section of the recipe.

    Returns:
        The card, as written to `card.json`.

    Raises:
        InputError: no sets, a bad line, or no item that can be matched.
        RecipeError: settings contradict each other, or name what is not there.
    """
    if settings.minimum_words > settings.ngram_words:
        raise RecipeError(
            f"models.evaluation.minimum_words = {settings.minimum_words} is more than ngram_words "
            f"= {settings.ngram_words}; lower it, too"
        )
    found, ignored = find_evaluation_files(source)
    unknown = sorted(set(settings.fields) - {one.name for one in found})
    if unknown:
        raise RecipeError(f"fields names the evaluation set {unknown[0]!r}, which is not there")
    builder = NgramIndexBuilder(
        settings.ngram_words, settings.minimum_words, settings.maximum_items
    )
    item_sets, item_numbers = [], []
    for order, one in enumerate(found):
        builder.start_set()
        numbers = np.fromiter(_add_items(builder, one, settings), np.uint32)
        item_numbers.append(numbers)
        item_sets.append(np.full(len(numbers), order, np.uint32))
    built = builder.build()
    arrays = built.index.arrays
    if not len(arrays.hashes):
        raise InputError(
            f"no item in {source!r} has {settings.minimum_words} words; nothing could be matched"
        )
    saved = {name: getattr(arrays, name) for name in NgramArrays.names()}
    saved["item_sets"] = np.concatenate(item_sets)
    saved["item_numbers"] = np.concatenate(item_numbers)
    with building(folder) as work:
        for name, values in saved.items():
            np.save(work / f"{name}.npy", values)
        card = {
            "kind": "evaluation index",
            "format": FORMAT,
            "hash_check": _hash_check(),
            "settings": orjson.loads(orjson.dumps(settings)),
            "sets": _describe_sets(found, saved["item_sets"], built),
            "ignored_files": ignored,
            "ngrams": len(arrays.hashes),
            "common_ngrams": len(built.common),
            "common_phrases": _common_phrases(found, settings, built.common),
            "files": file_entries(work, [f"{name}.npy" for name in saved]),
        }
        write_card(work, card)
    return card


def index_lines(card: dict[str, Any]) -> list[str]:
    """An index's card as a table for people."""
    lines = [f"{'set':<40}{'items':>10}{'too short':>11}{'too common':>12}"]
    for entry in card["sets"]:
        lines.append(
            f"{entry['name']:<40}{entry['items']:>10,}{entry['too_short']:>11,}"
            f"{entry['too_common']:>12,}"
        )
    lines.append(
        f"{card['ngrams']:,} n-grams; {card['common_ngrams']:,} left out as too common"
        + "".join(f"\n  {phrase}" for phrase in card["common_phrases"][:3])
    )
    if card["ignored_files"]:
        shown = ", ".join(card["ignored_files"][:5])
        lines.append(f"not read, {len(card['ignored_files'])} files: {shown}")
    return lines


def _add_items(
    builder: NgramIndexBuilder, one: EvaluationFile, settings: EvaluationSettings
) -> Iterator[int]:
    for item in read_items(one, settings):
        builder.add(text for _, text in item.texts)
        yield item.number


def _describe_sets(
    found: list[EvaluationFile], item_sets: NDArray[np.uint32], built: Built
) -> list[dict[str, Any]]:
    entries = []
    for order, one in enumerate(found):
        own = item_sets == order
        size, checksum = HashingReader(files.open_read(one.file.path)).finish()
        entries.append(
            {
                "name": one.name,
                "file": one.file.relative,
                "bytes": size,
                "sha256": checksum,
                "items": int(own.sum()),
                "too_short": int(built.too_short[own].sum()),
                "too_common": int(built.too_common[own].sum()),
            }
        )
    return entries


def _common_phrases(
    found: list[EvaluationFile], settings: EvaluationSettings, common: Hashes
) -> list[str]:
    """The first phrases made of n-grams that are too common: a person shall see what is ignored."""
    phrases: dict[str, None] = {}
    if not len(common):
        return []
    for texts in _text_batches(found, settings):
        shingles = shingle_texts(texts, "word", settings.ngram_words)
        places = np.flatnonzero(np.isin(shingles.hashes, common))
        documents = np.searchsorted(shingles.offsets, places, side="right") - 1
        for document in np.unique(documents).tolist():
            own = places[documents == document] - shingles.offsets[document]
            for phrase in _phrases(texts[document], own, settings.ngram_words):
                phrases[phrase] = None
                if len(phrases) == _EXAMPLES:
                    return list(phrases)
    return list(phrases)


def _text_batches(found: list[EvaluationFile], settings: EvaluationSettings) -> Iterator[list[str]]:
    batch: list[str] = []
    for one in found:
        for item in read_items(one, settings):
            batch.extend(text for _, text in item.texts)
            if len(batch) >= _TEXTS:
                yield batch
                batch = []
    yield batch


def _phrases(text: str, places: NDArray[np.int64], size: int) -> Iterator[str]:
    """The words that consecutive n-grams cover."""
    words = [lower(text)[start:end] for start, end in word_spans(text)]
    for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
        yield " ".join(words[run[0] : run[-1] + size])
