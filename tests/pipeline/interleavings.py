"""A store in memory that hands control over at every request, and threads that take turns.

The real code of attempts, launchers and cleaners runs in threads of which one at a time is awake; a
scheduler decides at each request who goes on, and may kill an actor there, as machines die.
"""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from pipeline.store.base import ANY, NEW, FileInfo


class Killed(BaseException):
    """The actor's machine has died."""


class Actor:
    """A thread that runs until its next request, whenever it is told to."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._work = work
        self._go, self._waits = threading.Event(), threading.Event()
        self._killed = False
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.actor = self  # type: ignore[attr-defined]  # found by the store
        self._thread.start()
        self._waits.wait()

    def _run(self) -> None:
        try:
            self.pause()
            self._work()
        except Killed:
            pass
        except Exception as error:
            self.error = error
        self.ended = True
        self._waits.set()

    def pause(self) -> None:
        """In the actor: wait to be told to go on."""
        self._waits.set()
        self._go.wait()
        self._go.clear()
        if self._killed:
            raise Killed

    def step(self) -> None:
        """Go on to the next request, or to the end."""
        self._waits.clear()
        self._go.set()
        self._waits.wait()

    def kill(self) -> None:
        """Die at the request that it waits at; what it does while dying takes no effect."""
        self._killed = True
        self.step()


class SteppedStore:
    """Objects in memory; every request is a step of the actor that makes it."""

    def __init__(self, *, conditional: bool) -> None:
        self.objects: dict[str, tuple[bytes, int]] = {}
        self._conditional = conditional
        self._generation = 0

    def _step(self) -> None:
        actor = getattr(threading.current_thread(), "actor", None)
        if actor is not None:
            if actor._killed:
                raise Killed
            actor.pause()

    def list(self, folder: str) -> Iterator[FileInfo]:
        self._step()
        prefix = folder.rstrip("/") + "/"
        for path, (data, generation) in list(self.objects.items()):
            if path.startswith(prefix):
                yield FileInfo(path, path.removeprefix(prefix), len(data), str(generation))

    def stat(self, path: str) -> FileInfo | None:
        self._step()
        if path not in self.objects:
            return None
        data, generation = self.objects[path]
        return FileInfo(path, path.rsplit("/", 1)[1], len(data), str(generation))

    def open(self, path: str) -> BinaryIO:
        self._step()
        if path not in self.objects:
            raise FileNotFoundError(path)
        return io.BytesIO(self.objects[path][0])

    def create(self, path: str) -> SteppedUpload:
        return SteppedUpload(self, path)

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._step()
            self.objects.pop(path, None)

    def put(self, path: str, data: bytes, condition: str) -> bool:
        """Take effect at once, or not at all."""
        self._step()
        if self._conditional and condition != ANY:
            there = str(self.objects[path][1]) if path in self.objects else NEW
            if there != condition:
                return False
        self._generation += 1
        self.objects[path] = data, self._generation
        return True


class SteppedUpload:
    """Bytes that appear when they are published."""

    def __init__(self, store: SteppedStore, path: str) -> None:
        self._store, self._path = store, path
        self._data = io.BytesIO()

    def write(self, data: Any) -> int:
        return self._data.write(data)

    def publish(self, condition: str = ANY) -> bool:
        return self._store.put(self._path, self._data.getvalue(), condition)

    def discard(self) -> None:
        self._data = io.BytesIO()


class Scheduler:
    """Lets actors take turns in a random order, and kills some."""

    def __init__(self, seed: int, death: float) -> None:
        self.random = random.Random(seed)
        self.actors: list[Actor] = []
        self.dead: list[Actor] = []
        self._death = death

    def start(self, name: str, work: Callable[[], None]) -> Actor:
        """A new actor."""
        actor = Actor(name, work)
        self.actors.append(actor)
        return actor

    def run(self, steps: int, *, deaths: bool = True) -> None:
        """So many steps, or until nobody is left."""
        for _ in range(steps):
            self.actors = [actor for actor in self.actors if not actor.ended]
            if not self.actors:
                return
            actor = self.random.choice(self.actors)
            if deaths and self.random.random() < self._death:
                self.actors.remove(actor)
                actor.kill()
                self.dead.append(actor)
            else:
                actor.step()
