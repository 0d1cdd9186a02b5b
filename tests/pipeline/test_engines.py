"""The same transforms on other engines: Dataflow's own validation, and Beam's job server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from dataset_files import contents as dataset_contents
from dataset_files import rows
from dedup_data import document, words, write_dataset
from extensions import write_example
from object_store import ObjectFolder
from test_frame import contents, make_input, run
from tokens_data import TEXTS, tokenize, write_documents
from tokens_data import contents as token_contents

from dedup.decisions import REMOVED, removed_rows
from pipeline.cli.main import main
from pipeline.deduplication import cluster_stages, clusters, shuffle, verification
from pipeline.deduplication.decision_files import Decisions
from pipeline.deduplication.key_pass import KeyPass
from pipeline.deduplication.key_units import KeyUnits
from pipeline.deduplication.methods import method_of
from pipeline.deduplication.paragraph_stage import PARAGRAPHS
from pipeline.deduplication.shuffle import Comparison
from pipeline.job import Job
from pipeline.passes.engine import Engine
from pipeline.passes.frame import Tables, UnitPass, expand_units, write_tables
from pipeline.passes.local import Workers
from pipeline.passes.run import Run
from pipeline.passes.shuffle import ForUnit, give_back
from pipeline.passes.tasks_file import TasksFile
from pipeline.passes.units_file import UnitsFile
from pipeline.recipe import load_recipe
from pipeline.registry import find_source
from pipeline.sources.commoncrawl.paragraphs import ParagraphComparison
from pipeline.sources.github import join, meeting
from pipeline.sources.run import plan
from pipeline.store.claim import Claim
from pipeline.store.commit import Place
from pipeline.tokens.adopt import AdoptPass
from pipeline.tokens.encode import TokenPass
from pipeline.tokens.sample import SamplePass
from tokenizer.shards.manifest import TokenizerIdentity

pytestmark = pytest.mark.engines

LLAMA = str(Path(__file__).resolve().parents[2] / "recipes" / "llama1.toml")
DATAFLOW = (
    "--runner=DataflowRunner",
    "--dry_run=True",
    "--no_auth",
    "--project=my-project",
    "--region=us-central1",
    "--temp_location=gs://my-bucket-xyz/temporary",
    "--staging_location=gs://my-bucket-xyz/staging",
    "--sdk_container_image=us-docker.pkg.dev/my-project/roving/roving:1",
    "--sdk_location=container",
    "--no_save_main_session",
)
UNITS = UnitsFile("gs://b/out/work/runs/0/units.parquet", 1_000_000)
KEY_UNITS = KeyUnits("gs://b/out/work/runs/0/key-units.parquet", 1_000_000)
IDENTITY = TokenizerIdentity("ab" * 32, 32_000, 1, 2)


def place(step: str, root: str = "gs://b/out") -> Place:
    return Place(root, step, run="0" * 8)


def over_units(root: beam.Pipeline, work: UnitPass) -> None:
    expand_units(root, work, UNITS, Tables(work.place, UNITS.units, "0"))


@pytest.fixture
def job_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Job]:
    # Fingerprints are of models' content, whatever it is.
    monkeypatch.chdir(tmp_path)
    for model in (
        "lid.176.ftz",
        "language/en/model",
        "reference/reference.bin",
        "tokenizer/tokenizer.model",
    ):
        (tmp_path / "models" / model).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / model).write_bytes(model.encode())
    run = Run(Workers(Engine("DataflowRunner", 1, DATAFLOW[1:])), Claim(lambda: True))
    return lambda source: Job(source, "gs://b/in", str(tmp_path), load_recipe(LLAMA), run)


Jobs: TypeAlias = Callable[[str], Job]


def crawl_extract(root: beam.Pipeline, job_for: Jobs) -> None:
    job = job_for("commoncrawl")
    over_units(root, plan(find_source("commoncrawl"), job, ()).first)


def crawl_finish(root: beam.Pipeline, job_for: Jobs) -> None:
    job = job_for("commoncrawl")
    ((comparison, then),) = plan(find_source("commoncrawl"), job, ()).following
    assert isinstance(comparison, ParagraphComparison)
    over_units(root, comparison.work(job, then))


def crawl_deduplicate(root: beam.Pipeline, _: Jobs) -> None:
    decide = partial(removed_rows, policy="keep_first")
    at = place("paragraphs")
    work = Comparison(KEY_UNITS, PARAGRAPHS, decide, REMOVED, at, 1 << 24)
    records = shuffle.expand(root, work, range(16), 4)
    write_tables(records, Tables(at, len(KEY_UNITS), "0"))


def documents_keys(root: beam.Pipeline, _: Jobs) -> None:
    maker = method_of("minhash").keys(load_recipe(LLAMA).deduplication.minhash)
    over_units(root, KeyPass(maker, place("keys"), "a"))


def candidates_verified(root: beam.Pipeline, _: Jobs) -> None:
    candidates = Decisions(place("candidates"), (), {})
    check = verification.SignatureCheck(128, 0.7)
    work = verification.Verification(KEY_UNITS, candidates, check, place("edges"), 1 << 24)
    verification.expand(root, work, range(len(KEY_UNITS)))


def clusters_stage(root: beam.Pipeline, _: Jobs) -> None:
    tasks = TasksFile("gs://b/out/work/runs/0/tasks.parquet", 1_000_000)
    at = place("clusters")
    step = partial(clusters._large, partitions=1 << 16)
    work = cluster_stages.StageWork(tasks, range(tasks.tasks), cluster_stages.Task.of, step, at, 1)
    write_tables(work.expand(root), Tables(at, tasks.tasks, "0"))


def clusters_written(root: beam.Pipeline, _: Jobs) -> None:
    tasks = TasksFile("gs://b/out/work/runs/0/ranges.parquet", 1_000_000)
    write = partial(clusters._write_range, units=KEY_UNITS, place=place("clusters"))
    clusters.expand_writing(root, tasks, write)


def contents_joined(root: beam.Pipeline, _: Jobs) -> None:
    met = meeting.meet(root, KEY_UNITS, range(1 << 10), 10)
    choose, write = (
        partial(join._chosen, licensed=1 << 10),
        partial(join._write_chosen, place=place("join"), units=KEY_UNITS),
    )
    chosen = met | "choose" >> beam.FlatMap(choose).with_output_types(ForUnit)
    give_back(root, len(KEY_UNITS), chosen, write)


def wikipedia_documents(root: beam.Pipeline, job_for: Jobs) -> None:
    over_units(root, plan(find_source("wikipedia"), job_for("wikipedia"), ()).first)


def tokenizer_sample(root: beam.Pipeline, _: Jobs) -> None:
    over_units(root, SamplePass("a", place("sample"), 1 << 60, 1 << 63))


def tokens(root: beam.Pipeline, _: Jobs) -> None:
    settings = load_recipe(LLAMA).tokens
    over_units(root, TokenPass("a", place("tokens"), "models/tokenizer", IDENTITY, settings))


def tokens_adopted(root: beam.Pipeline, _: Jobs) -> None:
    over_units(root, AdoptPass("a", place("tokens"), "llmc", "models/tokenizer", IDENTITY))


EXPECTED_STEPS = {
    "wikipedia_documents": {"read", "page", "wikitext", "write"},
    "crawl_extract": {
        "read",
        "decode",
        "prescreen",
        "extract",
        "length",
        "paragraph_keys",
        "write",
    },
    "crawl_finish": {"read", "paragraphs", "language", "perplexity", "reference_quality", "write"},
    "crawl_deduplicate": {"partition", "meet", "decide", "return", "write"},
    "documents_keys": {"keys"},
    "candidates_verified": {"send", "meet", "verify"},
    "clusters_stage": {"step", "meet", "write"},
    "clusters_written": {"write"},
    "contents_joined": {"partition", "meet", "choose", "return", "write"},
    "tokenizer_sample": {"sample"},
    "tokens": {"encode"},
    "tokens_adopted": {"adopt"},
}
GRAPHS = (
    wikipedia_documents,
    crawl_extract,
    crawl_finish,
    crawl_deduplicate,
    documents_keys,
    candidates_verified,
    clusters_stage,
    clusters_written,
    contents_joined,
    tokenizer_sample,
    tokens,
    tokens_adopted,
)


@pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
def test_dataflow_accepts_every_pass_over_a_million_units(
    build: Callable[[beam.Pipeline, Jobs], None], job_for: Jobs
) -> None:
    """A graph of which Dataflow says that it is valid, and that is small: units are a file."""
    pipeline = beam.Pipeline(options=PipelineOptions(list(DATAFLOW)))
    build(pipeline, job_for)
    result = pipeline.run()
    proto = result.job.proto_pipeline
    assert proto.components.environments
    names = {step.unique_name for step in proto.components.transforms.values()}
    assert names >= EXPECTED_STEPS[build.__name__]
    assert proto.ByteSize() < 1_000_000


def test_a_job_server_with_a_worker_elsewhere_writes_the_same_bytes(
    tmp_path: Path, job_server: tuple[int, int]
) -> None:
    units = make_input(tmp_path / "in")
    here = run(tmp_path / "here", units)
    options = (
        f"--job_endpoint=localhost:{job_server[0]}",
        "--environment_type=EXTERNAL",
        f"--environment_config=localhost:{job_server[1]}",
    )
    there = run(tmp_path / "there", units, Engine("PortableRunner", 1, options))
    assert contents(here) == contents(there)


def test_a_worker_elsewhere_reaches_a_store_that_a_package_brings(
    object_folder: ObjectFolder, job_server: tuple[int, int], samples: Path
) -> None:
    command = ["run", "arxiv", "--input", str(samples / "arxiv"), "--output", "obj://bucket/arxiv"]
    command += ["--recipe", str(samples.parent / "recipes" / "sample.toml")]
    command += ["--runner", "PortableRunner", f"--job_endpoint=localhost:{job_server[0]}"]
    command += ["--environment_type=EXTERNAL", f"--environment_config=localhost:{job_server[1]}"]
    assert main(command) == 0
    puts = object_folder.requests("PUT")
    written = [request for request in puts if request.path.startswith("bucket/arxiv/documents/")]
    assert written
    assert os.getpid() not in {request.process for request in written}
    assert main(["shards", "verify", "obj://bucket/arxiv"]) == 0


def test_a_plugin_travels_to_a_worker_that_has_no_copy(
    tmp_path: Path, job_server: tuple[int, int]
) -> None:
    (tmp_path / "in").mkdir()
    for number, text in enumerate(("quiet wool " * 40, "LOUD WOOL " * 40)):
        (tmp_path / "in" / f"{number}.md").write_text(text)
    command = [sys.executable, "-m", "pipeline", "run", "notes", "--input", str(tmp_path / "in")]
    for name in ("notes.py", "shouting.py"):
        command += ["--plugin", write_example(tmp_path, name)]
    command += ["--set", 'notes.filters=["shouting"]']
    elsewhere = ["--runner", "PortableRunner", f"--job_endpoint=localhost:{job_server[0]}"]
    elsewhere += ["--environment_type=EXTERNAL"]
    elsewhere += [f"--environment_config=localhost:{job_server[1]}"]
    subprocess.run([*command, "--output", str(tmp_path / "here")], check=True)
    subprocess.run([*command, "--output", str(tmp_path / "there"), *elsewhere], check=True)
    here, there = (dataset_contents(tmp_path / name) for name in ("here", "there"))
    assert here == there
    (row,) = rows(tmp_path / "there", "rejected")
    assert (row["stage"], row["reason"]) == ("shouting", "shouts")


def test_deduplication_on_a_job_server_writes_the_same_bytes(
    tmp_path: Path, job_server: tuple[int, int]
) -> None:
    near = [words(1, 60), *(words(1, 60)[:59] + words(seed, 1) for seed in range(2, 5))]
    texts = [" ".join(text) for text in (*near, words(9, 60))]
    for name in ("one", "two"):
        documents = [document(f"{name}-{row}", text) for row, text in enumerate(texts)]
        write_dataset(tmp_path / name, {"a": documents[:3], "b": documents[3:]})
    here = ["dedup", "minhash", "--input", str(tmp_path / "one"), "--input", str(tmp_path / "two")]
    there = [*here, "--output", str(tmp_path / "there"), "--runner", "PortableRunner"]
    there += [f"--job_endpoint=localhost:{job_server[0]}", "--environment_type=EXTERNAL"]
    assert main([*here, "--output", str(tmp_path / "here")]) == 0
    assert main([*there, f"--environment_config=localhost:{job_server[1]}"]) == 0
    for name, kept in (("one", 2), ("two", 0)):
        found = pq.read_table(tmp_path / "there" / name / "documents").num_rows
        assert found == kept
        assert dataset_contents(tmp_path / "here" / name) == dataset_contents(
            tmp_path / "there" / name
        )


def test_tokens_on_a_job_server_are_the_same_bytes(
    tmp_path: Path, job_server: tuple[int, int], small_tokenizer: Path
) -> None:
    units = {f"u{number}": [*TEXTS, f"number {number}"] for number in range(4)}
    documents = write_documents(tmp_path / "set", units)
    engine = ("--runner", "PortableRunner", f"--job_endpoint=localhost:{job_server[0]}")
    engine += ("--environment_type=EXTERNAL", f"--environment_config=localhost:{job_server[1]}")
    assert tokenize(small_tokenizer, tmp_path / "here", documents) == 0
    assert tokenize(small_tokenizer, tmp_path / "there", documents, options=engine) == 0
    assert token_contents(tmp_path / "here") == token_contents(tmp_path / "there")
