"""The one place where a pipeline is built, run, cancelled and explained.

Locally the engine is Beam's FnApiRunner, named explicitly (the plain DirectRunner may download
another engine). Any other `--runner` gets the same transforms.
"""

from __future__ import annotations

import os
import re
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from filters.models import MissingModel
from pipeline.errors import JobFailed, RovingError, RunFailed
from pipeline.passes.logs import listening
from pipeline.passes.signals import Interrupted
from pipeline.store.options import BY_ENVIRONMENT, StoreOptions
from tokenizer.errors import TokenizerError

LOCAL_RUNNER = "FnApiRunner"
# DaskRunner 2.77 drops tagged outputs and finish_bundle output without an error.
REFUSED_RUNNERS = frozenset({"daskrunner", "bundlebaseddirectrunner"})
# How long an engine may take to say that a job is cancelled.
CANCEL_SECONDS = 60
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

    @property
    def submissions(self) -> int:
        """How often a job may be submitted: an engine that tries again by itself gets it once."""
        retries = self.is_local or self.runner.rsplit(".", 1)[-1] == "DataflowRunner"
        return 1 if retries else 3

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
        JobFailed: the job failed; the message has the worker's cause.
        RovingError: what a worker raised of it, as it was.
        KeyboardInterrupt: Ctrl-C; the engine was asked to cancel the job.
    """
    with listening(engine.runner, silent=engine.is_local) as said:
        result, ended = None, None
        try:
            options = _Options(list(engine.options))
            pipeline = beam.Pipeline(runner=engine.runner, options=options)
            expand(pipeline)
            result = pipeline.run()
            ended = _in_thread(result.wait_until_finish)
            if watch is not None:
                watch(result)
            state = ended.result()
        except _EXPECTED:
            _cancel(engine, result, ended)
            raise
        except Exception as error:
            _cancel(engine, result, ended)
            for text in said:
                error.add_note(text)
            raise explained(error, name, engine) from error
        except BaseException:
            _cancel(engine, result, ended)
            raise
    # A job that is cancelled from elsewhere may end without an exception.
    if state is not None and state != PipelineState.DONE:
        kind = RunFailed if state == PipelineState.CANCELLED else JobFailed
        raise kind(
            f"{name}: the job on {engine.runner} ended as {state}; what is committed is kept, run "
            "the same command again to continue"
        )


_View = TypeVar("_View", bound=PipelineOptions)


class _Options(PipelineOptions):
    """Options that make each view of themselves once.

    While a pipeline is built Beam asks for a view at every step, and each is a parser made anew.
    Views hold no values of their own, so one is as good as another.
    """

    def __init__(self, flags: list[str]) -> None:
        super().__init__(flags)
        self.__dict__["views"] = {}

    def view_as(self, cls: type[_View]) -> _View:
        views: dict[type, Any] = self.__dict__["views"]
        if cls not in views:
            views[cls] = super().view_as(cls)
        found: _View = views[cls]
        return found


def _in_thread(call: Callable[[], Any]) -> Future[Any]:
    """A call in a thread: a signal then never strikes inside an engine's client, and may end us."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _cancel(engine: Engine, result: Any, ended: Future[Any] | None) -> None:
    """Ask the engine to end a job, wait, and print its word. That data is safe rests on names."""
    if ended is None or engine.is_local or ended.done():
        return

    def cancel() -> str:
        result.cancel()
        wait([ended])
        return str(result.state)

    print(f"asking {engine.runner} to cancel the job", flush=True)
    try:
        print(f"{engine.runner} says: {_in_thread(cancel).result(CANCEL_SECONDS)}", flush=True)
    except TimeoutError:
        print(f"{engine.runner} has not said in {CANCEL_SECONDS} seconds that it did; look there")
    except Exception as error:
        print(f"{engine.runner} did not cancel the job: {error}; cancel it there", flush=True)


# What Beam adds to a message, inside quotes where the message is quoted.
_WHILE_RUNNING = re.compile(r" \[while running '[^']*'\]")
# The last line of a worker's traceback, as engines pass it on in a text.
_CAUSE = re.compile(
    r"^(?:[\w.]+\.)?([A-Za-z_]\w*(?:Error|Exception|Failed|Model|Interrupt))(?:: (.*))?$"
)
# What engines say when a worker is gone: the job server, Prism, Dataflow.
_LOST = ("Channel closed prematurely", "SDK worker disconnected", "lost contact with the service")


def explained(error: Exception, name: str, engine: Engine) -> BaseException:
    """An exception of a job as what a person is to read of it."""
    text = str(error)
    if isinstance(error, ValueError) and "runner" in text.lower():
        return RunFailed(f"--runner {engine.runner}: {text}")
    # Beam turns Ctrl-C inside a DoFn into a RuntimeError.
    if text.startswith(("KeyboardInterrupt", Interrupted.__name__)):
        return KeyboardInterrupt()
    kind, cause = _cause(error)
    if kind in _SENTENCES:
        return _SENTENCES[kind](cause)
    if isinstance(error, MemoryError) or kind.endswith("MemoryError"):
        return JobFailed(
            f"{name}: out of memory; what is committed is kept. Give the machine more memory or "
            "use fewer workers, and run the same command again"
        )
    if any(said in text for said in _LOST):
        return JobFailed(
            f"{name}: {engine.runner} lost a worker (killed, or out of memory); what is committed "
            "is kept, run the same command again to continue"
        )
    where = "" if engine.is_local else f" on {engine.runner}"
    return JobFailed(
        f"{name}: the job{where} failed: {kind}: {cause}{_frame(error)}; what is committed is "
        "kept, run the same command again to continue"
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
    if found:
        kind, message = found[-1].groups()
        # Beam makes a RuntimeError of what has no message that it could add to.
        inner = _CAUSE.match(message or "") if kind == "RuntimeError" else None
        kind, message = inner.groups() if inner else (kind, message)
        return kind, message or "no message"
    text = " ".join(_WHILE_RUNNING.sub("", str(error)).split())
    return type(error).__name__, text[:500] or "no message"


_PACKAGES = tuple(
    f"{Path(__file__).parents[2] / name}{os.sep}"
    for name in ("dedup", "filters", "pipeline", "tokenizer", "trainer")
)


def _frame(error: BaseException) -> str:
    """Where in our own code an exception was raised, if it was raised in this process."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(_PACKAGES) and frame.filename != __file__:
            return f" (at {frame.filename}:{frame.lineno})"
    return ""
