"""What a run tells: a terminal line, `metrics.jsonl`, a loss curve, TensorBoard if wanted."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.errors import TrainerError


class Device(NamedTuple):
    """Peak dense bf16 teraflops and GiB of a device, from its maker's data sheet."""

    teraflops: float
    gib: int


# By a part of the name; the first that is in it counts.
DEVICES = {
    "B200": Device(2250.0, 180),
    "H200 NVL": Device(835.0, 141),
    "H200": Device(989.0, 141),
    "H100 PCIe": Device(756.0, 80),
    "H100 NVL": Device(835.0, 94),
    "H100": Device(989.0, 80),
    "A100": Device(312.0, 80),
    "L40S": Device(362.0, 48),
    "A10G": Device(70.0, 24),
    "RTX 4090": Device(165.0, 24),
}


def peak_flops(device: torch.device, configured: float) -> float | None:
    """Peak operations a second of one device in bf16; None where it is not known."""
    if configured:
        return configured * 1e12
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((one.teraflops * 1e12 for part, one in DEVICES.items() if part in name), None)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a `metrics.jsonl`, without one that was cut off."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


class Record:
    """Writes what happens, from the first rank.

    Args:
        folder: of the run.
        steps: optimizer steps in all.
        first_step: where this process starts; later lines of an earlier one are dropped.
        flops_per_token: of training.
        peak: operations a second of all devices together, if known.
        tensorboard: whether to write event files too.
        clock: seconds.

    Raises:
        TrainerError: TensorBoard is wanted and not installed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        steps: int,
        first_step: int,
        flops_per_token: int,
        peak: float | None,
        tensorboard: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._steps = steps
        self._first_step = first_step
        self._flops_per_token = flops_per_token
        self._peak = peak
        self._path = folder / "metrics.jsonl"
        kept = [line for line in read_metrics(self._path) if line["step"] <= first_step]
        rewritten = self._path.with_suffix(".tmp")
        rewritten.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        rewritten.replace(self._path)
        self._events = _open_events(folder / "tensorboard", first_step) if tensorboard else None
        self._clock = clock
        self._started = self._last = clock()
        self._is_terminal = sys.stderr.isatty()

    def step(self, step: int, tokens: int, values: dict[str, float]) -> None:
        """Record optimizer steps since the last call.

        Args:
            step: how many are done.
            tokens: read since the last call, by all ranks.
            values: loss, learning rate, norm of the gradient, ...
        """
        now = self._clock()
        rate = tokens / max(1e-9, now - self._last)
        self._last = now
        values = {**values, "tokens_per_second": rate}
        if self._peak:
            values["mfu"] = rate * self._flops_per_token / self._peak
        self.write("step", step, values)
        done = step - self._first_step
        left = (self._steps - step) * (now - self._started) / max(1, done)
        mfu = f"  MFU {values['mfu']:.1%}" if self._peak else ""
        line = (
            f"step {step:,}/{self._steps:,}  loss {values['loss']:.4f}  "
            f"lr {values['learning_rate']:.2e}  {rate:,.0f} tokens/s{mfu}  ETA {_duration(left)}"
        )
        self.say(line, passing=step < self._steps)

    def evaluation(self, step: int, scores: Mapping[str, Mapping[str, float | None]]) -> None:
        """Record scores on held-out text; the time it took does not count as training's."""
        self.write("evaluation", step, {"sources": scores})
        for source, score in scores.items():
            error = score["standard_error"]
            self.say(
                f"step {step:,}  held-out {source:<14} {score['bits_per_byte']:.4f} bits/byte "
                f"({'one window' if error is None else f'+-{error:.4f}'})  "
                f"loss {score['loss']:.4f}  perplexity {score['perplexity']:,.1f}  "
                f"{score['tokens']:,} tokens"
            )
        self._last = self._clock()

    def write(self, kind: str, step: int, values: dict[str, Any]) -> None:
        """One line of `metrics.jsonl`."""
        line = {"kind": kind, "step": step, **finite(values)}
        with self._path.open("a", encoding="utf-8") as output:
            output.write(json.dumps(line, allow_nan=False) + "\n")
        if self._events is not None:
            for name, value in _numbers(values, kind):
                self._events.add_scalar(name, value, step)

    def say(self, text: str, *, passing: bool = False) -> None:
        """A line for the person; a passing one is written over by the next on a terminal."""
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{text}" + ("" if passing else "\n"))
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Draw the loss curve."""
        draw_losses({"loss": self._path}, self._folder / "loss.png")
        if self._events is not None:
            self._events.close()


def _open_events(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  (optional)
    except ImportError:
        raise TrainerError(
            "logging.tensorboard needs the package: pip install tensorboard"
        ) from None
    return SummaryWriter(str(folder), purge_step=first_step + 1)


def finite(value: Any) -> Any:
    """Plain data with null for every number that is not finite: JSON has no name for it."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Every number within, by a name like a path."""
    for key, value in values.items():
        name = f"{prefix}/{key}"
        if isinstance(value, Mapping):
            yield from _numbers(value, name)
        elif isinstance(value, (int, float)):
            yield name, value


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def draw_losses(runs: dict[str, Path], target: Path) -> None:
    """Loss by training tokens of one or more runs, as a picture.

    Args:
        runs: `metrics.jsonl` by label.
        target: `.png` or `.svg`.
    """
    import matplotlib as mpl  # noqa: PLC0415  (slow to import)

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4), dpi=150)
    for label, path in runs.items():
        lines = read_metrics(path)
        steps = [line for line in lines if line["kind"] == "step" and line["loss"] is not None]
        if not steps:
            continue
        tokens = [line["tokens"] / 1e6 for line in steps]
        losses = [line["loss"] for line in steps]
        (drawn,) = axes.plot(tokens, losses, lw=0.6, alpha=0.35)
        axes.plot(tokens, _smoothed(losses), lw=1.6, color=drawn.get_color(), label=label)
        held_out = [line for line in lines if line["kind"] == "evaluation"]
        # Not every step has a line that says its tokens.
        places = np.interp(
            [line["step"] for line in held_out], [line["step"] for line in steps], tokens
        )
        scores = [line["sources"]["all"]["loss"] for line in held_out]
        axes.plot(places, scores, "o", ms=4, color=drawn.get_color(), mec="black")
    axes.set(xlabel="training tokens (millions)", ylabel="loss (nats a token)")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(title="dots: held-out")
    figure.tight_layout()
    figure.savefig(target)
    plt.close(figure)


def _smoothed(values: Sequence[float]) -> NDArray[np.float64]:
    """A mean over a fiftieth of the run around each value; a trailing one would lag."""
    window = np.ones(len(values) // 50 | 1)
    sums, counts = (np.convolve(row, window, "same") for row in (values, np.ones(len(values))))
    return sums / counts
