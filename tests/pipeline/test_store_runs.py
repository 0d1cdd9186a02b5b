"""A source and a deduplication with input and output in each store: the same bytes as on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from object_store import ObjectFolder
from store_servers import BUCKET, Place, engines

from pipeline.cli.main import main
from pipeline.store import files
from pipeline.store.dataset import Dataset

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPE = ("--recipe", str(REPOSITORY / "recipes" / "sample.toml"))


def run(source: str, output: str, *options: str) -> None:
    command = ["run", "c4", "--input", source, "--output", files.join(output, "c4"), *RECIPE]
    assert main([*command, *options]) == 0


def documents(folder: str) -> dict[str, bytes]:
    """The shards of a finished dataset, by unit."""
    return {shard.unit: files.read_bytes(shard.path) for shard in Dataset(folder).shards}


@pytest.mark.parametrize("place", engines("obj", "gs", "s3"), indirect=True)
def test_a_source_and_a_deduplication_in_a_store(
    place: Place, samples: Path, tmp_path: Path
) -> None:
    for file in files.list_files(str(samples / "c4")):
        files.write_bytes(place.path(f"in/{file.relative}"), files.read_bytes(file.path))
    for source, output in (
        (str(samples / "c4"), str(tmp_path / "here")),
        (place.path("in"), place.folder),
    ):
        run(source, output)
        step = ["dedup", "minhash", "--input", f"c={output}/c4", "--output", f"{output}/unique"]
        assert main([*step, *RECIPE]) == 0
        assert main(["shards", "verify", f"{output}/unique/c"]) == 0
    for name in ("c4", "unique/c"):
        there = documents(place.path(name))
        assert there == documents(f"{tmp_path}/here/{name}")
        assert there


def test_workers_of_a_run_reach_the_store(object_folder: ObjectFolder, samples: Path) -> None:
    (crawl,) = (samples / "c4").glob("*.warc.wet.gz")
    for number in range(4):
        name = crawl.name.replace("00000", f"0000{number}")
        files.write_bytes(f"obj://{BUCKET}/in/{name}", crawl.read_bytes())
    run(f"obj://{BUCKET}/in", f"obj://{BUCKET}/out", "--workers", "2")
    manifest = next(r for r in object_folder.requests("PUT") if r.path.endswith("c4/manifest.json"))
    written = [r for r in object_folder.requests("PUT") if "/c4/documents/" in r.path]
    assert len(written) == 4
    assert manifest.process not in {request.process for request in written}
