"""What each thread of a process is at, in memory that another process reads.

Native code may hold the interpreter for ever, or end it, so only another process can say which
record it was. A note costs a few stores and no system call: whoever watches takes the times.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

SLOTS = 64
SLOT_BYTES = 2048
SIZE = SLOTS * SLOT_BYTES
# In a slot: numbers, then texts that end with a zero byte, from one offset to the next.
_SEQUENCE, _THREAD, _RECORD, _MILLISECONDS = range(4)
_STAGE, _ID, _SKIPS, _PATH, _END = 32, 96, 352, 1376, SLOT_BYTES
_NO_RECORD = -1


@dataclass(frozen=True)
class Position:
    """Where a thread is.

    Attributes:
        record: number among the unit's records, those that carry no document by design apart.
        stage: name of the stage, or of the reader.
        id: of the document, where it is known.
        path: of the unit's input.
        skips: beginning of the paths of the unit's skips (`pipeline.store.attempts`).
        seconds: of CPU that one stage may take for one record.
    """

    record: int
    stage: str
    id: str
    path: str
    skips: str
    seconds: float

    @property
    def too_long(self) -> str:
        """What to say of a record that takes longer."""
        return f"more than {self.seconds:g} s of CPU"

    def __str__(self) -> str:
        known = f" ({self.id})" if self.id else ""
        return f"record {self.record}{known} of {self.path}, stage {self.stage}"


class Slot:
    """A thread's part of the memory, to write in."""

    def __init__(self, memory: memoryview) -> None:
        self._bytes = memory
        self._numbers = memory[:_STAGE].cast("q")

    def unit(self, path: str, skips: str, seconds: float) -> None:
        """Note which unit is next."""
        self.idle()
        self._put(_PATH, _END, path)
        self._put(_SKIPS, _PATH, skips)
        self._numbers[_MILLISECONDS] = round(seconds * 1000)

    def stage(self, name: str) -> None:
        """Note which stage the records that follow are at."""
        self._put(_STAGE, _ID, name)

    def record(self, number: int, identifier: str = "") -> None:
        """Note which record is next."""
        self._put(_ID, _SKIPS, identifier)
        self._numbers[_RECORD] = number
        self._numbers[_SEQUENCE] += 1

    def idle(self) -> None:
        """Note that the thread is at no record."""
        self._numbers[_RECORD] = _NO_RECORD
        self._numbers[_SEQUENCE] += 1

    def claim(self, thread: int) -> None:
        """Give the slot to a thread."""
        self.idle()
        self._numbers[_THREAD] = thread

    def _put(self, start: int, end: int, text: str) -> None:
        data = text.encode("utf-8", "replace")[: end - start - 1] + b"\0"
        self._bytes[start : start + len(data)] = data


def _slot_bytes(memory: memoryview, number: int) -> memoryview:
    return memory[number * SLOT_BYTES : (number + 1) * SLOT_BYTES]


_memory: memoryview | None = None
_lock = threading.Lock()
_own = threading.local()
# Where nobody watches, notes go here.
_UNWATCHED = Slot(memoryview(bytearray(SLOT_BYTES)))


def share(memory: memoryview) -> None:
    """Write notes of this process from now on into `SIZE` bytes that another process reads."""
    global _memory  # noqa: PLW0603  (one memory a process)
    _memory = memory


def slot() -> Slot:
    """The slot of the calling thread."""
    memory = _memory
    if memory is None:
        return _UNWATCHED
    if getattr(_own, "memory", None) is not memory:
        _own.memory, _own.slot = memory, _claimed(memory)
    return _own.slot


def _claimed(memory: memoryview) -> Slot:
    """A slot that no living thread has."""
    with _lock:
        alive = {thread.native_id for thread in threading.enumerate()}
        for number in range(SLOTS):
            found = _slot_bytes(memory, number)
            if found[:_STAGE].cast("q")[_THREAD] not in alive:
                mine = Slot(found)
                mine.claim(threading.get_native_id())
                return mine
    return _UNWATCHED


class Watcher:
    """Reads what another process notes.

    Args:
        memory: of the notes.
        process: its id.
    """

    def __init__(self, memory: memoryview, process: int) -> None:
        self._memory = memory
        self._process = process
        self._seen: dict[int, tuple[int, float]] = {}

    def positions(self) -> list[Position]:
        """Where its threads are, those at no record apart."""
        return [position for _, _, position in self._positions()]

    def stuck(self) -> Position | None:
        """A record that has taken more CPU than it may since it was first seen here."""
        # Without a unit there is no limit either.
        found = [one for one in self._positions() if one[2].seconds]
        if not found:
            return None
        times = _cpu_times(self._process)
        for thread, sequence, position in found:
            now = times[0] if len(times) == 1 else times.get(thread)
            if now is None:
                continue  # the thread has ended
            before, since = self._seen.get(thread, (None, now))
            if before != sequence:
                self._seen[thread] = sequence, now
            elif now - since > position.seconds:
                return position
        return None

    def _positions(self) -> Iterator[tuple[int, int, Position]]:
        for number in range(SLOTS):
            found = _slot_bytes(self._memory, number)
            numbers = found[:_STAGE].cast("q")
            if not numbers[_THREAD]:
                return  # slots are given away in order
            if numbers[_RECORD] != _NO_RECORD:
                stage, identifier, skips, path = (
                    bytes(found[start:end]).split(b"\0", 1)[0].decode("utf-8", "replace")
                    for start, end in ((_STAGE, _ID), (_ID, _SKIPS), (_SKIPS, _PATH), (_PATH, _END))
                )
                seconds = numbers[_MILLISECONDS] / 1000
                position = Position(numbers[_RECORD], stage, identifier, path, skips, seconds)
                yield numbers[_THREAD], numbers[_SEQUENCE], position


def _cpu_times(process: int) -> dict[int, float]:
    """CPU seconds by thread, and under 0 those of the process, which stand in where none are."""
    import psutil  # noqa: PLC0415  (only who watches needs it)

    times: dict[int, float] = {}
    try:
        found = psutil.Process(process)
        times[0] = sum(found.cpu_times()[:2])
        for thread in found.threads():
            times[thread.id] = thread.user_time + thread.system_time
    except psutil.NoSuchProcess:
        times.setdefault(0, 0.0)
    except psutil.AccessDenied:
        pass  # macOS tells only root of the threads of another process
    return times
