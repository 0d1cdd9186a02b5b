"""Text to ids, exactly as `SentencePieceProcessor.encode` gives them, several times as fast.

Byte-pair encoding joins two neighbours only if the model has a piece of what they spell. Where no
piece holds the last byte of one character followed by the first byte of the next, nothing is ever
joined, and the text on either side is encoded by itself. Those places are found for a whole batch
with one table; what lies between them (words, mostly) is encoded once and then looked up. The table
is derived from the model's own pieces, so it holds for any vocabulary. A model for which the
argument does not hold (not BPE, or a normaliser that changes text) is encoded the plain way.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sentencepiece
from numpy.typing import NDArray

from tokenizer.folder import identity_of, load_tokenizer
from tokenizer.model_proto import SPACE_MARK, Model, PieceType

# Added to a model file it overrides one field of it: normalizer_spec.add_dummy_prefix = false.
_WITHOUT_DUMMY_PREFIX = b"\x1a\x02\x18\x00"
# Of an entry: the string, the number, and their place in the dictionary.
_ENTRY_BYTES = 200
# Bounds on temporary arrays, however long a document is.
_SEGMENTS_AT_ONCE = 1 << 20
_BYTES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Encoded:
    """Ids of several documents.

    Attributes:
        ids: (tokens,) int32, one document after another.
        lengths: (documents,) int64, how many of them are each document's.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int64]

    def framed(self, bos_id: int, eos_id: int) -> Encoded:
        """The same with BOS before and EOS after each document."""
        lengths = self.lengths + 2
        ends = np.cumsum(lengths)
        inner = np.ones(len(self.ids) + 2 * len(lengths), bool)
        inner[ends - 1] = False
        inner[ends - lengths] = False
        ids = np.empty(len(inner), np.int32)
        ids[inner] = self.ids
        ids[ends - lengths] = bos_id
        ids[ends - 1] = eos_id
        return Encoded(ids, lengths)


@dataclass
class _Segments:
    """What is known of segments of text: their ids, one segment after another.

    Attributes:
        numbers: segment -> its number.
        starts: (segments + 1,) where the ids of each start.
        ids: all of them.
        text_bytes: that the segments hold.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    ids: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    text_bytes: int = 0

    @property
    def bytes(self) -> int:
        """An upper bound of the memory held."""
        return _ENTRY_BYTES * len(self.numbers) + self.text_bytes + self.ids.nbytes

    def add(self, segments: Sequence[str], encoded: Sequence[Sequence[int]]) -> None:
        first = len(self.numbers)
        self.numbers.update(zip(segments, range(first, first + len(segments)), strict=True))
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        starts = self.starts[-1] + np.cumsum(lengths)
        self.starts = np.concatenate([self.starts, starts])
        ids = np.fromiter(chain.from_iterable(encoded), np.int32, int(lengths.sum()))
        self.ids = np.concatenate([self.ids, ids])
        self.text_bytes += sum(map(len, segments))


class Encoder:
    """Encodes batches of documents with one SentencePiece model.

    The ids depend on the text alone, never on what was encoded before. Threads may share one.

    Args:
        path: a `.model` file, or the folder of a tokenizer.
        cache_bytes: bound on the memory of known segments; beyond it they are forgotten.
        threads: of SentencePiece, for segments that are not known.

    Attributes:
        identity: of the tokenizer.
        is_split: whether text is split at safe places, as against encoded the plain way.

    Raises:
        TokenizerError: there is no such file, or it is no model with BOS and EOS.
    """

    def __init__(self, path: str, *, cache_bytes: int, threads: int = 1) -> None:
        content, model, self._plain = load_tokenizer(path)
        self._bare = sentencepiece.SentencePieceProcessor(
            model_proto=content + _WITHOUT_DUMMY_PREFIX
        )
        self.identity = identity_of(path, content, self._plain)
        self.is_split = _can_be_split(model)
        self._borders = borders(model)
        self._cache_bytes = cache_bytes
        self._threads = threads
        self._known = _Segments()
        # Engines may run several threads in a worker, which then share what is known.
        self._lock = threading.Lock()

    def encode(self, texts: pa.StringArray | Sequence[str]) -> Encoded:
        """Ids of documents, without BOS and EOS.

        Args:
            texts: valid UTF-8; below 2 GiB together.
        """
        column = texts if isinstance(texts, pa.StringArray) else pa.array(texts, pa.string())
        if not self.is_split:
            return self._encode_plain(column)
        with self._lock:
            return self._encode_split(column)

    def _encode_split(self, column: pa.StringArray) -> Encoded:
        data, offsets = _with_leading_space(column)
        bounds = np.append(self._starts(data, offsets), len(data))
        ids, lengths = [np.empty(0, np.int32)], [np.zeros(1, np.int64)]
        for first in range(0, len(bounds) - 1, _SEGMENTS_AT_ONCE):
            numbers = self._numbers(data, bounds[first : first + _SEGMENTS_AT_ONCE + 1])
            block_ids, block_lengths = self._ids(numbers)
            ids.append(block_ids)
            lengths.append(block_lengths)
            if self.cached_bytes > self._cache_bytes:
                self._known = _Segments()
        token_starts = np.cumsum(np.concatenate(lengths))
        of_documents = token_starts[np.searchsorted(bounds[:-1], offsets)]
        return Encoded(np.concatenate(ids), np.diff(of_documents))

    @property
    def cached_bytes(self) -> int:
        """Memory that known segments hold, at most."""
        return self._known.bytes

    def _starts(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where segments start: at each safe place, and with each document."""
        is_start = np.zeros(len(data), bool)
        for at in range(1, len(data), _BYTES_AT_ONCE):
            second = data[at : at + _BYTES_AT_ONCE]
            pairs = data[at - 1 : at - 1 + len(second)].astype(np.uint16) << 8 | second
            is_start[at : at + len(second)] = self._borders[pairs]
        is_start[offsets[:-1][np.diff(offsets) > 0]] = True
        return np.flatnonzero(is_start)

    def _numbers(self, data: NDArray[np.uint8], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each segment; those not known yet are encoded.

        Args:
            data: UTF-8.
            bounds: (segments + 1,) where each segment starts, and the last one's end.
        """
        content = data[bounds[0] : bounds[-1]]
        offsets = (bounds - bounds[0]).astype(np.int32)
        segments = pa.StringArray.from_buffers(
            len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(content.data)
        )
        coded = segments.dictionary_encode()
        distinct = cast(list[str], coded.dictionary.to_pylist())
        known = self._known.numbers
        numbers = np.fromiter((known.get(text, -1) for text in distinct), np.int64, len(distinct))
        missing = np.flatnonzero(numbers < 0)
        if len(missing):
            numbers[missing] = len(known) + np.arange(len(missing))
            new = [distinct[row] for row in missing]
            self._known.add(new, self._bare.encode(new, num_threads=self._threads))
        return numbers[coded.indices.to_numpy()]

    def _ids(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Ids of segments one after another, and how many each one has."""
        firsts = self._known.starts[numbers]
        lengths = self._known.starts[numbers + 1] - firsts
        rows = np.repeat(firsts - np.cumsum(lengths) + lengths, lengths)
        rows += np.arange(len(rows))
        return self._known.ids[rows], lengths

    def _encode_plain(self, texts: pa.StringArray) -> Encoded:
        plain = cast(list[str], texts.to_pylist())
        encoded = self._plain.encode(plain, num_threads=self._threads)
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        ids = np.fromiter(chain.from_iterable(encoded), np.int32, int(lengths.sum()))
        return Encoded(ids, lengths)


def _can_be_split(model: Model) -> bool:
    """Whether text on either side of a border is encoded by itself."""
    trainer, normalizer = model.flags.trainer, model.flags.normalizer
    return (
        trainer.model_type == "bpe"
        # Without it, neighbouring unknown characters become one token.
        and trainer.byte_fallback
        and not trainer.treat_whitespace_as_suffix
        and not normalizer.precompiled_charsmap
        and normalizer.add_dummy_prefix
        and normalizer.escape_whitespaces
        and not normalizer.remove_extra_whitespaces
        # They are cut out of the text before anything is joined.
        and not any(piece.type == PieceType.USER_DEFINED for piece in model.pieces)
    )


def borders(model: Model) -> NDArray[np.bool_]:
    """(65536,) whether text may be split between two bytes, at 256 * first + second.

    It may where the second byte starts a character and no piece holds the two in sequence.
    """
    table = np.ones((256, 256), bool)
    table[:, 0x80:0xC0] = False  # within a character
    for piece in model.pieces:
        if piece.type in (PieceType.NORMAL, PieceType.UNUSED):
            held = np.frombuffer(piece.text.replace(SPACE_MARK, " ").encode(), np.uint8)
            table[held[:-1], held[1:]] = False
    return table.reshape(-1)


def _with_leading_space(texts: pa.StringArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """UTF-8 of texts one after another, each with SentencePiece's dummy prefix, and its offsets.

    An empty text stays empty, as it does in SentencePiece.
    """
    prefix = pc.if_else(pc.equal(pc.binary_length(texts), pa.scalar(0)), "", " ")
    spaced = pc.replace_substring(pc.binary_join_element_wise(prefix, texts, ""), SPACE_MARK, " ")
    _, offset_buffer, content = spaced.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32, len(spaced) + 1, spaced.offset * 4)
    data = np.frombuffer(content, np.uint8) if content else np.empty(0, np.uint8)
    return data[offsets[0] : offsets[-1]], (offsets - offsets[0]).astype(np.int64)
