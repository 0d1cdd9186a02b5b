"""The one place where a pipeline is built, run, cancelled and explained.

Locally the engine is Beam's FnApiRunner, named explicitly (the plain DirectRunner may download
another engine). Any other `--runner` gets the same transforms.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from filters.models import MissingModel
from pipeline.errors import RovingError, RunFailed
from pipeline.passes.signals import Interrupted
from pipeline.store.options import BY_ENVIRONMENT, StoreOptions
from tokenizer.errors import TokenizerError

LOCAL_RUNNER = "FnApiRunner"
# DaskRunner 2.77 drops tagged outputs and finish_bundle output without an error.
REFUSED_RUNNERS = frozenset({"daskrunner", "bundlebaseddirectrunner"})
# How long an engine may take to say that a job is cancelled.
CANCEL_MILLISECONDS = 60_000
_EXPECTED = (RovingError, MissingModel, TokenizerError)


@dataclass(frozen=True)
class Engine:
    """Where a run happens.

    Attributes:
        runner: name of a Beam runner.
        workers: local worker processes.
        options: Beam's own options, as on its command line.
        stores: how object stores are reached, here and on every worker.
    """

    runner: str = LOCAL_RUNNER
    workers: int = 1
    options: tuple[str, ...] = ()
    stores: StoreOptions = BY_ENVIRONMENT

    @property
    def is_local(self) -> bool:
        """Whether all of a run's processes are this command's own and end with it."""
        return self.runner == LOCAL_RUNNER

    def __post_init__(self) -> None:
        if self.runner.rsplit(".", 1)[-1].lower() in REFUSED_RUNNERS:
            raise RunFailed(
                f"{self.runner} is known to lose data; use {LOCAL_RUNNER}, DataflowRunner, "
                "FlinkRunner, SparkRunner, PrismRunner or PortableRunner"
            )
        if self.workers < 1:
            raise RunFailed("--workers must be at least 1")
        if self.workers > 1 and not self.is_local:
            raise RunFailed("--workers is for local runs; give the engine its own worker options")


def execute(
    engine: Engine,
    name: str,
    expand: Callable[[beam.Pipeline], object],
    watch: Callable[[Any], None] | None = None,
) -> None:
    """Build a pipeline, run it and wait for its end.

    Args:
        engine: where.
        name: of the pass, for errors.
        expand: puts the transforms into the pipeline.
        watch: gets the job's result as soon as an engine has taken it.

    Raises:
        RunFailed: the job failed; the message has the worker's cause.
        KeyboardInterrupt: Ctrl-C; the engine was asked to cancel the job.
    """
    with _quiet(engine):
        result = None
        try:
            options = PipelineOptions(list(engine.options))
            pipeline = beam.Pipeline(runner=engine.runner, options=options)
            expand(pipeline)
            result = pipeline.run()
            if watch is not None:
                watch(result)
            state = result.wait_until_finish()
        except _EXPECTED:
            _cancel(engine, result)
            raise
        except Exception as error:
            _cancel(engine, result)
            raise explained(error, name, engine) from error
        except BaseException:
            _cancel(engine, result)
            raise
    # A job that is cancelled from elsewhere ends without an exception.
    if state is not None and state != PipelineState.DONE:
        raise RunFailed(
            f"{name}: the job on {engine.runner} ended as {state}; what is committed is kept, run "
            "the same command again to continue"
        )


def _cancel(engine: Engine, result: Any) -> None:
    """Ask the engine to end a job, wait, and print its word. That data is safe rests on names."""
    if result is None or engine.is_local or PipelineState.is_terminal(result.state):
        return
    print(f"asking {engine.runner} to cancel the job", flush=True)
    try:
        result.cancel()
        with suppress(RuntimeError):  # how some engines say that a job was cancelled
            result.wait_until_finish(CANCEL_MILLISECONDS)
        print(f"{engine.runner} says: {result.state}", flush=True)
    except Exception as error:
        print(f"{engine.runner} did not cancel the job: {error}; cancel it there", flush=True)


_WHILE_RUNNING = re.compile(r" \[while running .*\]\s*$", re.DOTALL)
# The last line of a worker's traceback, as engines pass it on in a text.
_CAUSE = re.compile(
    r"^(?:[\w.]+\.)?([A-Za-z_]\w*(?:Error|Exception|Failed|Model|Interrupt)): (.*)$"
)


def explained(error: Exception, name: str, engine: Engine) -> BaseException:
    """An exception of a job as what a person is to read of it."""
    text = str(error)
    if isinstance(error, ValueError) and "runner" in text.lower():
        return RunFailed(f"--runner {engine.runner}: {text}")
    # Beam turns Ctrl-C inside a DoFn into a RuntimeError.
    if text.startswith(("KeyboardInterrupt", Interrupted.__name__)):
        return KeyboardInterrupt()
    if isinstance(error, MemoryError):
        return RunFailed(
            f"{name}: out of memory; what is committed is kept. Give the machine more memory or "
            "use fewer workers, and run the same command again"
        )
    kind, cause = _cause(error)
    if kind in _SENTENCES:
        return _SENTENCES[kind](cause)
    where = "" if engine.is_local else f" on {engine.runner}"
    frame = _frame(error)
    return RunFailed(
        f"{name}: the job{where} failed: {kind}: {cause}{frame}; what is committed is kept, run "
        "the same command again to continue"
    )


_SENTENCES: dict[str, type[Exception]] = {
    kind.__name__: kind for base in _EXPECTED for kind in (base, *base.__subclasses__())
}


def _cause(error: BaseException) -> tuple[str, str]:
    """Kind and message of what a worker raised, from the exception or from the text of one."""
    found = [
        match
        for line in str(error).splitlines()
        if (match := _CAUSE.match(_WHILE_RUNNING.sub("", line.strip())))
    ]
    if found and not type(error).__module__.startswith("pipeline"):
        return found[-1][1], found[-1][2]
    first = _WHILE_RUNNING.sub("", str(error)).strip().splitlines()
    return type(error).__name__, first[0][:500] if first else "no message"


def _frame(error: BaseException) -> str:
    """Where in our own code an exception was raised, if it was raised in this process."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "apache_beam" not in frame.filename and "site-packages" not in frame.filename:
            return f" (at {frame.filename}:{frame.lineno})"
    return ""


@contextmanager
def _quiet(engine: Engine) -> Iterator[None]:
    """Keep the local engine's chatter out of the user's terminal; other engines may speak."""
    if not engine.is_local:
        yield
        return
    logger = logging.getLogger("apache_beam")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
