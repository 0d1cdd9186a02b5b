"""What the process that starts a run asks of a store does not grow with the number of units."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import orjson
import pytest
from object_store import ObjectFolder
from store_servers import BUCKET

from pipeline.cli.main import main
from pipeline.fingerprints import Fingerprinted
from pipeline.job import Job
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store import files
from pipeline.store.accounting import Funnel
from pipeline.store.commit import Attempt, Place
from pipeline.store.inputs import Inputs
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit


def launcher_requests(store: ObjectFolder, units: int, work: Callable[[], None]) -> Counter[str]:
    """Requests of this process, by kind, for work over so many units that others do.

    Those that keep the claim come by the clock, not by units.
    """
    before = len(store.requests())
    work()
    made = [one for one in store.requests()[before:] if not one.path.endswith("/claim.json")]
    own = [request for request in made if request.process == os.getpid()]
    assert len(made) - len(own) > 3 * units  # the workers' part
    return Counter(request.kind for request in own)


def test_a_whole_object_takes_one_request(object_folder: ObjectFolder) -> None:
    path, content = f"obj://{BUCKET}/large", os.urandom(3 << 20)
    files.write_bytes(path, content)
    assert files.read_bytes(path) == content
    assert len(object_folder.requests("GET")) == 1


@dataclass(frozen=True)
class Nothing(Fingerprinted):
    """A pass that makes a file for each unit of nothing."""

    place: Place
    name: str = "nothing"

    def decided_by(self) -> tuple[str]:
        return (self.name,)

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | "make" >> beam.Map(self.make),)

    def make(self, unit: Unit) -> UnitRecord:
        attempt = Attempt(self.place, unit)
        attempt.write("documents", "txt", unit.name.encode())
        key, read = unit.key(self.fingerprint), UnitInput(unit.path, "", 1)
        return attempt.commit(key, read, Funnel().to_json(), {"documents": 1})


def make_nothing(units: int) -> None:
    """A whole run over units that cost nothing, to a dataset with its manifest."""
    output = f"obj://{BUCKET}/nothing{units}"
    with running(Engine(workers=2), output) as run:
        job = Job("c4", Inputs(()), output, load_recipe("llama1"), run)
        names = [f"{number:06}" for number in range(units)]
        listed = [Unit(name, f"in/{name}", name, 1, identity="1") for name in names]
        job.complete(job.run_pass(Nothing(job.place("nothing", is_last=True)), listed), [])


def make_c4(units: int) -> None:
    """The command, over so many files."""
    folder = f"obj://{BUCKET}/c4-{units}"
    assert (
        main(
            ["run", "c4", "--input", f"{folder}/in", "--output", f"{folder}/out", "--workers", "2"]
        )
        == 0
    )


@pytest.fixture(autouse=True)
def importable_in_workers(object_folder: ObjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@pytest.mark.engines
def test_requests_of_the_launcher_are_the_same_for_ten_times_the_units(
    object_folder: ObjectFolder,
) -> None:
    few, many = (
        launcher_requests(object_folder, units, partial(make_nothing, units))
        for units in (1_000, 10_000)
    )
    listings = few.pop("LIST"), many.pop("LIST")
    assert few == many
    assert sum(few.values()) < 50
    # One for each thousand names that a listing finds: records, files, attempts.
    assert listings[1] - listings[0] <= 9 * 4


@pytest.mark.engines
def test_requests_of_a_command_are_the_same_for_ten_times_the_files(
    object_folder: ObjectFolder,
) -> None:
    found = []
    for units in (60, 600):
        for number in range(units):
            line = orjson.dumps({"url": f"https://a.example/{number}", "text": f"Text {number}."})
            files.write_bytes(f"obj://{BUCKET}/c4-{units}/in/c4-{number:06}.jsonl", line + b"\n")
        found.append(launcher_requests(object_folder, units, partial(make_c4, units)))
    few, many = found
    assert few == many
    assert few["LIST"] < 20
    assert sum(few.values()) < 60
