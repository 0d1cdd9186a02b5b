"""The main job on the samples: every stage keeps some and drops some, whatever the workers."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from dataset_files import contents

from pipeline.cli.main import main
from pipeline.store.accounting import read_json
from tokenizer.shards.manifest import read_manifest

ROOT = Path(__file__).resolve().parents[2]
TRAINING_STEPS = 16
STAGES = (
    "read",
    "decode",
    "prescreen",
    "extract",
    "length",
    "paragraph_keys",
    "paragraphs",
    "language",
    "perplexity",
    "reference_quality",
)


def run_all(output: Path, workers: int, training_steps: int) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [
            *(ROOT / "tools" / "run_all.sh", "samples", output, "recipes/sample.toml"),
            *(str(workers), str(training_steps)),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("samples") / "one"
    run_all(output, 1, TRAINING_STEPS)
    return output


def test_every_stage_keeps_some_and_drops_some(finished: Path) -> None:
    manifest = read_json(str(finished / "commoncrawl" / "manifest.json"))
    stages = {stage["name"]: stage for stage in manifest["funnel"]["stages"]}
    assert tuple(stages) == STAGES
    for name, stage in stages.items():
        assert stage["documents_out"] > 0, name
        if name != "paragraph_keys":  # it drops lines, and a page only if it has nothing else
            assert stage["reasons"], name
    assert not [reason for stage in stages.values() for reason in stage["reasons"] if ":" in reason]
    assert manifest["documents"] == pq.read_table(finished / "commoncrawl" / "documents").num_rows


def test_finnish_is_refused_and_the_other_wikipedias_kept(finished: Path) -> None:
    manifest = read_json(str(finished / "wikipedia" / "manifest.json"))
    assert [refused["reason"] for refused in manifest["refused_inputs"]] == ["language_not_wanted"]
    languages = pq.read_table(finished / "wikipedia" / "documents").column("language")
    assert set(languages.to_pylist()) == {"en", "de", "fr"}


def test_cited_pages_score_higher_than_the_rest(finished: Path) -> None:
    cited = pq.read_table(finished / "wikipedia" / "documents").column("cited_urls").to_pylist()
    urls = {url for urls in cited for url in urls}
    kept = pq.read_table(finished / "commoncrawl" / "documents").to_pylist()
    rejected = pq.read_table(finished / "commoncrawl" / "rejected").to_pylist()
    low = [row for row in rejected if row["reason"] == "below_threshold"]
    assert len(low) > 0
    assert sum(row["url"] in urls for row in kept) > 10
    assert all(row["reference_score"] >= 0.25 for row in kept)


def test_the_small_model_learns_from_the_tokens_of_every_source(finished: Path) -> None:
    lines = (finished / "training" / "metrics.jsonl").read_text().splitlines()
    steps = [line for line in map(orjson.loads, lines) if line["kind"] == "step"]
    assert steps[-1]["step"] == TRAINING_STEPS
    assert steps[-1]["loss"] < math.log(4000) - 0.5  # what a model that knows nothing has
    assert (finished / "training" / "loss.png").stat().st_size > 10_000
    tokens = {path.parent.name for path in finished.glob("tokens/*/manifest.json")}
    assert tokens == {path.parent.name for path in finished.glob("deduplicated/*/manifest.json")}
    assert len(tokens) == 7


def test_two_workers_make_the_same_dataset(finished: Path, tmp_path: Path) -> None:
    run_all(tmp_path / "two", 2, 0)  # a model is trained by no worker
    for made in ("wikipedia", "commoncrawl", "deduplicated/wikipedia"):
        assert contents(finished / made) == contents(tmp_path / "two" / made)
    for source in ("wikipedia", "books"):
        one, two = (
            read_manifest(str(folder / "tokens" / source))
            for folder in (finished, tmp_path / "two")
        )
        assert one.fingerprint == two.fingerprint
    one, two = (
        files_of(folder / "models" / "tokenizer") for folder in (finished, tmp_path / "two")
    )
    assert one == two


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_wet_is_left_out_where_its_warc_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (ROOT / "samples" / "commoncrawl").glob("*.gz"):
        name = "CC-MAIN-2024-10-x.warc.wet.gz" if ".wet" in path.name else path.name
        (folder / name).write_bytes(path.read_bytes())
    warc = next(path for path in folder.iterdir() if ".wet" not in path.name)
    warc.rename(folder / "CC-MAIN-2024-10-x.warc.gz")
    arguments = ["run", "commoncrawl", "--input", str(folder), "--output", str(tmp_path / "out")]
    arguments += ["--set", "commoncrawl.perplexity.enabled=false"]
    arguments += ["--set", "commoncrawl.reference_quality.enabled=false"]
    assert main(arguments) == 0
    manifest = read_json(str(tmp_path / "out" / "manifest.json"))
    assert manifest["refused_inputs"] == [
        {"path": "CC-MAIN-2024-10-x.warc.wet.gz", "reason": "same_pages_as_warc"}
    ]
