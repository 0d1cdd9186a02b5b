"""Fixtures of the tests of the pipeline: a folder in each kind of store, another engine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

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
def job_server(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Beam's job server and a worker pool that knows nothing of this process."""
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            ports.append(probe.getsockname()[1])
    # The pool starts the literal command `python`: the environment must be first on the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PATH": path}
    modules = (
        ("apache_beam.runners.portability.local_job_service_main", "--port", ports[0]),
        ("apache_beam.runners.worker.worker_pool_main", "--service_port", ports[1]),
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, option, str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for module, option, port in modules
    ]
    for port in ports:
        _wait_for(port)
    yield ports[0], ports[1]
    for process in processes:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")
