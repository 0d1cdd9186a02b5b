"""What the process that starts a run asks of a store does not grow with the number of units."""

from __future__ import annotations

import os
from collections import Counter

import orjson
import pytest
from object_store import ObjectFolder
from store_servers import BUCKET

from pipeline.cli.main import main
from pipeline.store import files


def launcher_requests(store: ObjectFolder, units: int) -> Counter[str]:
    """Requests of this process for a run over so many units, whose work is done by others."""
    folder = f"obj://{BUCKET}/{units}"
    for number in range(units):
        line = orjson.dumps({"url": f"https://a.example/{number}", "text": f"Text {number}."})
        files.write_bytes(f"{folder}/in/c4-{number:06}.jsonl", line + b"\n")
    before = len(store.requests())
    command = ["run", "c4", "--input", f"{folder}/in", "--output", f"{folder}/out"]
    assert main([*command, "--workers", "2"]) == 0
    made = store.requests()[before:]
    own = [request for request in made if request.process == os.getpid()]
    assert len(made) - len(own) > 4 * units  # the workers' part
    return Counter(request.kind for request in own)


@pytest.mark.engines
def test_requests_of_the_launcher_are_the_same_for_ten_times_the_units(
    object_folder: ObjectFolder,
) -> None:
    few, many = (launcher_requests(object_folder, units) for units in (60, 600))
    assert few == many
    assert few["LIST"] < 20
    assert sum(few.values()) < 60
