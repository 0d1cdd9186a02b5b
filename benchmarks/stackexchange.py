"""Stack Exchange against BeautifulSoup on the same posts, and memory at N and 10 N posts.

    python benchmarks/stackexchange.py --input DUMPS --peer-python PYTHON

The peers are in benchmarks/stackexchange_peers.py: `structure` makes of the HTML what ours does,
`text` only its text, as RedPajama does. Ours is the whole way from the file to threads as text, and
the HTML alone. Memory: `roving run` on the largest site's posts, so many times with other ids and
ten times as many.

2,685 rows of two sites, microseconds of CPU per row, median of 5 rounds in one run on a shared
machine (the ratios are what counts); 96 % of the lines of `structure` are ours:

                    ours   structure             text
    HTML            24.9   330.8, 13.3 times     215.1, 8.6 times
    file to threads 62.3   356.3,  5.7 times     239.0, 3.8 times

Of the whole way 9 are libxml2's, for parsing XML, which the peers share. Memory, by `--copies 58`:
202 MB of posts 505 MB, 2,018 MB of posts 597 MB.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import orjson
from common import measure

from filters.document import Document
from filters.stackexchange import ThreadText, post_text
from pipeline.readers.stackexchange import read_posts

PEERS = Path(__file__).with_name("stackexchange_peers.py")


def threads(path: Path) -> Iterator[Document]:
    """The threads of a site, before their HTML is read."""
    with path.open("rb") as stream:
        for record in read_posts(
            stream, site=str(path), maximum_row_bytes=4_000_000, join_bytes=1 << 26
        ):
            if isinstance(record, Document):
                yield record


def ours(paths: list[Path]) -> tuple[float, float, dict[str, str]]:
    """CPU seconds of the whole way, and of the HTML alone; the threads."""
    stage = ThreadText()
    texts = {}
    started = time.process_time()
    for path in paths:
        for thread in threads(path):
            stage(thread)
            texts[thread.id] = thread.text
    whole = time.process_time() - started
    raws = (thread.raw for path in paths for thread in threads(path))
    bodies = [post["body"] for raw in raws for post in orjson.loads(raw)]
    started = time.process_time()
    for body in bodies:
        post_text(body)
    return whole, time.process_time() - started, texts


def common_lines(ours: dict[str, str], theirs: dict[str, str]) -> float:
    """Share of the lines that are in both texts of a thread, blank lines aside."""
    both = either = 0
    for name, text in ours.items():
        lines = [
            Counter(line.rstrip() for line in side.split("\n") if line.strip())
            for side in (text, theirs[name])
        ]
        both += (lines[0] & lines[1]).total()
        either += (lines[0] | lines[1]).total()
    return both / either


def compare(paths: list[Path], peer_python: str, rounds: int) -> None:
    """Print ours beside the peers, which run in turn with it."""
    taken: dict[str, list[float]] = defaultdict(list)
    shared = 0.0
    for _ in range(rounds):
        whole, html, texts = ours(paths)
        taken["ours all"].append(whole)
        taken["ours html"].append(html)
        for kind in ("structure", "text"):
            command = [peer_python, str(PEERS), kind, "--texts", *map(str, paths)]
            shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            peer = json.loads(shown)
            for part in ("all", "html"):
                taken[f"{kind} {part}"].append(peer[part])
            if kind == "structure":
                shared = common_lines(texts, peer["texts"])
    size = sum(path.stat().st_size for path in paths) / 1e6
    print(f"{peer['rows']} rows, {size:.1f} MB; microseconds of CPU per row, median of {rounds}")
    print(f"lines that `structure` has in common with ours: {shared:.1%}")
    mid = {name: median(values) / peer["rows"] * 1e6 for name, values in taken.items()}
    for part, label in (("html", "HTML"), ("all", "file to threads")):
        line = f"{label:<16} ours {mid[f'ours {part}']:5.1f}"
        for kind in ("structure", "text"):
            theirs = mid[f"{kind} {part}"]
            line += f"   {kind} {theirs:5.1f}, {theirs / mid[f'ours {part}']:.1f} times"
        print(line)


def grow(path: Path, copies: int, target: Path) -> float:
    """Write the posts so many times, answers of all copies after their questions; returns MB."""
    rows = [row for row in path.read_text("utf-8-sig").splitlines() if "<row " in row]
    step = 1 + max(int(number) for row in rows for number in re.findall(r' Id="(\d+)"', row))

    def moved(row: str, copy: int) -> str:
        return re.sub(
            r' (Id|ParentId|AcceptedAnswerId)="(\d+)"',
            lambda match: f' {match[1]}="{int(match[2]) + copy * step}"',
            row,
        )

    target.parent.mkdir(parents=True)
    with target.open("w", encoding="utf-8") as file:
        file.write("<posts>\n")
        for late in (False, True):
            for copy in range(copies):
                wanted = [row for row in rows if ("ParentId=" in row) == late]
                file.writelines(f"{moved(row, copy)}\n" for row in wanted)
        file.write("</posts>\n")
    return target.stat().st_size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with SITE/Posts.xml")
    parser.add_argument("--peer-python", required=True, help="with beautifulsoup4 and lxml")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=4, help="of the largest site, for memory")
    parsed = parser.parse_args()
    paths = sorted(parsed.input.glob("*/Posts.xml"))
    compare(paths, parsed.peer_python, parsed.rounds)
    largest = max(paths, key=lambda path: path.stat().st_size)
    for copies in (parsed.copies, 10 * parsed.copies):
        with tempfile.TemporaryDirectory() as folder:
            grown = grow(largest, copies, Path(folder, "input", "a.test", "Posts.xml"))
            command = [sys.executable, "-m", "pipeline", "run", "stackexchange"]
            command += ["--input", str(Path(folder, "input")), "--output", str(Path(folder, "out"))]
            used = measure(command)
        print(f"{grown:8.1f} MB: peak {used.peak:.0f} MB, {used.cpu / grown * 1e3:.0f} ms CPU/MB")


if __name__ == "__main__":
    main()
