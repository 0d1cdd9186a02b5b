"""Trains a language's SentencePiece and KenLM model, as CCNet does (arXiv:1911.00359).

Text normalised as for scoring, one document per line -> SentencePiece unigram model -> the same
lines as pieces -> 5-gram model with modified Kneser-Ney smoothing. Then documents that were not
trained on are scored; percentiles of their perplexity are the cut-offs of head, middle and tail.
Published cut-offs fit only the published models. `docs/models.md` lists the deviations.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import kenlm
import numpy as np
import sentencepiece

from filters.ccnet_text import normalize_for_language_model
from filters.perplexity import LanguageModel
from pipeline.models import kenlm_programs
from pipeline.models.cards import (
    ModelError,
    TooLittleData,
    building,
    file_entries,
    package_versions,
    write_card,
)
from pipeline.models.sampling import SampledLines, in_share
from pipeline.models.settings import LanguageModelSettings

SENTENCEPIECE, BINARY = "sentencepiece.model", "lm.binary"
# How a document becomes one line, here and when it is scored: goes into the card.
NEWLINES: Literal["space"] = "space"
_CHUNK = 2_000  # characters per SentencePiece sentence; pieces never cross the blanks it is cut at
_ENCODE_AT_ONCE = 256
# CCNet trains on up to a million articles; its smallest languages have some ten thousand.
FEW_DOCUMENTS, FEW_CHARACTERS = 10_000, 10_000_000
_SEED_DOCUMENTS, _SEED_HELD_OUT, _SEED_CHUNKS, _SEED_REFERENCE = range(1, 5)
_log = logging.getLogger(__name__)


@dataclass
class _Corpus:
    """Normalised documents on disk: those to train on and those to take the cut-offs from."""

    training: SampledLines
    reference: SampledLines
    documents: int = 0
    characters: int = 0


def train_language_model(
    texts: Iterable[str],
    language: str,
    directory: Path,
    settings: LanguageModelSettings,
    *,
    reference: Iterable[str] | None = None,
    origin: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Train the models of one language; they appear in `<directory>/<language>/` when whole.

    Args:
        texts: documents in the language, read once; memory does not grow with them.
        language: ISO code, name of the folder.
        directory: where the languages' folders are.
        settings: section [models.language] of the recipe.
        reference: documents to take the cut-offs from, best of the kind that will be scored (web
            pages identified as this language); None holds out a share of `texts`.
        origin: what the card shall say about where the texts are from.

    Returns:
        The card, as written to `card.json`.

    Raises:
        TooLittleData: not enough text, or not enough reference documents.
        ModelError: a program is missing or failed.
    """
    for program in ("lmplz", "build_binary"):
        kenlm_programs.find_program(program)
    with building(directory / language) as work:
        scratch = work / "scratch"
        scratch.mkdir()
        corpus = _collect(texts, language, scratch, settings, reference)
        counts = _train_sentencepiece(corpus.training, work, scratch, settings)
        _log.info("%s: SentencePiece has %d pieces", language, counts["vocabulary"])
        counts |= _train_kenlm(corpus.training, work, scratch, settings)
        _log.info("%s: lmplz has seen %d pieces", language, counts["pieces"])
        card = {
            "kind": "language model",
            "language": language,
            "normalization": {"function": "ccnet", "newlines": NEWLINES},
            "settings": asdict(settings),
            "origin": origin or {},
            "counts": {"documents": corpus.documents, "characters": corpus.characters, **counts},
            **_reference_percentiles(corpus.reference, work, settings),
            "warning": size_warning(language, corpus.documents, corpus.characters),
            "files": file_entries(work, [SENTENCEPIECE, BINARY]),
            "versions": package_versions("sentencepiece", "kenlm"),
        }
        card["reference"]["origin"] = "held-out" if reference is None else "given"
        for path in scratch.iterdir():
            path.unlink()
        scratch.rmdir()
        write_card(work, card)
    return card


def _collect(
    texts: Iterable[str],
    language: str,
    scratch: Path,
    settings: LanguageModelSettings,
    reference: Iterable[str] | None,
) -> _Corpus:
    limit = settings.maximum_reference_documents
    corpus = _Corpus(
        SampledLines(scratch / "training", settings.maximum_documents, _SEED_DOCUMENTS),
        SampledLines(scratch / "reference", limit, _SEED_REFERENCE),
    )
    for text in texts:
        if reference is None and in_share(text, settings.held_out_share, _SEED_HELD_OUT):
            _add(corpus.reference, text)
            continue
        line = _add(corpus.training, beginning(text, settings.characters_per_document))
        corpus.documents += bool(line)
        corpus.characters += len(line)
    for text in reference or ():
        _add(corpus.reference, text)
    corpus.training.close()
    corpus.reference.close()
    _check_amount(corpus, language, settings, reference is not None)
    return corpus


def _add(lines: SampledLines, text: str) -> str:
    line = normalize_for_language_model(text, newlines=NEWLINES)
    if line:
        lines.add(line)
    return line


def size_warning(language: str, documents: int, characters: int) -> str | None:
    """What is wrong with a model of little text; none of a Wikipedia's size."""
    if documents >= FEW_DOCUMENTS and characters >= FEW_CHARACTERS:
        return None
    return (
        f"the language model of {language} knows {documents:,} documents of {characters:,} "
        f"characters; with fewer than {FEW_DOCUMENTS:,} documents or {FEW_CHARACTERS:,} characters "
        "perplexity tells rare subjects from common ones, not good text from bad: train on a whole "
        "Wikipedia, or switch commoncrawl.perplexity off"
    )


def _check_amount(
    corpus: _Corpus, language: str, settings: LanguageModelSettings, given: bool
) -> None:
    if corpus.characters < settings.minimum_characters:
        raise TooLittleData(
            f"{language}: {corpus.characters:,} characters in {corpus.documents:,} documents, at "
            f"least {settings.minimum_characters:,} are needed for a language model; add documents "
            "in this language, or lower models.language.minimum_characters"
        )
    if corpus.reference.added < settings.minimum_reference_documents:
        what = "reference sample has" if given else "held-out share gives"
        raise TooLittleData(
            f"{language}: the {what} {corpus.reference.added:,} documents, at least "
            f"{settings.minimum_reference_documents:,} are needed for cut-offs; add documents in "
            "this language, or lower models.language.minimum_reference_documents"
        )


def beginning(text: str, characters: int) -> str:
    """At most so many characters from the start, without half a word at the end."""
    if len(text) <= characters:
        return text
    if text[characters - 1].isspace() or text[characters].isspace():
        return text[:characters]
    words = text[:characters].rsplit(maxsplit=1)
    return words[0] if len(words) > 1 else text[:characters]


def _chunks(line: str) -> Iterator[str]:
    """A line in parts of at most `_CHUNK` characters, cut at blanks where there are any."""
    while line:
        chunk = beginning(line, _CHUNK)
        yield chunk
        line = line[len(chunk) :].lstrip()


def _train_sentencepiece(
    lines: Iterable[str], work: Path, scratch: Path, settings: LanguageModelSettings
) -> dict[str, int]:
    sample = SampledLines(scratch / "sentences", settings.sentencepiece_sentences, _SEED_CHUNKS)
    for line in lines:
        for chunk in _chunks(line):
            sample.add(chunk)
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sample),
            model_writer=model,
            model_type="unigram",
            vocab_size=settings.vocabulary_size,
            hard_vocab_limit=False,
            character_coverage=settings.character_coverage,
            num_threads=settings.threads,
            max_sentence_length=4 * _CHUNK,  # bytes; longer ones would be left out in silence
            minloglevel=2,
        )
    except RuntimeError as error:
        raise ModelError(f"SentencePiece cannot be trained on this text: {error}") from None
    (work / SENTENCEPIECE).write_bytes(model.getvalue())
    processor = _load_sentencepiece(work)
    return {"vocabulary": processor.get_piece_size(), "sentencepiece_sentences": sample.drawn}


def _load_sentencepiece(folder: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / SENTENCEPIECE))


def _encoded(processor: Any, lines: Iterable[str], threads: int) -> Iterator[list[str]]:
    """Pieces of each line, in order."""
    iterator = iter(lines)
    while batch := list(islice(iterator, _ENCODE_AT_ONCE)):
        yield from processor.encode(batch, out_type=str, num_threads=threads)


def _train_kenlm(
    lines: Iterable[str], work: Path, scratch: Path, settings: LanguageModelSettings
) -> dict[str, Any]:
    pieces, arpa = scratch / "pieces", scratch / "arpa"
    digest, documents, count = hashlib.sha256(), 0, 0
    with pieces.open("wb") as handle:
        for tokens in _encoded(_load_sentencepiece(work), lines, settings.threads):
            encoded = (" ".join(tokens) + "\n").encode()
            digest.update(encoded)
            handle.write(encoded)
            documents += 1
            count += len(tokens)
    kenlm_programs.estimate(
        pieces,
        arpa,
        scratch,
        order=settings.order,
        memory=settings.memory,
        vocabulary=settings.vocabulary_size,
    )
    pieces.unlink()  # the disk is needed for what follows
    kenlm_programs.compile_binary(arpa, work / BINARY, settings.structure, scratch)
    return {
        "trained_documents": documents,
        "pieces": count,
        "pieces_sha256": digest.hexdigest(),
    }


def _reference_percentiles(
    lines: SampledLines, work: Path, settings: LanguageModelSettings
) -> dict[str, Any]:
    model = LanguageModel(_load_sentencepiece(work), kenlm.Model(str(work / BINARY)), None)
    scored = (model.perplexity(line) for line in lines)
    values = np.array([perplexity for perplexity in scored if perplexity is not None])
    return {
        "cutoffs": cutoffs(values, settings),
        "reference": {
            "documents": len(values),
            "offered": lines.added,
            "percentiles": _rounded(np.percentile(values, range(101))),
        },
    }


def cutoffs(values: Any, settings: LanguageModelSettings) -> dict[str, float]:
    """Head is below `head`, middle below `middle`, the rest is tail. `values` has shape [n]."""
    percentiles = [settings.head_percentile, settings.middle_percentile]
    head, middle = _rounded(np.percentile(values, percentiles))
    return {"head": head, "middle": middle}


def _rounded(values: Sequence[float] | Any) -> list[float]:
    return [round(float(value), 1) for value in values]
