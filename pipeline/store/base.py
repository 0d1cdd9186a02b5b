"""What a store of files offers, a local disk and an object store alike: no rename, no append.

A file appears whole or not at all, when its upload is published. `NEW` makes that conditional: the
store, not the caller, decides who was first. Names that hold data are used once, so nothing else is
ever conditional but the one head that is replaced (`pipeline.store.dataset`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

# Conditions of `Upload.publish` besides the identity of the file that is to be replaced.
ANY = "any"
NEW = "new"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file of a listing.

    Attributes:
        path: full path.
        relative: below the listed folder.
        size: in bytes.
        identity: another one whenever the content may be another: size and modification time, an
            ETag, or a generation.
    """

    path: str
    relative: str
    size: int
    identity: str = ""


class Upload(Protocol):
    """A file being written, of which nobody sees anything before `publish`."""

    def write(self, data: Any) -> int:
        """Add bytes."""

    def publish(self, condition: str = ANY) -> bool:
        """Make the file visible, with all that was written.

        Args:
            condition: `ANY`; `NEW`, only if there is no file of the name; or the identity of the
                file that is to be replaced.

        Returns:
            Whether the condition held; if not, nothing has changed and the upload is given up.
        """

    def discard(self) -> None:
        """Give up the file; what has its name stays as it is."""


class Store(Protocol):
    """Files of one kind of place. Every method may be called by several processes at once."""

    def list(self, folder: str) -> Iterator[FileInfo]:
        """All files below a folder, or the one file that the path names, in no order."""

    def stat(self, path: str) -> FileInfo | None:
        """The file of that name, if there is one."""

    def open(self, path: str) -> BinaryIO:
        """The file's bytes, seekable, read by range.

        Raises:
            FileNotFoundError: there is none.
        """

    def create(self, path: str) -> Upload:
        """Begin a file."""

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files; those already gone are fine."""
