"""Fixtures of the tests of the pipeline: a folder in each kind of store, another engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import engine_servers
import pytest
from store_servers import BUCKET, Front, Place, amazon, engines, google

from pipeline.store.options import StoreOptions, configure


@pytest.fixture(scope="module")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """What stands in for Google's object store."""
    pytest.importorskip("google.cloud.storage", reason="google-cloud-storage is not installed")
    with google(tmp_path_factory.mktemp("google")) as front:
        yield front


@pytest.fixture(scope="module")
def amazon_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """What stands in for Amazon's object store."""
    pytest.importorskip("obstore", reason="obstore is not installed")
    with amazon(tmp_path_factory.mktemp("amazon")) as front:
        yield front


@pytest.fixture(params=engines("local", "obj", "gs", "s3"))
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """An empty folder in each store; processes that the test starts reach it too."""
    if request.param == "local":
        yield Place(str(tmp_path / "local"))
        return
    folder = f"{request.param}://{BUCKET}/{tmp_path.name}"
    if request.param == "obj":
        request.getfixturevalue("object_folder")
        yield Place(folder)
        return
    front = request.getfixturevalue("google_server" if request.param == "gs" else "amazon_server")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", front.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    configure(StoreOptions())
    yield Place(folder, front)
    configure(StoreOptions())


@pytest.fixture
def job_server() -> Iterator[tuple[int, int]]:
    """Ports of Beam's job server and of a worker pool that knows nothing of this process."""
    with engine_servers.job_server(path=tuple(sys.path)) as server:
        yield server.port, server.pool_port
