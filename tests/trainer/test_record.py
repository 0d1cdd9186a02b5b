"""What a run tells: rates from a clock, lines that outlive a kill, a picture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import image

from trainer.errors import TrainerError
from trainer.record import DEVICES, Record, draw_losses, peak_flops, read_metrics

SCORE = {
    "tokens": 100,
    "bytes": 300,
    "loss": 4.5,
    "bits_per_byte": 2.1,
    "standard_error": 0.1,
    "perplexity": 90.0,
}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record_of(folder: Path, clock: Clock, **changes: Any) -> Record:
    folder.mkdir(exist_ok=True)
    settings: dict[str, Any] = {
        "steps": 10,
        "first_step": 0,
        "flops_per_token": 6_000,
        "peak": 1e7,
        "tensorboard": False,
        "clock": clock,
    }
    return Record(folder, **{**settings, **changes})


def values(loss: float, step: int) -> dict[str, float]:
    return {"loss": loss, "learning_rate": 1e-3, "gradient_norm": 1.0, "tokens": 500 * step}


def test_rates_come_from_the_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    record = record_of(tmp_path, clock)
    clock.now += 2
    record.step(1, 1000, values(5.0, 1))
    # An evaluation of a minute is no training: neither tokens/s nor MFU count it.
    clock.now += 60
    record.evaluation(1, {"all": SCORE})
    clock.now += 4
    record.step(2, 1000, values(4.0, 2))
    clock.now += 4
    record.step(4, 2000, values(3.0, 4))
    rates = [line for line in read_metrics(tmp_path / "metrics.jsonl") if line["kind"] == "step"]
    assert [line["tokens_per_second"] for line in rates] == [500.0, 250.0, 500.0]
    assert [line["mfu"] for line in rates] == pytest.approx([0.3, 0.15, 0.3])
    printed = capsys.readouterr().err
    # 70 seconds for 4 steps: 105 more for 6.
    assert "step 4/10  loss 3.0000  lr 1.00e-03  500 tokens/s  MFU 30.0%  ETA 0:01:45" in printed
    assert "held-out all            2.1000 bits/byte (+-0.1000)" in printed


def test_the_time_left_counts_this_process_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    record = record_of(tmp_path, clock, first_step=6, peak=None)
    clock.now += 30
    record.step(7, 300, values(5.0, 7))
    printed = capsys.readouterr().err
    assert "10 tokens/s  ETA 0:01:30" in printed
    assert "mfu" not in read_metrics(tmp_path / "metrics.jsonl")[0]


def test_after_resuming_no_line_is_there_twice(tmp_path: Path) -> None:
    clock = Clock()
    record = record_of(tmp_path, clock)
    for step in range(1, 6):
        clock.now += 1
        record.step(step, 100, values(5.0, step))
        if step % 2 == 0:
            record.evaluation(step, {"all": SCORE})
    # Killed while a line was being written; the newest checkpoint is of step 3.
    with (tmp_path / "metrics.jsonl").open("a") as output:
        output.write('{"kind": "step", "st')
    again = record_of(tmp_path, clock, first_step=3)
    for step in range(4, 8):
        clock.now += 1
        again.step(step, 100, values(6.0, step))
        if step % 2 == 0:
            again.evaluation(step, {"all": SCORE})
    lines = read_metrics(tmp_path / "metrics.jsonl")
    found = [(line["kind"], line["step"]) for line in lines]
    assert sorted(found) == sorted(
        [("step", step) for step in range(1, 8)] + [("evaluation", step) for step in (2, 4, 6)]
    )
    assert [line["loss"] for line in lines if line["kind"] == "step"] == [5.0] * 3 + [6.0] * 4
    assert not list(tmp_path.glob("*.tmp"))


def test_lines_are_json_even_when_a_loss_is_not_finite(tmp_path: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    record = record_of(tmp_path, Clock())
    record.step(1, 100, values(float("nan"), 1))
    record.step(2, 100, values(float("inf"), 2))
    record.step(3, 100, values(2.0, 3))
    text = (tmp_path / "metrics.jsonl").read_text()
    lines = [json.loads(line, parse_constant=refuse) for line in text.splitlines()]
    assert [line["loss"] for line in lines] == [None, None, 2.0]
    record.close()
    assert (tmp_path / "loss.png").is_file()


def test_the_peak_is_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peak_flops(torch.device("cpu"), 0.0) is None
    assert peak_flops(torch.device("cpu"), 2.5) == 2.5e12
    for name, peak in {
        "NVIDIA H100 80GB HBM3": 989.0,
        "NVIDIA H100 PCIe": 756.0,
        "NVIDIA H100 NVL": 835.0,
        "NVIDIA H200 NVL": 835.0,
        "NVIDIA H200": 989.0,
        "NVIDIA A100-SXM4-80GB": 312.0,
        "NVIDIA GeForce RTX 4090": 165.0,
    }.items():
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _, name=name: name)
        assert peak_flops(torch.device("cuda", 0), 0.0) == peak * 1e12, name
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Somebody's card")
    assert peak_flops(torch.device("cuda", 0), 0.0) is None
    assert min(device.teraflops for device in DEVICES.values()) > 50


def write_run(path: Path, losses: list[float], held_out: Mapping[int, float]) -> None:
    lines: list[dict[str, Any]] = []
    for step, loss in enumerate(losses, start=1):
        lines.append({"kind": "step", "step": step, "loss": loss, "tokens": 10_000 * step})
        if step in held_out:
            sources = {"all": {"loss": held_out[step]}}
            lines.append({"kind": "evaluation", "step": step, "sources": sources})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_the_picture_shows_the_curves(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    falling = 3 + 4 * np.exp(-np.arange(200) / 40)
    runs = {}
    for name, offset in {"raw": 0.3, "curated": 0.0}.items():
        noisy = (falling + offset + random.normal(0, 0.15, 200)).tolist()
        held_out = {step: float(falling[step - 1] + offset + 0.1) for step in (50, 100, 200)}
        runs[name] = tmp_path / f"{name}.jsonl"
        write_run(runs[name], noisy, held_out)
    draw_losses(runs, tmp_path / "two.png")
    draw_losses({"raw": runs["raw"]}, tmp_path / "one.png")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    draw_losses({"empty": empty}, tmp_path / "empty.png")
    drawn = {}
    for name in ("two", "one", "empty"):
        pixels = image.imread(tmp_path / f"{name}.png")[..., :3]
        assert pixels.shape == (600, 1050, 3)
        # Curves are coloured, axes and text are grey.
        drawn[name] = int((pixels.max(-1) - pixels.min(-1) > 0.2).sum())
    assert drawn["two"] > drawn["one"] > 1000 > drawn["empty"]


def test_every_evaluation_has_its_dot(tmp_path: Path) -> None:
    """Also those after a step that was not logged."""
    write_run(tmp_path / "all.jsonl", [5.0, 4.0, 3.0, 2.0], {2: 4.0, 3: 3.0})
    lines = (tmp_path / "all.jsonl").read_text().splitlines(keepends=True)
    fewer = [line for line in lines if '"step": 2' not in line or '"evaluation"' in line]
    assert len(fewer) == len(lines) - 1
    (tmp_path / "fewer.jsonl").write_text("".join(fewer))
    dots = {}
    for name in ("all", "fewer"):
        draw_losses({"loss": tmp_path / f"{name}.jsonl"}, tmp_path / f"{name}.svg")
        curves = (tmp_path / f"{name}.svg").read_text()
        # Ticks are black as well, and have no filling.
        dot = r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*fill: #\w+; stroke: #000000'
        dots[name] = re.findall(dot, curves)
    assert len(dots["all"]) == 2
    assert dots["all"] == dots["fewer"]


def test_tensorboard_is_optional(tmp_path: Path) -> None:
    try:
        import tensorboard  # noqa: F401, PLC0415
    except ImportError:
        with pytest.raises(TrainerError, match="pip install tensorboard"):
            record_of(tmp_path, Clock(), tensorboard=True)
        return
    record = record_of(tmp_path, Clock(), tensorboard=True)
    record.step(1, 100, values(5.0, 1))
    record.evaluation(1, {"all": SCORE})
    record.close()
    assert list((tmp_path / "tensorboard").glob("events.*"))
