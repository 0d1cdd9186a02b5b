"""Trains a SentencePiece BPE model with LLaMA's flags (`tokenizer.flags`).

What SentencePiece calls a sentence is here a stretch of a document of at most
`max_sentence_length` bytes: it leaves longer ones out in silence. Newlines are written as NUL,
which no piece may hold and which is counted as no character. So the first word of a line is seen
as it is seen in encoding, without a space in front, and a newline stays the byte `<0x0A>`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import sentencepiece

from tokenizer.errors import TokenizerError
from tokenizer.flags import Flags
from tokenizer.model_proto import read_model

LINE_END = "\0"
# SentencePiece's mark of what has no piece; a sentence that holds it would be left out.
RESERVED = "\u2585"

# Peak memory: above what was measured on real text of all sources and more code, 147 MB for a
# sample of 5 MB, 387 for 21, 881 for 60, 1,165 for 110, 2,089 for 250. It grows with the number of
# different words: text in which none repeats takes 44 bytes per byte.
MEMORY_PER_BYTE = 10
MEMORY_BESIDES = 300_000_000

# Read from the model file as they are, but not taken, or warned about, by the trainer.
_NOT_GIVEN = ("train_extremely_large_corpus", "precompiled_charsmap", "name")
_QUIET = 2


class TooLittleText(TokenizerError):
    """The sample has fewer pieces than the vocabulary asks for."""


def training_memory(sample_bytes: int) -> int:
    """Bytes of memory that training on so many bytes of text takes."""
    return MEMORY_BESIDES + MEMORY_PER_BYTE * sample_bytes


def sentences(texts: Iterable[str], limit: int) -> Iterator[str]:
    """Documents as sentences of at most `limit` bytes of UTF-8."""
    for text in texts:
        for part in text.replace("\n", LINE_END).split(RESERVED):
            if len(part) * 4 <= limit:
                yield part
            else:
                yield from _cut(part.encode("utf-8"), limit)


def _cut(text: bytes, limit: int) -> Iterator[str]:
    """Text in parts of at most `limit` bytes.

    Cut at a space where there is one: it goes, and the space that SentencePiece puts in front of
    every sentence stands for it. Else in front of a tab or a newline, else between characters.
    """
    start = 0
    while len(text) - start > limit:
        cut, dropped = _cut_at(text, start, start + limit)
        yield text[start:cut].decode("utf-8")
        start = cut + dropped
    yield text[start:].decode("utf-8")


def _cut_at(text: bytes, start: int, last: int) -> tuple[int, int]:
    """Where to cut, after `start` and not after `last`, and how many bytes there go."""
    cut = text.rfind(b" ", start + 1, last + 1)
    if cut > 0:
        before = text[start:cut].rstrip(b" ")  # a run of spaces stays together, behind the cut
        return (start + len(before) if before else cut), 1
    cut = max(text.rfind(mark, start + 1, last + 1) for mark in (b"\t", b"\0"))
    if cut < 0:
        cut = last
        while text[cut] & 0xC0 == 0x80:  # within a character
            cut -= 1
    return cut, 0


def train(texts: Iterable[str], flags: Flags) -> bytes:
    """Train on documents; returns the bytes of the model file.

    The same documents give the same bytes; neither their order nor the number of threads changes
    the pieces, but the number of threads is one of the flags in the file.

    Args:
        texts: documents, read once; SentencePiece holds them in memory (`training_memory`).
        flags: the table, LLaMA's but for the vocabulary's size and the threads.

    Raises:
        TooLittleText: there are not as many pieces in the text as the vocabulary asks for.
        TokenizerError: the vocabulary is too small for the text's characters, or SentencePiece
            failed.
    """
    trainer = flags.trainer
    stated = {**trainer.stated(), **flags.normalizer.stated()}
    given = {name: value for name, value in stated.items() if name not in _NOT_GIVEN}
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences(texts, trainer.max_sentence_length),
            model_writer=model,
            normalization_rule_name=flags.normalizer.name,
            minloglevel=_QUIET,
            **given,
        )
    except RuntimeError as error:
        raise _explained(str(error), trainer.vocab_size) from None
    content = model.getvalue()
    trained = read_model(content)
    if trained.flags != flags:
        raise TokenizerError(
            f"this release of SentencePiece trained with other flags than it was given: "
            f"{trained.flags} instead of {flags}"
        )
    return content


def _explained(message: str, size: int) -> TokenizerError:
    """SentencePiece's error in words that say what to do."""
    if found := re.search(r"too high \(\d+\)\. Please set it to a value <= (\d+)", message):
        return TooLittleText(
            f"the sample has text for a vocabulary of {int(found[1]):,} pieces, not {size:,}; give "
            "more documents, or lower tokenizer.vocabulary_size"
        )
    if "sentences_.empty()" in message:
        return TooLittleText("there is no text in the sample; give more documents")
    if found := re.search(r"smaller than required_chars\. \d+ vs (\d+)", message):
        return TokenizerError(
            f"the characters of the sample, the bytes and the special pieces are {found[1]}, more "
            f"than the vocabulary of {size:,}; raise tokenizer.vocabulary_size"
        )
    return TokenizerError(f"SentencePiece could not be trained: {message}")
