"""Real engines for tests: Beam's own job server and Prism, each with workers in a pool."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
PRISM = Path(os.environ.get("ROVING_PRISM", ROOT.parent / "shared" / "tools" / "prism" / "prism"))


@dataclass(frozen=True)
class Server:
    """An engine that listens, and the pool in which it starts its workers.

    Attributes:
        port: of its job service.
        pool_port: of the worker pool.
        pool: the pool's process.
    """

    port: int
    pool_port: int
    pool: psutil.Process

    @property
    def beam_options(self) -> tuple[str, ...]:
        """Beam's options to use it."""
        return (
            f"--job_endpoint=localhost:{self.port}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{self.pool_port}",
        )

    @property
    def options(self) -> tuple[str, ...]:
        """Options of `roving` to use it."""
        return ("--runner", "PortableRunner", *self.beam_options)

    def workers(self) -> list[psutil.Process]:
        """The pool's workers that are alive, the oldest first."""
        alive = [one for one in self.pool.children() if one.status() != psutil.STATUS_ZOMBIE]
        return sorted(alive, key=lambda process: process.create_time())


@contextmanager
def job_server(folder: Path = ROOT, path: tuple[str, ...] = ()) -> Iterator[Server]:
    """Beam's own job server and a pool; it never cancels, never retries, has one worker a job.

    Args:
        folder: in which the pool works.
        path: where the pool looks for modules before it looks at ours.
    """
    command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"]
    with _server(command, "--port", folder, path) as server:
        yield server


@contextmanager
def prism(folder: Path = ROOT, path: tuple[str, ...] = ()) -> Iterator[Server]:
    """Prism as a server, and a pool (`job_server`); it cancels, and never retries."""
    if not PRISM.is_file():
        pytest.skip(f"no Prism at {PRISM} (set ROVING_PRISM)")
    with _server([str(PRISM), "--serve_http=false"], "--job_port", folder, path) as server:
        yield server


SERVERS = {"job server": job_server, "prism": prism}


@contextmanager
def _server(
    command: list[str], port_option: str, folder: Path, path: tuple[str, ...]
) -> Iterator[Server]:
    port, pool_port = _free_port(), _free_port()
    pool = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main"]
    environment = environment_of_workers(path)
    processes = [
        _start([*command, port_option, str(port)], ROOT, environment),
        _start([*pool, "--service_port", str(pool_port)], folder, environment),
    ]
    try:
        _wait_for(port)
        _wait_for(pool_port)
        yield Server(port, pool_port, psutil.Process(processes[1].pid))
    finally:
        workers = [one for each in processes for one in psutil.Process(each.pid).children(True)]
        for process in [*processes, *workers]:
            process.kill()
        for started in processes:
            started.wait()


def _start(command: list[str], folder: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=env, stdout=quiet, stderr=quiet)


def environment_of_workers(path: tuple[str, ...] = ()) -> dict[str, str]:
    """Of a process that finds our packages and the tests' modules."""
    tests = str(Path(__file__).parent)
    found = os.pathsep.join([*path, str(ROOT), tests, os.environ.get("PYTHONPATH", "")])
    # The pool starts the literal command `python`: the environment must be first on the path.
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": found, "PATH": programs}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")
