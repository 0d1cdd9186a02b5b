"""Makes a tokenizer's folder: sample, training, measurement, exports, card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.models.cards import (
    ModelError,
    TooLittleData,
    building,
    file_entries,
    package_versions,
    write_card,
)
from pipeline.passes.run import Run
from pipeline.tokens.sample import DrawnSource, draw_sample, find_sources
from pipeline.tokens.settings import TokenizerSettings
from tokenizer.card import describe, measure
from tokenizer.export import write_exports
from tokenizer.flags import llama_flags
from tokenizer.folder import MODEL_FILE
from tokenizer.model_proto import read_model
from tokenizer.training import (
    MEMORY_BESIDES,
    MEMORY_PER_BYTE,
    TooLittleText,
    train,
    training_memory,
)


def train_tokenizer(
    folders: Mapping[str, str],
    shares: Mapping[str, float],
    directory: Path,
    settings: TokenizerSettings,
    run: Run,
    *,
    work: str,
) -> dict[str, Any]:
    """Train a tokenizer; its folder appears when it is whole.

    Args:
        folders: documents datasets by their name in the mixture.
        shares: of the mixture, by name.
        directory: folder to make.
        settings: section [tokenizer] of the recipe.
        run: that draws the sample.
        work: folder of the sample; it stays, and another training of the same documents uses it.

    Returns:
        The card, as written to `card.json`.

    Raises:
        InputError: a dataset is not complete.
        RecipeError: a source has no share in the mixture.
        ModelError: training would take more memory than the recipe allows.
        TooLittleData: there is not enough text for the vocabulary.
        TokenizerError: the vocabulary cannot hold the text's characters.
    """
    sources = find_sources(folders, shares, settings)
    _check_memory(sum(source.most_bytes for source in sources), settings)
    # The folder is opened first: that it cannot be written to must not be found after hours.
    with building(directory) as folder:
        drawn = draw_sample(sources, settings, work, run)
        print("\n".join(sample_lines(drawn)))
        content = _train(drawn, settings)
        model = read_model(content)
        measured = measure(model, content, _held_out(drawn), settings.threads)
        by_source = {one.source.label: one.to_json() for one in drawn}
        sample = {"bytes": sum(one.bytes for one in drawn), "sources": by_source}
        (folder / MODEL_FILE).write_bytes(content)
        names = [MODEL_FILE, *write_exports(model, folder)]
        card = {
            **describe(content, sample, measured),
            "files": file_entries(folder, names),
            "versions": package_versions("sentencepiece"),
        }
        write_card(folder, card)
    return card


def _train(drawn: Sequence[DrawnSource], settings: TokenizerSettings) -> bytes:
    """The model file; says first what memory that takes."""
    sample_bytes = sum(one.bytes for one in drawn)
    print(
        f"training on {sample_bytes:,} bytes with {settings.threads} threads takes about "
        f"{training_memory(sample_bytes) / 1e9:.1f} GB of memory",
        flush=True,
    )
    flags = llama_flags(settings.vocabulary_size, settings.threads)
    try:
        return train(chain.from_iterable(one.training_texts() for one in drawn), flags)
    except TooLittleText as error:
        raise TooLittleData(str(error)) from None


def _check_memory(sample_bytes: int, settings: TokenizerSettings) -> None:
    """Refuse what would not fit, before anything is read."""
    sample_bytes = min(sample_bytes, settings.sample_bytes)
    memory = training_memory(sample_bytes)
    if memory > settings.memory_bytes:
        fits = max(0, (settings.memory_bytes - MEMORY_BESIDES) // MEMORY_PER_BYTE)
        raise ModelError(
            f"training on {sample_bytes:,} bytes would take about {memory:,} bytes of memory, more "
            f"than tokenizer.memory_bytes = {settings.memory_bytes:,}; lower "
            f"tokenizer.sample_bytes to {fits:,}, or raise tokenizer.memory_bytes if the machine "
            "has it"
        )


def _held_out(drawn: Iterable[DrawnSource]) -> Iterator[tuple[str, str, str]]:
    for one in drawn:
        for language, text in one.held_out_texts():
            yield one.source.label, language, text


def sample_lines(drawn: Iterable[DrawnSource]) -> list[str]:
    """The sample as a table for people."""
    lines = [f"{'source':<20}{'share':>8}{'wanted bytes':>16}{'drawn bytes':>16}{'documents':>12}"]
    for one in drawn:
        source = one.source
        lines.append(
            f"{source.label:<20}{source.share:>8.3f}{source.wanted_bytes:>16,}{one.bytes:>16,}"
            f"{one.documents:>12,}"
        )
    return lines
