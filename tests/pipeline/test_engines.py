"""The same transforms on other engines: Dataflow's own validation, and Beam's job server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from dedup_data import document, words, write_dataset
from test_frame import digest, make_input, make_pass, run
from tokens_data import TEXTS, contents, tokenize, write_documents

from pipeline.cli.main import main
from pipeline.deduplication import shuffle, verify
from pipeline.deduplication.decisions import Decisions
from pipeline.deduplication.key_pass import KeyPass
from pipeline.deduplication.methods import key_maker
from pipeline.deduplication.shuffle import KeyUnit
from pipeline.job import Job
from pipeline.recipe import load_recipe
from pipeline.runner import Engine, Workers, expand
from pipeline.sources import commoncrawl, wikipedia
from pipeline.tokens.adopt import AdoptPass
from pipeline.tokens.encode import TokenPass
from pipeline.tokens.sample import SamplePass
from pipeline.units import Unit
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
UNITS = [Unit("a-1", "gs://b/a.warc.wet.gz", "a.warc.wet.gz", 1, "CC-MAIN-2020-05")]


def job_for(source: str) -> Job:
    engine = Engine("DataflowRunner", 1, DATAFLOW[1:])
    return Job(source, "gs://b/in", "gs://b/out", load_recipe(LLAMA), engine, Workers(engine))


def crawl_extract(root: beam.Pipeline) -> None:
    job = job_for("commoncrawl")
    stages = commoncrawl.extract_stages(job)
    expand(root, commoncrawl.extract_pass(job, stages, "gs://b/out/extract", "f"), UNITS)


def crawl_finish(root: beam.Pipeline) -> None:
    job = job_for("commoncrawl")
    stages = commoncrawl.finish_stages(job)
    folders = "gs://b/out/extract", "gs://b/out"
    expand(root, commoncrawl.finish_pass(job, stages, *folders, "f"), UNITS)


def crawl_deduplicate(root: beam.Pipeline) -> None:
    work = commoncrawl.comparison(job_for("commoncrawl"), UNITS, "gs://b/out/extract")
    shuffle.expand(root, work, range(16), 4, 0)


def documents_keys(root: beam.Pipeline) -> None:
    maker = key_maker("minhash", load_recipe(LLAMA).deduplication)
    expand(root, KeyPass(maker, "gs://b/out/work/keys/a", "f", "a"), UNITS)


def candidates_verified(root: beam.Pipeline) -> None:
    units = (KeyUnit("gs://b/out/work/keys/a", "a-1"),)
    candidates = Decisions("gs://b/out/work/candidates")
    edges = "gs://b/out/work/edges"
    work = verify.Verification(units, candidates, verify.SignatureCheck(128, 0.7), edges, 1 << 24)
    verify.expand(root, work, [0], 0)


def wikipedia_documents(root: beam.Pipeline) -> None:
    expand(root, wikipedia.documents_pass(job_for("wikipedia"), "gs://b/out", "f"), UNITS)


IDENTITY = TokenizerIdentity("ab" * 32, 32_000, 1, 2)


def tokenizer_sample(root: beam.Pipeline) -> None:
    expand(root, SamplePass("a", "gs://b/sample/a", "f", 1 << 60, 1 << 63), UNITS)


def tokens(root: beam.Pipeline) -> None:
    settings = load_recipe(LLAMA).tokens
    expand(root, TokenPass("a", "gs://b/out/a", "/models/tokenizer", IDENTITY, settings), UNITS)


def tokens_adopted(root: beam.Pipeline) -> None:
    work = AdoptPass("a", "gs://b/out/a", "llmc", "/models/tokenizer", IDENTITY)
    expand(root, work, UNITS)


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
    tokenizer_sample,
    tokens,
    tokens_adopted,
)


@pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
def test_dataflow_accepts_every_pass(build: Callable[[beam.Pipeline], None]) -> None:
    pipeline = beam.Pipeline(options=PipelineOptions(list(DATAFLOW)))
    build(pipeline)
    result = pipeline.run()
    assert result.job.proto_pipeline.components.environments
    names = {step.unique_name for step in pipeline.to_runner_api().components.transforms.values()}
    assert names >= EXPECTED_STEPS[build.__name__]


@pytest.fixture
def job_server(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Beam's job server and a worker pool that knows nothing of this process."""
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            ports.append(probe.getsockname()[1])
    folder = str(Path(__file__).parent)
    # The pool starts the literal command `python`: the environment must be first on the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": folder, "PATH": path}
    modules = (
        ("apache_beam.runners.portability.local_job_service_main", "--port", ports[0]),
        ("apache_beam.runners.worker.worker_pool_main", "--service_port", ports[1]),
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, option, str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for module, option, port in modules
    ]
    for port in ports:
        _wait_for(port)
    yield ports[0], ports[1]
    for process in processes:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def test_a_job_server_with_a_worker_elsewhere_writes_the_same_bytes(
    tmp_path: Path, job_server: tuple[int, int]
) -> None:
    units = make_input(tmp_path / "in")
    run(make_pass(tmp_path / "here"), units)
    options = (
        f"--job_endpoint=localhost:{job_server[0]}",
        "--environment_type=EXTERNAL",
        f"--environment_config=localhost:{job_server[1]}",
    )
    run(make_pass(tmp_path / "there"), units, Engine("PortableRunner", 1, options))
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


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
        assert digest(tmp_path / "here" / name) == digest(tmp_path / "there" / name)


def test_tokens_on_a_job_server_are_the_same_bytes(
    tmp_path: Path, job_server: tuple[int, int], small_tokenizer: Path
) -> None:
    units = {f"u{number}": [*TEXTS, f"number {number}"] for number in range(4)}
    documents = write_documents(tmp_path / "set", units)
    engine = ("--runner", "PortableRunner", f"--job_endpoint=localhost:{job_server[0]}")
    engine += ("--environment_type=EXTERNAL", f"--environment_config=localhost:{job_server[1]}")
    assert tokenize(small_tokenizer, tmp_path / "here", documents) == 0
    assert tokenize(small_tokenizer, tmp_path / "there", documents, options=engine) == 0
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
