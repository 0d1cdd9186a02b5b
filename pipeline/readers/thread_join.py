"""Bring questions and their answers together in bounded memory.

Answers stand anywhere after their question, so posts are put aside by ranges of question ids:
in memory up to a bound, beyond it in a temporary file without a name, which is gone with the
process. Then range after range is read back, sorted and grouped. A range larger than the bound is
divided again, down to a single question. Memory is a few times the bound whatever the input, and
threads come in the order of their questions' ids.
"""

from __future__ import annotations

import struct
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import IO, NamedTuple

import pyarrow as pa

from pipeline.errors import OutputError

# About 80 MB of stackoverflow.com; a small site is one range.
_WIDEST_RANGE = 65_536
_DIVIDE = 64
_RECORD = struct.Struct("<IIBI")


class StoredPost(NamedTuple):
    """A post put aside: its question's id, whether it is an answer, its own id, its content."""

    question: int
    is_answer: bool
    id: int
    content: bytes


@dataclass(slots=True)
class Thread:
    """The posts that name one question.

    Attributes:
        question: the question's id.
        posts: the question, if it is there, then answers by id; equal ids in order of arrival.
            Of a thread that is too large, in order of arrival and without content.
        too_large: all its posts together exceed the bound.
    """

    question: int
    posts: list[StoredPost]
    too_large: bool = False


@dataclass(slots=True)
class _Range:
    """Posts of one range of question ids."""

    buffer: bytearray = field(default_factory=bytearray)
    chunks: array[int] = field(default_factory=lambda: array("Q"))  # offset, packed, bytes, ...
    size: int = 0


class PostStore:
    """Holds posts by ranges of question ids.

    Args:
        bound: bytes held in memory; what is more goes to the temporary file.
        width: question ids in a range.
    """

    def __init__(self, bound: int, width: int = _WIDEST_RANGE) -> None:
        self._bound = bound
        self._width = width
        self._ranges: dict[int, _Range] = {}
        self._held = 0
        self._resources = ExitStack()
        self._file: IO[bytes] | None = None
        self._codec = pa.Codec("zstd", 1)

    def __enter__(self) -> PostStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def add(self, post: StoredPost) -> None:
        """Put a post aside.

        Raises:
            OutputError: the temporary file cannot be written.
        """
        key = post.question // self._width
        part = self._ranges.get(key)
        if part is None:
            part = self._ranges[key] = _Range()
        question, is_answer, number, content = post
        part.buffer += _RECORD.pack(question, number, is_answer, len(content))
        part.buffer += content
        added = _RECORD.size + len(content)
        part.size += added
        self._held += added
        if self._held > self._bound:
            self._spill()

    def _spill(self) -> None:
        """Write the fullest ranges out, until half the bound is free."""
        try:
            if self._file is None:
                file = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the store)
                self._file = self._resources.enter_context(file)
            for part in sorted(self._ranges.values(), key=lambda part: -len(part.buffer)):
                if self._held <= self._bound // 2:
                    break
                packed = self._codec.compress(bytes(part.buffer), asbytes=True)
                part.chunks.extend((self._file.seek(0, 2), len(packed), len(part.buffer)))
                self._file.write(packed)
                self._held -= len(part.buffer)
                part.buffer = bytearray()
        except OSError as error:
            raise OutputError(
                f"the temporary file in {tempfile.gettempdir()} cannot be written ({error}); make "
                "room, or set TMPDIR to another folder, and run the same command again"
            ) from error

    def threads(self) -> Iterator[Thread]:
        """Yield what was put aside, thread by thread; the store is empty afterwards."""
        for key in sorted(self._ranges):
            part = self._ranges.pop(key)
            if part.size <= self._bound:
                yield from _group(self._posts(part))
            elif self._width > 1:
                with PostStore(self._bound, max(1, self._width // _DIVIDE)) as finer:
                    for post in self._posts(part):
                        finer.add(post)
                    del part
                    yield from finer.threads()
            else:
                # One at a time: there may be any number of them.
                for post in self._posts(part):
                    yield Thread(post.question, [post._replace(content=b"")], too_large=True)

    def _posts(self, part: _Range) -> Iterator[StoredPost]:
        for chunk in self._chunks(part):
            position = 0
            while position < len(chunk):
                question, number, is_answer, length = _RECORD.unpack_from(chunk, position)
                position += _RECORD.size
                content = chunk[position : position + length]
                position += length
                yield StoredPost(question, bool(is_answer), number, content)

    def _chunks(self, part: _Range) -> Iterator[bytes]:
        for index in range(0, len(part.chunks), 3):
            assert self._file is not None
            offset, packed, size = part.chunks[index : index + 3]
            self._file.seek(offset)
            yield self._codec.decompress(self._file.read(packed), size, asbytes=True)
        yield bytes(part.buffer)


def _group(posts: Iterable[StoredPost]) -> Iterator[Thread]:
    ordered = sorted(posts, key=itemgetter(0, 1, 2))
    for question, members in groupby(ordered, key=lambda post: post.question):
        yield Thread(question, list(members))
