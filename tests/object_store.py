"""An object store in a folder, for tests: obj://bucket/key, the same one from every process.

Objects appear whole and are never renamed; conditional puts hold across processes. What it does is
said by environment variables, read at each request:

    OBJECT_STORE_ROOT     the folder that holds the buckets; an object lies at ROOT/bucket/key
    OBJECT_STORE_LOG      a file: one line a request, `process kind path`; LIST one per 1,000 names
    OBJECT_STORE_LATENCY  seconds a request
    OBJECT_STORE_FAULTS   a JSON list of faults (`Fault`)

`pipeline.store.files` finds it as it finds any store that an installed package brings: by an entry
point, which `ObjectFolder.write_plugin` writes into a folder for PYTHONPATH.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from pipeline.store.base import ANY, NEW
from pipeline.store.objects import Meta, ObjectStore

DIED = 77
Kind = Literal["LIST", "HEAD", "GET", "PUT", "DELETE"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, once: with the n-th request of a kind whose path matches, in any process.

    Attributes:
        kind: of the request.
        pattern: regular expression that is searched for in the path.
        nth: counted from 1.
        die: the process ends at once (status `DIED`); otherwise the request raises OSError.
        after: when the request has taken effect, not before.
    """

    kind: Kind
    pattern: str = ""
    nth: int = 1
    die: bool = False
    after: bool = False


def as_text(*faults: Fault) -> str:
    """Faults as OBJECT_STORE_FAULTS has them."""
    return json.dumps([asdict(fault) for fault in faults])


class Request(NamedTuple):
    """A line of the log."""

    process: int
    kind: str
    path: str


class ObjectFolder:
    """Sets the store up, from the test's side.

    Attributes:
        root: the folder that holds the buckets.
        environment: what the processes that use the store must be given.
    """

    def __init__(self, folder: Path, faults: Sequence[Fault] = (), latency: float = 0) -> None:
        self.root = folder / "buckets"
        self.root.mkdir(parents=True)
        self._log = folder / "log"
        plugin = self.write_plugin(folder / "plugin")
        paths = [str(plugin), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        self.environment = {
            "OBJECT_STORE_ROOT": str(self.root),
            "OBJECT_STORE_LOG": str(self._log),
            "OBJECT_STORE_LATENCY": str(latency),
            "OBJECT_STORE_FAULTS": as_text(*faults),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        }

    @staticmethod
    def write_plugin(folder: Path) -> Path:
        """Write what an installed package would have in its place; the folder to be searched."""
        information = folder / "roving_object_store-1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: roving-object-store\nVersion: 1\n"
        )
        (information / "entry_points.txt").write_text(
            "[roving.stores]\nobj = object_store:FolderStore\n"
        )
        return folder

    def requests(self, kind: Kind | None = None) -> list[Request]:
        """The requests so far, in order, of one kind or all."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        found = [line.split(" ", 2) for line in lines]
        return [Request(int(pid), k, path) for pid, k, path in found if kind in (None, k)]

    def names(self) -> list[str]:
        """Keys of all objects, each with its bucket."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        names = (path.relative_to(self.root).as_posix() for path in files)
        return sorted(name for name in names if not name.startswith("."))


class FolderStore(ObjectStore):
    """The store itself."""

    def _list(self, bucket: str, prefix: str) -> Iterator[Meta]:
        top = _root() / bucket
        files = (path for path in (top / prefix).rglob("*") if path.is_file())
        names = sorted(path.relative_to(top).as_posix() for path in files)
        for first in range(0, max(1, len(names)), 1000):
            with _request("LIST", f"{bucket}/{prefix}"):
                page = [_meta(bucket, name) for name in names[first : first + 1000]]
            yield from (meta for meta in page if meta is not None)

    def _head(self, bucket: str, key: str) -> Meta | None:
        with _request("HEAD", f"{bucket}/{key}"):
            return _meta(bucket, key)

    def _get(self, bucket: str, meta: Meta, start: int, end: int) -> bytes | None:
        with _request("GET", f"{bucket}/{meta.key}"):
            try:
                with (_root() / bucket / meta.key).open("rb") as file:
                    if _identity(os.fstat(file.fileno())) != meta.identity:
                        return None
                    file.seek(start)
                    return file.read(end - start)
            except FileNotFoundError:
                return None

    def _put(self, bucket: str, key: str, file: BinaryIO, size: int, condition: str) -> bool:
        target = _root() / bucket / key
        hidden = _root() / ".uploads" / uuid.uuid4().hex
        hidden.parent.mkdir(exist_ok=True)
        with _request("PUT", f"{bucket}/{key}"):
            with hidden.open("wb") as copy:
                shutil.copyfileobj(file, copy)
            assert hidden.stat().st_size == size
            target.parent.mkdir(parents=True, exist_ok=True)
            with _lock("puts"):
                there = _meta(bucket, key)
                wanted = None if condition == NEW else condition
                held = condition == ANY or (there and there.identity) == wanted
                if held:
                    hidden.replace(target)
        hidden.unlink(missing_ok=True)
        return held

    def _delete(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            with _request("DELETE", f"{bucket}/{key}"):
                (_root() / bucket / key).unlink(missing_ok=True)


def _root() -> Path:
    return Path(os.environ["OBJECT_STORE_ROOT"])


def _meta(bucket: str, key: str) -> Meta | None:
    path = _root() / bucket / key
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Meta(key, status.st_size, _identity(status)) if path.is_file() else None


def _identity(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}-{status.st_ino}"


@contextmanager
def _lock(name: str) -> Iterator[BinaryIO]:
    """One process at a time; the file that is locked, open to be read and written."""
    with (_root() / f".{name}").open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


@contextmanager
def _request(kind: Kind, path: str) -> Iterator[None]:
    time.sleep(float(os.environ.get("OBJECT_STORE_LATENCY", "0")))
    log = os.environ.get("OBJECT_STORE_LOG")
    if log:
        with open(log, "ab") as file:
            file.write(f"{os.getpid()} {kind} {path}\n".encode())
    due = [fault for fault in _faults(kind, path) if _is_due(*fault)]
    for _, fault in due:
        if not fault.after:
            _go_wrong(fault, path)
    yield
    for _, fault in due:
        _go_wrong(fault, path)


def _faults(kind: Kind, path: str) -> list[tuple[int, Fault]]:
    """The faults that such a request counts for, each with its number."""
    listed = json.loads(os.environ.get("OBJECT_STORE_FAULTS", "[]"))
    faults = enumerate(Fault(**fault) for fault in listed)
    return [
        (n, fault) for n, fault in faults if fault.kind == kind and re.search(fault.pattern, path)
    ]


def _is_due(number: int, fault: Fault) -> bool:
    """Count a request for a fault, over all processes; whether it is the one."""
    with _lock(f"fault-{number}") as counter:
        counter.write(b".")
        counter.flush()
        return os.fstat(counter.fileno()).st_size == fault.nth


def _go_wrong(fault: Fault, path: str) -> None:
    if fault.die:
        os._exit(DIED)
    raise ConnectionResetError(f"obj://{path}: the connection was lost, as the test wanted it")
