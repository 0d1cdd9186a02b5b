"""Avro object container files, block by block (Avro 1.11), with limits that fastavro has not.

fastavro decodes the header and the records; the blocks are taken apart here, so that a block's
decompressed size is bounded and a damaged one costs itself alone.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias

import fastavro
import orjson
import pyarrow as pa
from fastavro.schema import SchemaParseException

MAGIC = b"Obj\x01"
_HEADER_SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "sync", "size": 16}},
        ],
    }
)
_MAXIMUM_HEADER_BYTES = 1 << 20
_DAMAGE = (
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    RecursionError,
    AttributeError,
    SchemaParseException,
    struct.error,
    zlib.error,
    pa.ArrowException,
)


class AvroError(Exception):
    """A file, or a block of it, that cannot be read.

    Attributes:
        reason: snake_case.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


Block: TypeAlias = "tuple[int, list[dict[str, Any]] | AvroError]"


def read_avro(stream: BinaryIO, maximum_block_bytes: int) -> Iterator[Block]:
    """Blocks as the number of records they declare, and the records or what is wrong with them.

    Args:
        stream: seekable.
        maximum_block_bytes: bound on a block, compressed and not.

    Raises:
        AvroError: the header, or the framing of blocks, is damaged: the rest is lost.
    """
    schema, codec, sync = _header(stream)
    while first := stream.read(1):
        count, size = _long(stream, first), _long(stream, stream.read(1))
        if count < 0 or not 0 <= size <= maximum_block_bytes:
            raise AvroError("malformed_avro", f"block of {count} records and {size} bytes")
        data = stream.read(size)
        if stream.read(len(sync)) != sync:
            raise AvroError("truncated_avro", "no sync marker after a block")
        try:
            yield count, _records(_decompress(codec, data, maximum_block_bytes), count, schema)
        except AvroError as error:
            yield count, error
        except _DAMAGE as error:
            yield count, AvroError("malformed_avro", f"{type(error).__name__}: {error}"[:500])


def _header(stream: BinaryIO) -> tuple[Any, str, bytes]:
    start = io.BytesIO(stream.read(_MAXIMUM_HEADER_BYTES))
    try:
        header: Any = fastavro.schemaless_reader(start, _HEADER_SCHEMA, None)
        if header["magic"] != MAGIC:
            raise ValueError("wrong magic bytes")
        meta = header["meta"]
        schema = fastavro.parse_schema(orjson.loads(meta["avro.schema"]))
        codec = meta.get("avro.codec", b"null").decode()
    except _DAMAGE as error:
        raise AvroError("not_avro", f"{type(error).__name__}: {error}"[:500]) from error
    if codec not in ("null", "deflate", "snappy"):
        raise AvroError("unknown_avro_codec", codec[:100])
    stream.seek(start.tell())
    return schema, codec, header["sync"]


def _long(stream: BinaryIO, first: bytes) -> int:
    """A zigzag number of at most ten bytes, of which the first has been read."""
    value = shift = 0
    byte = first
    while byte and shift < 70:
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        shift += 7
        byte = stream.read(1)
    raise AvroError("truncated_avro", "the file ends inside a block's header")


def _decompress(codec: str, data: bytes, limit: int) -> bytes:
    if codec == "null":
        return data
    if codec == "deflate":
        decompressor = zlib.decompressobj(wbits=-15)
        result = decompressor.decompress(data, limit)
        if decompressor.unconsumed_tail or not decompressor.eof:
            raise AvroError("block_too_large", f"more than {limit} bytes, or cut off")
        return result
    size = _long_unsigned(data)
    if size > limit:
        raise AvroError("block_too_large", f"{size} bytes")
    # Four bytes of CRC-32 follow the compressed data.
    return pa.Codec("snappy").decompress(data[:-4], size, asbytes=True)


def _long_unsigned(data: bytes) -> int:
    """The number that snappy begins with: the decompressed size."""
    value = 0
    for place, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value
    raise AvroError("malformed_avro", "no size before snappy data")


def _records(data: bytes, count: int, schema: Any) -> list[dict[str, Any]]:
    if count > len(data):
        raise AvroError("malformed_avro", f"{count} records in {len(data)} bytes")
    block = io.BytesIO(data)
    records: list[Any] = [fastavro.schemaless_reader(block, schema, None) for _ in range(count)]
    if not all(isinstance(record, dict) for record in records):
        raise AvroError("malformed_avro", "the schema is no record")
    return records
