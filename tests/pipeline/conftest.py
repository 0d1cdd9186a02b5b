"""Beam's job server, for tests that run passes on another engine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


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
