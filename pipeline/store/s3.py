"""Amazon S3, and whatever speaks its protocol, as a store, s3://, by obstore.

obstore has conditional puts (If-None-Match, If-Match) and multipart uploads that are aborted when
they fail. A conditional object goes in one request, so it is 5 GB at most.
"""

from __future__ import annotations

import mmap
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO

import obstore
from obstore import exceptions
from obstore.store import S3Store as Bucket

from pipeline.errors import InputError, OutputError
from pipeline.store.base import ANY, NEW
from pipeline.store.credentials import amazon_settings
from pipeline.store.objects import DEADLINE, TIMEOUT, UPLOAD_NAME, Meta, ObjectStore
from pipeline.store.options import StoreOptions

_RETRY = {"retry_timeout": timedelta(seconds=DEADLINE)}
# Parts of an upload: at least so many bytes, at most 10,000 of them (S3's limit), so many at once.
_PART = 16 << 20
_PARTS = 10_000
_AT_ONCE = 4
_LARGEST_PUT = 5 << 30
_LISTED_AT_ONCE = 1000
_REFUSED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
_LOADED_IN = os.getpid()


class S3Store(ObjectStore):
    """Buckets of S3. Identity of an object: its ETag.

    Raises:
        InputError: there are no credentials, or the process was forked from one with s3:// paths.
    """

    def __init__(self, options: StoreOptions) -> None:
        if os.getpid() != _LOADED_IN:
            # obstore's threads do not survive a fork, and it would wait for them for ever.
            raise InputError("s3:// in a forked process: start processes by spawn or forkserver")
        self._settings = amazon_settings(options)
        self._buckets: dict[str, Bucket] = {}

    def _bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            plain = str(self._settings.get("endpoint", "")).startswith("http://")
            self._buckets[name] = Bucket(
                name,
                config=self._settings,
                client_options={"allow_http": plain, "timeout": timedelta(seconds=TIMEOUT)},
                retry_config=_RETRY,
            )
        return self._buckets[name]

    def _list(self, bucket: str, prefix: str) -> Iterator[Meta]:
        with _saying(bucket, prefix):
            pages = obstore.list(self._bucket(bucket), prefix, chunk_size=_LISTED_AT_ONCE)
            for meta in (_meta(found) for page in pages for found in page):
                # obstore takes the slash from the end of a key: a console's folder looks like this.
                folder = not meta.size and self._head(bucket, meta.key) is None
                if meta.key.startswith(prefix) and not folder:
                    yield meta

    def _head(self, bucket: str, key: str) -> Meta | None:
        with _saying(bucket, key):
            try:
                return _meta(obstore.head(self._bucket(bucket), key))
            except FileNotFoundError:
                return None

    def _get(self, bucket: str, meta: Meta, start: int, end: int) -> bytes | None:
        options: Any = {"range": (start, end), "if_match": meta.identity}
        with _saying(bucket, meta.key):
            try:
                return bytes(obstore.get(self._bucket(bucket), meta.key, options=options).bytes())
            except (FileNotFoundError, exceptions.PreconditionError):
                return None

    def _put(self, bucket: str, key: str, file: BinaryIO, size: int, condition: str) -> bool:
        name = uuid.uuid4().hex
        how: dict[str, Any] = {"attributes": {UPLOAD_NAME: name}}
        if condition == ANY:
            how |= {"chunk_size": max(_PART, -(-size // _PARTS)), "max_concurrency": _AT_ONCE}
            data: Any = file
        else:
            if size > _LARGEST_PUT:
                raise OutputError(f"s3://{bucket}/{key}: over 5 GB cannot be put under a condition")
            how["mode"] = "create" if condition == NEW else {"e_tag": condition}
            # Mapped, not read: what is put in one request is not held in memory.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        with _saying(bucket, key):
            try:
                obstore.put(self._bucket(bucket), key, data, **how)
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                return self._made_by(bucket, key) == name
            except FileNotFoundError:
                if condition in (ANY, NEW):
                    raise
                return False
        return True

    def _made_by(self, bucket: str, key: str) -> str | None:
        """The upload that made what is there."""
        try:
            there = obstore.get(self._bucket(bucket), key, options={"head": True})
        except FileNotFoundError:
            return None
        return there.attributes.get(UPLOAD_NAME)

    def _delete(self, bucket: str, keys: Sequence[str]) -> None:
        with _saying(bucket, ""):
            obstore.delete(self._bucket(bucket), keys)


def _meta(found: Any) -> Meta:
    return Meta(found["path"], found["size"], found["e_tag"] or "")


@contextmanager
def _saying(bucket: str, key: str) -> Iterator[None]:
    """Say in a sentence what a person can mend; what may mend itself is an OSError.

    Raises:
        InputError: no right, no valid credentials, no such bucket, or another region's.
        OSError: the store did not answer, or not well, until the deadline.
    """
    path = f"s3://{bucket}/{key}"
    try:
        yield
    except (exceptions.BaseError, FileNotFoundError) as error:
        said = str(error)
        # A listing's refusal has no class of its own.
        if isinstance(error, _REFUSED) or "403 Forbidden" in said or "401 Unauth" in said:
            raise InputError(
                f"{path}: not allowed ({_first_line(error)}); the keys need "
                "s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject"
            ) from None
        if "NoSuchBucket" in said:
            raise InputError(f"{path}: there is no bucket {bucket}; make it first") from None
        if "configured region" in said:
            raise InputError(
                f"{path}: the bucket is in another region; give --s3_region_name or AWS_REGION"
            ) from None
        raise OSError(f"{path}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
