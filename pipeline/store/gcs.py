"""Google Cloud Storage as a store, gs://, by Google's own client and its JSON API.

Beam's file system has neither conditional writes nor an upload that can be given up, and makes a
client a call; this is one client a process. `STORAGE_EMULATOR_HOST` is honoured.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from pipeline.errors import InputError
from pipeline.store.base import ANY, NEW
from pipeline.store.credentials import google_credentials
from pipeline.store.objects import (
    CONNECTIONS,
    DEADLINE,
    TIMEOUT,
    UPLOAD_NAME,
    Meta,
    ObjectStore,
    in_parallel,
)
from pipeline.store.options import StoreOptions

# Else the client asks for each bucket's metadata in a thread of its own, which needs a right that
# a worker may not have, and shares the connection of an upload.
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

_RETRY = DEFAULT_RETRY.with_timeout(DEADLINE)
_REQUEST = {"retry": _RETRY, "timeout": TIMEOUT}
# An upload above 8 MiB is sent in pieces of this size and goes on where it was cut off.
_PIECE = 16 << 20
_LISTED = "items(name,size,generation),nextPageToken"


class GcsStore(ObjectStore):
    """Buckets of Google Cloud Storage. Identity of an object: `generation:N`.

    Raises:
        InputError: there are no credentials.
    """

    def __init__(self, options: StoreOptions) -> None:
        endpoint = {"api_endpoint": options.gcs_endpoint} if options.gcs_endpoint else None
        self._client = storage.Client(
            project=options.gcs_project or None,
            credentials=google_credentials(options),
            client_options=endpoint,
        )
        for scheme in ("https://", "http://"):
            self._client._http.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    def _list(self, bucket: str, prefix: str) -> Iterator[Meta]:
        with _saying(bucket, prefix):
            found = self._client.list_blobs(bucket, prefix=prefix, fields=_LISTED, **_REQUEST)
            for blob in found:
                yield _meta(blob)

    def _head(self, bucket: str, key: str) -> Meta | None:
        blob = self._blob(bucket, key)
        return None if blob is None else _meta(blob)

    def _blob(self, bucket: str, key: str) -> Any:
        with _saying(bucket, key):
            return self._client.bucket(bucket).get_blob(key, **_REQUEST)

    def _get(self, bucket: str, meta: Meta, start: int, end: int) -> bytes | None:
        blob = self._client.bucket(bucket).blob(meta.key, generation=_generation(meta.identity))
        with _saying(bucket, meta.key):
            try:
                return blob.download_as_bytes(
                    start=start, end=end - 1, raw_download=True, checksum=None, **_REQUEST
                )
            except exceptions.NotFound:
                return None

    def _put(self, bucket: str, key: str, file: BinaryIO, size: int, condition: str) -> bool:
        blob = self._client.bucket(bucket).blob(key, chunk_size=_PIECE)
        name = uuid.uuid4().hex
        blob.metadata = {UPLOAD_NAME: name}
        generation = None if condition == ANY else _generation(condition)
        with _saying(bucket, key):
            try:
                blob.upload_from_file(
                    file,
                    size=size,
                    content_type="application/octet-stream",
                    if_generation_match=generation,
                    **_REQUEST,
                )
            except exceptions.PreconditionFailed:
                there = self._blob(bucket, key)
                return there is not None and (there.metadata or {}).get(UPLOAD_NAME) == name
        return True

    def _delete(self, bucket: str, keys: Sequence[str]) -> None:
        inside = self._client.bucket(bucket)

        def delete(key: str) -> None:
            with _saying(bucket, key):
                try:
                    inside.blob(key).delete(**_REQUEST)
                except exceptions.NotFound:
                    return

        in_parallel(delete, keys)


def _meta(blob: Any) -> Meta:
    return Meta(blob.name, blob.size, f"generation:{blob.generation}")


def _generation(condition: str) -> int:
    """The generation that a condition or an identity demands; 0 is none there."""
    return 0 if condition == NEW else int(condition.removeprefix("generation:"))


@contextmanager
def _saying(bucket: str, key: str) -> Iterator[None]:
    """Say in a sentence what a person can mend; what may mend itself is an OSError.

    Raises:
        InputError: no right, no valid credentials, or no such bucket.
        OSError: the store did not answer, or not well, until the deadline.
    """
    path = f"gs://{bucket}/{key}"
    try:
        yield
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise InputError(
            f"{path}: not allowed ({error.message}); the account needs the role Storage Object User"
        ) from None
    except exceptions.NotFound:
        raise InputError(f"{path}: there is no bucket {bucket}; make it first") from None
    except GoogleAuthError as error:
        raise InputError(
            f"{path}: the credentials are not accepted ({error.args[0]}); "
            "run gcloud auth application-default login"
        ) from None
    except exceptions.GoogleAPIError as error:
        raise OSError(f"{path}: {error}") from error
