"""Evaluation sets: the items of a benchmark as the texts that documents are matched with.

A set is a file, named by its path without suffixes; an item is a JSON line, a Parquet row or a line
of plain text, numbered from 1. Every string of an item is a text of its own, nested ones included;
a list of single words is one text.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.decontamination.settings import EvaluationSettings
from pipeline.errors import InputError, RecipeError
from pipeline.store import files
from pipeline.store.base import FileInfo

_SUFFIX = re.compile(r"\.(jsonl|txt|parquet)(\.gz|\.zst)?$", re.IGNORECASE)
_ROWS = 256


@dataclass(frozen=True)
class EvaluationFile:
    """One evaluation set.

    Attributes:
        name: of the set: the path below the folder, without suffixes.
        file: where it is.
        kind: `jsonl`, `txt` or `parquet`.
        compression: `.gz`, `.zst` or empty.
    """

    name: str
    file: FileInfo
    kind: str
    compression: str


@dataclass(frozen=True)
class Item:
    """Number (line or row, from 1) and texts of an item, by field."""

    number: int
    texts: tuple[tuple[str, str], ...]


def find_evaluation_files(source: str) -> tuple[list[EvaluationFile], list[str]]:
    """The sets below a folder, by name, and the files that are none.

    Raises:
        InputError: there is no set, or two files make one.
    """
    sets: dict[str, EvaluationFile] = {}
    ignored = []
    for file in files.list_files(source):
        match = _SUFFIX.search(file.relative)
        if match is None or (match[1].lower() == "parquet" and match[2]):
            ignored.append(file.relative)
            continue
        name = file.relative[: match.start()]
        if name in sets:
            raise InputError(
                f"{sets[name].file.relative!r} and {file.relative!r} are both the evaluation set "
                f"{name!r}; rename one"
            )
        sets[name] = EvaluationFile(name, file, match[1].lower(), (match[2] or "").lower())
    if not sets:
        raise InputError(
            f"there is no evaluation set at {source!r}; looked for .jsonl, .txt (also .gz, .zst) "
            "and .parquet"
        )
    return [sets[name] for name in sorted(sets)], ignored


def read_items(one: EvaluationFile, settings: EvaluationSettings) -> Iterator[Item]:
    """The items of a set.

    Raises:
        InputError: the file is damaged or empty, or a line is bad; names file and line.
        RecipeError: a field that the recipe names is in no item.
    """
    chosen = settings.fields.get(one.name, ())
    missing = set(chosen)
    any_item = False
    with files.open_read(one.file.path) as handle:
        try:
            if one.kind == "parquet":
                records = _parquet_rows(handle)
            else:
                records = _lines(_decompressed(handle, one.compression), one, settings)
            for number, record in records:
                any_item = True
                texts = tuple(_texts(record, chosen))
                missing -= {name for name in missing if any(_within(f, name) for f, _ in texts)}
                yield Item(number, texts)
        except (pa.ArrowException, EOFError, OSError, zlib.error) as error:
            raise InputError(f"{one.file.path}: cannot be read: {error}") from None
    if not any_item:
        raise InputError(f"{one.file.path}: there is no item in it")
    if missing:
        raise RecipeError(
            f"no item of the evaluation set {one.name!r} has text in the field "
            f"{min(missing)!r}, which the recipe names"
        )


def _decompressed(handle: BinaryIO, compression: str) -> BinaryIO:
    if compression == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=handle))
    if compression == ".zst":
        source = pa.PythonFile(cast(io.IOBase, handle), mode="r")
        return cast(BinaryIO, pa.CompressedInputStream(source, "zstd"))
    return handle


def _lines(
    stream: BinaryIO, one: EvaluationFile, settings: EvaluationSettings
) -> Iterator[tuple[int, Any]]:
    """Line number and record of every line that is not blank."""
    limit = settings.maximum_item_bytes
    parse: Callable[[bytes], Any] = _json_object if one.kind == "jsonl" else _text_line
    buffered = io.BufferedReader(cast(io.RawIOBase, stream), 1 << 20)
    for number, line in enumerate(iter(lambda: buffered.readline(limit + 2), b""), 1):
        content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if len(content.rstrip(b"\r\n")) > limit:
            raise InputError(f"{one.file.path}, line {number}: longer than {limit} bytes")
        if not content.strip():
            continue
        try:
            yield number, parse(content)
        except ValueError as error:
            raise InputError(f"{one.file.path}, line {number}: {error}") from None


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg}") from None
    if not isinstance(record, dict):
        raise ValueError("no JSON object")
    return record


def _text_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error}") from None


def _parquet_rows(handle: BinaryIO) -> Iterator[tuple[int, Any]]:
    parquet = pq.ParquetFile(handle)
    columns = [field.name for field in parquet.schema_arrow if _holds_text(field.type)]
    number = 0
    for batch in parquet.iter_batches(_ROWS, columns=columns):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_text(cast("pa.DictionaryType[Any, Any]", kind).value_type)
    if kind.num_fields:
        return any(_holds_text(kind.field(index).type) for index in range(kind.num_fields))
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _texts(record: Any, chosen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Field and text of every string, in order; a loop, since records may be nested deeply."""
    stack: list[tuple[str, Any]] = [("", record)]
    while stack:
        field, value = stack.pop()
        if isinstance(value, dict):
            prefix = f"{field}." if field else ""
            stack.extend((f"{prefix}{key}", value[key]) for key in reversed(value))
        elif isinstance(value, list | tuple):
            words = all(isinstance(part, str) and not re.search(r"\s", part) for part in value)
            inner = [" ".join(value)] if words else value
            stack.extend((field, part) for part in reversed(inner))
        elif isinstance(value, str) and (not chosen or any(_within(field, n) for n in chosen)):
            yield field, value


def _within(field: str, name: str) -> bool:
    return field == name or field.startswith(f"{name}.")
