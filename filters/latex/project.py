"""The files of one arXiv submission, read in memory from its .gz: a gzipped tar, or one TeX file.

Nothing is written to disk and a member's name is only ever a key. Figures are passed over without
being held; what is held, and what is decompressed on the way, is bounded.
"""

from __future__ import annotations

import codecs
import gzip
import io
import posixpath
import tarfile
import zlib
from dataclasses import dataclass

from filters.document import Rejected, Settings, setting

_TEX_ENDINGS = (".tex", ".ltx", ".latex", ".def", ".mac", ".sty", ".bbl", ".xxx")
# What a paper may input as well; large ones are data, and passed over.
_OTHER_ENDINGS = (
    *(".txt", ".inc", ".tab", ".table", ".dat", ".tikz", ".pgf", ".pdf_tex", ".pdftex_t"),
    *(".pstex_t", ".eepic", "00readme.json", "00readme.yaml", "00readme.yml"),
)
_MAXIMUM_OTHER_BYTES = 1_000_000
_NOT_TEX = (
    (b"%pdf", "pdf_only"),
    (b"%!ps", "postscript_only"),
    (b"\x04%!ps", "postscript_only"),
    (b"<!doctype html", "html_only"),
    (b"<html", "html_only"),
    (b"%auto-ignore", "withdrawn"),
)
_INSTEAD_OF_TEX = (
    ((".pdf",), "pdf_only"),
    ((".ps",), "postscript_only"),
    ((".html", ".htm"), "html_only"),
)
ONLY_FILE = "paper.tex"


@dataclass(frozen=True, kw_only=True)
class ProjectSettings(Settings):
    """[arxiv.project]: bounds on a submission.

    Attributes:
        maximum_unpacked_bytes: all of it, figures included.
        maximum_source_bytes: its TeX files together; data files above a megabyte are no part.
        maximum_members: members of its tar.
    """

    maximum_unpacked_bytes: int = setting(
        500_000_000, "ours: five times the largest submission read; figures are most of it"
    )
    maximum_source_bytes: int = setting(
        20_000_000, "ours: bounds what is held decoded; books in TeX have some megabytes"
    )
    maximum_members: int = setting(
        20_000, "ours: bounds the list of names; papers have hundreds at most"
    )


class _TooLargeError(Exception):
    """More bytes than the limit."""


class _Limited(io.RawIOBase):
    """A decompressed stream that ends in `_TooLargeError` past a limit."""

    def __init__(self, data: bytes, limit: int) -> None:
        super().__init__()
        packed = io.BytesIO(data)
        is_gzip = data.startswith(b"\x1f\x8b")
        self._stream = gzip.GzipFile(fileobj=packed) if is_gzip else packed
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        data = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise _TooLargeError
        return data


def unpack(data: bytes, settings: ProjectSettings) -> dict[str, bytes] | Rejected:
    """The text files of a submission by their path in it, or why it has none.

    Args:
        data: the bytes of arXiv's `.gz` member; also accepts what is not gzipped.
    """
    try:
        return _unpack(data, settings)
    except _TooLargeError:
        return Rejected("unpacked_too_large", f"over {settings.maximum_unpacked_bytes} bytes")
    except EOFError as problem:
        return Rejected("truncated_gzip", str(problem))
    except (gzip.BadGzipFile, zlib.error) as problem:
        return Rejected("malformed_gzip", str(problem))
    except (tarfile.TarError, ValueError) as problem:
        return Rejected("malformed_tar", str(problem))


def _unpack(data: bytes, settings: ProjectSettings) -> dict[str, bytes] | Rejected:
    head = _Limited(data, settings.maximum_unpacked_bytes).read(tarfile.BLOCKSIZE)
    stream = _Limited(data, settings.maximum_unpacked_bytes)
    if _is_tar(head):
        return _tar_files(stream, settings)
    reason = _not_tex(head)
    if reason is not None:
        return Rejected(reason)
    source = stream.read()
    if len(source) > settings.maximum_source_bytes:
        return Rejected("source_too_large", f"{len(source)} bytes")
    return {ONLY_FILE: source}


def _not_tex(head: bytes) -> str | None:
    """Why a file that begins like this is no TeX file, None if it may be one."""
    for start, reason in _NOT_TEX:
        if head.lstrip().lower().startswith(start):
            return reason
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "not_tex"
    return None if head.strip() else "empty_submission"


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar_files(stream: _Limited, settings: ProjectSettings) -> dict[str, bytes] | Rejected:
    files: dict[str, bytes] = {}
    others = []
    total = 0
    with tarfile.open(fileobj=stream, mode="r|", errorlevel=1) as archive:
        for number, member in enumerate(archive):
            if number >= settings.maximum_members:
                return Rejected("too_many_members", f"over {settings.maximum_members}")
            name = clean_path(member.name)
            if not member.isfile() or name is None:
                continue
            if not _is_text_name(name, member.size):
                others.append(name)
                continue
            total += member.size
            if total > settings.maximum_source_bytes:
                return Rejected("source_too_large", f"over {settings.maximum_source_bytes} bytes")
            content = archive.extractfile(member)
            files[name] = content.read() if content else b""
    if not any(_may_be_tex(name) for name in files):
        return Rejected(_what_there_is(others), " ".join(others[:5]))
    return files


def _what_there_is(names: list[str]) -> str:
    """The reason to reject a submission that has these files and no TeX."""
    for endings, reason in _INSTEAD_OF_TEX:
        if any(name.lower().endswith(endings) for name in names):
            return reason
    return "no_tex_file"


def clean_path(path: str) -> str | None:
    """A path inside the submission in its shortest form; None if it leads outside or is no file."""
    if "\0" in path or path.startswith("/"):
        return None
    clean = posixpath.normpath(path)
    hidden = posixpath.basename(clean).startswith("._") or clean.startswith("__MACOSX/")
    return None if clean in (".", "..") or clean.startswith("../") or hidden else clean


def _is_text_name(name: str, size: int) -> bool:
    """Whether a file of that name and size in bytes may be part of a paper's text."""
    base = posixpath.basename(name).lower()
    is_other = base.endswith(_OTHER_ENDINGS) or "." not in base
    return base.endswith(_TEX_ENDINGS) or (is_other and size <= _MAXIMUM_OTHER_BYTES)


def _may_be_tex(name: str) -> bool:
    base = posixpath.basename(name).lower()
    return base.endswith((".tex", ".ltx", ".latex", ".txt")) or "." not in base
