"""WARC to English text: our stages against a datatrove pipeline, on the same files in one run.

    python benchmarks/warc_path.py --warc DIR --lid lid.176.ftz --peer-python PYTHON

PYTHON runs an environment made with

    pip install 'datatrove[io,processing]' faust-cchardet python-magic warcio \
        fasttext-numpy2-wheel lxml_html_clean

and the system's libmagic. Ours: reader, decode, prescreen, extract, language. The peer: WarcReader,
Trafilatura, LanguageFilter with their defaults, the same language model and the same least score.
A third side, ours without the prescreen, extracts every page: what it keeps and the prescreen
loses is listed. CPU time is that of the process and its children, less that of a run on no file
(imports, models); the sides take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def run_side(
    python: str, script: str, config: dict[str, Any], folder: Path
) -> tuple[float, dict[str, Any]]:
    """CPU seconds of a side with its children, and what it wrote."""
    path, output = folder / "config.json", folder / "result.json"
    path.write_text(json.dumps({**config, "output": str(output)}), encoding="utf-8")
    environment = dict(os.environ)
    if python == sys.executable:
        environment["PYTHONPATH"] = str(HERE.parent)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [python, str(HERE / script), str(path)], stdout=log, stderr=log, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{script} failed:\n{(folder / 'log').read_text()[-4000:]}")
    result: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return usage.ru_utime + usage.ru_stime, result


def print_side(name: str, seconds: list[float], result: dict[str, Any]) -> None:
    pages = result["counts"].get("pages", 0)
    median = statistics.median(seconds)
    print(f"\n{name}: {median:.2f} s CPU ({', '.join(f'{s:.2f}' for s in seconds)})")
    print(f"  {pages} pages read, {len(result['kept'])} kept")
    stages = {stage: 1000 * total / pages for stage, total in result["seconds"].items()}
    if stages:
        print("  ms per page read: " + ", ".join(f"{n} {ms:.2f}" for n, ms in stages.items()))
    dropped = {key: n for key, n in result["counts"].items() if key != "pages"}
    if dropped:
        print("  dropped: " + ", ".join(f"{key} {n}" for key, n in sorted(dropped.items())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--warc", type=Path, required=True, help="folder with *.warc.gz")
    parser.add_argument("--lid", type=Path, required=True, help="lid.176.ftz or .bin")
    parser.add_argument("--peer-python", help="python with datatrove; without it only ours runs")
    parser.add_argument("--language", default="en")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side, taking turns")
    parser.add_argument("--passes", type=int, default=1, help="times the files are read in a run")
    arguments = parser.parse_args()
    warcs = sorted(arguments.warc.glob("*.warc.gz"))
    if not warcs:
        sys.exit(f"no *.warc.gz in {arguments.warc}")
    config = {
        "lid": str(arguments.lid.resolve()),
        "language": arguments.language,
        "minimum_score": 0.5,
        "prescreen": True,
    }
    ours = (sys.executable, "warc_path_ours.py", config)
    sides = {"ours": ours, "ours, no prescreen": (*ours[:2], {**config, "prescreen": False})}
    if arguments.peer_python:
        sides["datatrove"] = (arguments.peer_python, "warc_path_peer.py", config)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for _ in range(arguments.rounds):
            for name, (python, script, side) in sides.items():
                start_up, _ = run_side(python, script, {**side, "warcs": []}, folder)
                paths = [str(path.resolve()) for path in warcs] * arguments.passes
                files = {**side, "warcs": paths}
                total, results[name] = run_side(python, script, files, folder)
                seconds[name].append(total - start_up)
    for name, result in results.items():
        print_side(name, seconds[name], result)
    kept = set(results["ours"]["kept"])
    every = set(results["ours, no prescreen"]["kept"])
    print(f"\nkept of what full extraction keeps: {len(kept & every)} of {len(every)}")
    for lost in sorted(every - kept):
        print(f"  lost by the prescreen: {lost}")
    for name in list(sides)[1:]:
        ratio = statistics.median(seconds[name]) / statistics.median(seconds["ours"])
        print(f"CPU of {name} / ours: {ratio:.2f}")


if __name__ == "__main__":
    main()
