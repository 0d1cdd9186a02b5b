"""Servers of this machine that speak as Google's and Amazon's object stores, behind a front.

The front passes requests on. It supplies what gcp-storage-emulator leaves out, conditions on
generations and listings in pages, and can lose an answer after the request has taken effect, as
networks do.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from pipeline.store import files

BUCKET = "bucket"
# Names in one answer of the front of Google's, whose server behind gives all at once.
PAGE = 20


def engines(*schemes: str) -> list[object]:
    """Stores as parameters of a test; those that a server stands in for are marked."""
    real = ("gs", "s3")
    return [pytest.param(s, marks=pytest.mark.engines) if s in real else s for s in schemes]


@dataclass(frozen=True)
class Place:
    """An empty folder in a store.

    Attributes:
        folder: its path.
        front: what stands before the server, if it has one.
    """

    folder: str
    front: Front | None = None

    def path(self, name: str) -> str:
        """Full path of a name in it."""
        return files.join(self.folder, name)


class Front(ThreadingHTTPServer):
    """Passes requests on to a server behind it.

    Attributes:
        requests: method and target of each.
        lose: pattern of the next `method target` whose answer is lost; then empty again.
        held: set once a request is held (`holding`).
        status: what every request like `refuse` is answered, if not 0.
        refuse: pattern of `method target`.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port_behind: int, generations: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Pass)
        self.port_behind = port_behind
        self.generations = generations
        self.requests: list[str] = []
        self.lose = ""
        self.lock = threading.Lock()
        self.held = threading.Event()
        self.status = 0
        self.refuse = ""
        self._hold = ""
        self._released = threading.Event()

    @contextmanager
    def holding(self, pattern: str) -> Iterator[None]:
        """Neither pass on nor answer requests like this one."""
        self.held.clear()
        self._released.clear()
        self._hold = pattern
        yield
        self._hold = ""
        self._released.set()

    def holds(self, said: str) -> bool:
        """Wait while a request is held; whether it was."""
        if not self._hold or not re.search(self._hold, said):
            return False
        self.held.set()
        return self._released.wait(60)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Pass(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and answer in one packet
    server: Front

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def _pass(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        said = f"{self.command} {self.path}"
        if len(body) < size or self.server.holds(said):
            self.close_connection = True
            return
        with self.server.lock:  # conditions are looked at and met in one step
            self.server.requests.append(said)
            refused = self._refusal(said, body)
            status, headers, answer = (refused, [], b"{}") if refused else self._forward(body)
            listing = self.server.generations and urlsplit(self.path).path.endswith("/o")
            if listing and not body and status == 200:
                answer = self._page(answer)
            lost = self.server.lose and re.search(self.server.lose, said)
            if lost:
                self.server.lose = ""
        if lost:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = dict(headers).get("Content-Length", "0") if self.command == "HEAD" else len(answer)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port_behind, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _page(self, answer: bytes) -> bytes:
        """A part of a listing, with the token of the next if that is asked for."""
        query = parse_qs(urlsplit(self.path).query)
        found = json.loads(answer)
        start = int(query.get("pageToken", ["0"])[0])
        items = found.pop("items", [])
        found["items"] = items[start : start + PAGE]
        if start + PAGE < len(items) and "nextPageToken" in query.get("fields", [""])[0]:
            found["nextPageToken"] = str(start + PAGE)
        return json.dumps(found).encode()

    def _refusal(self, said: str, body: bytes) -> int:
        """The status of a request that is not passed on, else 0.

        412 or 404 where the generation that it demands is not the one there.
        """
        if self.server.status and re.search(self.server.refuse, said):
            return self.server.status
        if not self.server.generations:
            return 0
        target = urlsplit(self.path)
        query = parse_qs(target.query)
        if "ifGenerationMatch" in query:
            name = json.loads(re.search(rb'"name": ("(?:[^"\\]|\\.)*")', body)[1])
            return 0 if self._generation(name) == query["ifGenerationMatch"][0] else 412
        if "generation" in query and "/o/" in target.path:
            name = unquote(target.path.partition("/o/")[2])
            return 0 if self._generation(name) == query["generation"][0] else 404
        return 0

    def _generation(self, name: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port_behind, timeout=60)
        connection.request("GET", f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")
        response = connection.getresponse()
        found = response.read()
        connection.close()
        return json.loads(found)["generation"] if response.status == 200 else "0"


@contextmanager
def google(folder: Path) -> Iterator[Front]:
    """gcp-storage-emulator with an empty bucket."""
    options = ["--host=127.0.0.1", f"--default-bucket={BUCKET}", "--quiet", "--in-memory"]
    server = _behind(folder, "gcp_storage_emulator", "start", *options, "--port=PORT")
    with server as port, _front(port, generations=True) as front:
        yield front


@contextmanager
def amazon(folder: Path) -> Iterator[Front]:
    """moto's server with an empty bucket."""
    with _behind(folder, "moto.server", "--host=127.0.0.1", "--port=PORT") as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("PUT", f"/{BUCKET}", b"")
        assert connection.getresponse().status == 200
        connection.close()
        with _front(port, generations=False) as front:
            yield front


@contextmanager
def _front(port: int, generations: bool) -> Iterator[Front]:
    with Front(port, generations) as front:
        thread = threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield front
        front.shutdown()
        thread.join()


@contextmanager
def _behind(folder: Path, module: str, *arguments: str) -> Iterator[int]:
    """A server in a process of its own, on a free port; the test is skipped where it is missing."""
    package = module.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, *arguments]
    command = [argument.replace("PORT", str(port)) for argument in command]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            deadline = time.monotonic() + 60
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert server.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < deadline, f"{module} does not answer"
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()
            server.wait()
