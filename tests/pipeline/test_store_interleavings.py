"""Whatever attempts, launchers and cleaners do to each other, what a manifest names is right.

Random interleavings of the real code: four launchers of two recipes over the same units, attempts
that are made twice, machines that die at any request, workers that outlive their launcher, on
stores with and without conditions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
import pytest
from interleavings import Actor, Scheduler, SteppedStore

from pipeline.errors import OutputError, RovingError
from pipeline.store import claim as claims
from pipeline.store import files
from pipeline.store.claim import Claim, claim
from pipeline.store.clean import delete, find_orphans
from pipeline.store.commit import Attempt, Place, new_run, take_over, with_records
from pipeline.store.dataset import (
    FORMAT_VERSION,
    Dataset,
    manifest_identity,
    plain_tables,
    put_manifest,
)
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.tables import write_table
from pipeline.store.units import Unit

TRIALS = 60
ROOT = "mem://bucket/out"
UNITS = [Unit(name, f"mem://bucket/in/{name}", name, 4, "identity") for name in ("one", "two")]
NO_FUNNEL: dict[str, Any] = {"skipped": {}, "stages": []}


@dataclass
class Clock:
    """Time that passes when the test says so."""

    now: float = 1000.0

    def time(self) -> float:
        return self.now


@dataclass
class World:
    """A store, actors, and launchers over the same units."""

    seed: int
    conditional: bool
    claim: Literal["lease", "lock", "none"]
    scheduler: Scheduler = field(init=False)
    store: SteppedStore = field(init=False)
    holder: Actor | None = None

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.seed, death=0.004)
        self.store = SteppedStore(conditional=self.conditional)
        files.register("mem", lambda: self.store)

    def attempt(self, place: Place, unit: Unit, recipe: str, found: dict[str, UnitRecord]) -> None:
        """A worker's attempt at a unit; no two attempts write the same bytes."""
        key = unit.key(recipe)
        record = take_over(place, unit, key)
        if record is None:
            attempt = Attempt(place, unit)
            for kind in ("documents", "rejected"):
                attempt.write(kind, "parquet", f"{recipe} {unit.name} {attempt.id}".encode())
            record = attempt.commit(key, UnitInput(unit.name, "identity", 4), NO_FUNNEL, {})
        found.setdefault(unit.name, record)

    def launch(self, recipe: str, log: list[str]) -> None:
        """A launcher, from its claim to the end of cleaning."""
        if self.claim == "lease":
            with claim(ROOT) as held:
                self._launched(recipe, log, held)
        elif self.claim == "lock":
            self._lock()
            try:
                self._launched(recipe, log, Claim(lambda: True))
            finally:
                self.holder = None
        else:
            self._launched(recipe, log, Claim(lambda: False))

    def _lock(self) -> None:
        """As a file system does it: gone with its holder."""
        holder = self.holder
        if holder is not None and not holder.ended and holder not in self.scheduler.dead:
            raise OutputError("another run is writing")
        self.holder = threading.current_thread().actor  # type: ignore[attr-defined]

    def _launched(self, recipe: str, log: list[str], held: Claim) -> None:
        place = Place(ROOT, "step", True, new_run())
        mark = f"{ROOT}/work/runs/{place.run}"
        files.write_bytes(f"{mark}/started.json", b'{"local": false}')
        seen = manifest_identity(ROOT)
        found: dict[str, UnitRecord] = {}
        units, _ = with_records(place, recipe, UNITS)
        while len(found) < len(units):
            started = [
                self.scheduler.start(
                    f"worker of {place.run}", self._work(place, unit, recipe, found)
                )
                for unit in units
                if unit.name not in found
                for _ in range(self.scheduler.random.choice([1, 1, 2]))
            ]
            while any(not actor.ended and actor not in self.scheduler.dead for actor in started):
                files.stat(f"{mark}/started.json")  # a launcher that waits asks now and then
                if len(found) == len(units):
                    break
        name = f"tables/{place.step}.{place.attempt()}.parquet"
        table = write_table(ROOT, name, found.values())
        content = {
            "format_version": FORMAT_VERSION,
            "recipe": recipe,
            "tables": plain_tables([table]),
        }
        put_manifest(ROOT, content, seen, [table])
        log.append("finished")
        files.write_bytes(f"{mark}/ended.json", b"{}")
        if held.holds():
            named = {table.name, *(file.name for one in found.values() for file in one.files)}
            named |= {f"{place.inner('done')}/{record.name}" for record in found.values()}
            delete(find_orphans(ROOT, named, [place.run]), held)

    def _work(
        self, place: Place, unit: Unit, recipe: str, found: dict[str, UnitRecord]
    ) -> Callable[[], None]:
        return lambda: self.attempt(place, unit, recipe, found)

    def broken(self) -> list[str]:
        """What of the finished dataset is gone, or is not what its recipe made."""
        path = f"{ROOT}/manifest.json"
        if path not in self.store.objects:
            return []
        problems = []
        dataset = Dataset(ROOT)
        for record in dataset.records():
            for file in record.files:
                there = self.store.objects.get(dataset.full(file.name))
                if there is None:
                    problems.append(f"{file.name} is gone")
                elif not there[0].startswith(
                    f"{dataset.manifest['recipe']} {record.unit} ".encode()
                ):
                    problems.append(f"{file.name} holds {there[0]!r}")
        return problems


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(claims, "time", clock)
    return clock


def trial(world: World, clock: Clock) -> None:
    """Launchers one after another and at once, then a last one that nobody disturbs."""
    errors: list[BaseException] = []
    launchers: list[Actor] = []
    plan = [world.scheduler.random.choice("AB") for _ in range(4)]
    for number, recipe in enumerate(plan):

        def launch(recipe: str = recipe) -> None:
            world.launch(recipe, [])

        launchers.append(world.scheduler.start(f"launcher {number}", launch))
        world.scheduler.run(world.scheduler.random.choice([0, 5, 20, 60, 400]))
        if world.scheduler.random.random() < 0.3:
            clock.now += 400  # longer than a lease: a paused launcher has lost its claim
    world.scheduler.run(4000)
    assert world.broken() == []
    clock.now += 400
    log: list[str] = []
    for actor in launchers:
        if not actor.ended and actor not in world.scheduler.dead:
            world.scheduler.actors.remove(actor)
            actor.kill()
    last = world.scheduler.start("last", lambda: world.launch(plan[-1], log))
    for _ in range(200):
        world.scheduler.run(200, deaths=False)
        if last.ended:
            break
    assert last.ended
    assert last.error is None, last.error
    assert log == ["finished"]
    assert world.broken() == []
    assert orjson.loads(world.store.objects[f"{ROOT}/manifest.json"][0])["recipe"] == plan[-1]
    errors += [one.error for one in launchers if one.error is not None]
    assert all(isinstance(error, RovingError) for error in errors), errors


@pytest.mark.parametrize(
    ("conditional", "claim"),
    [(True, "lease"), (True, "lock"), (False, "lock"), (True, "none"), (False, "none")],
)
def test_what_a_manifest_names_is_there_and_right(
    conditional: bool, claim: Any, clock: Clock
) -> None:
    for seed in range(TRIALS):
        trial(World(seed, conditional, claim), clock)
