"""Stack Exchange against BeautifulSoup, and memory at N and 10 N posts.

    python benchmarks/stackexchange.py --input DUMPS --peer-python PYTHON

The peer is what RedPajama does to a row, written anew: lxml's iterparse, marks for list items,
BeautifulSoup's text with lxml as its parser. Ours is the whole way from the file to threads as
text, and the HTML alone. PYTHON has beautifulsoup4 and lxml. Memory: `roving run` on the same
posts, 4 and 40 times with other ids.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import orjson
from common import measure

from filters.document import Document
from filters.stackexchange import ThreadText, post_text
from pipeline.readers.stackexchange import read_posts

PEER = """
import json, sys, time
from bs4 import BeautifulSoup
from lxml import etree
started, count, html = time.process_time(), 0, 0.0
for path in sys.argv[1:]:
    for _, row in etree.iterparse(path, tag="row"):
        body = row.get("Body") or ""
        for mark in ("<li>", "<ol>"):
            body = body.replace(mark, "\\n*").replace(mark.replace("<", "</"), "")
        begun = time.process_time()
        BeautifulSoup(body, "lxml").get_text()
        html += time.process_time() - begun
        count += 1
        row.clear()
print(json.dumps([count, time.process_time() - started, html]))
"""


def ours(paths: list[Path]) -> tuple[float, float]:
    """CPU seconds of the whole way, and of the HTML alone."""
    stage = ThreadText()
    raws = []
    started = time.process_time()
    for path in paths:
        with path.open("rb") as stream:
            for record in read_posts(
                stream, site=path.parent.name, maximum_row_bytes=4_000_000, join_bytes=1 << 26
            ):
                if isinstance(record, Document):
                    raws.append(record.raw)
                    stage(record)
    whole = time.process_time() - started
    bodies = [post["body"] for raw in raws for post in orjson.loads(raw)]
    started = time.process_time()
    for body in bodies:
        post_text(body)
    return whole, time.process_time() - started


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
    parser.add_argument("--peer-python", required=True, help="interpreter with beautifulsoup4")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=4, help="of the largest site, for memory")
    parsed = parser.parse_args()
    paths = sorted(parsed.input.glob("*/Posts.xml"))
    size = sum(path.stat().st_size for path in paths) / 1e6
    taken: dict[str, list[float]] = {"whole": [], "html": [], "peer": [], "peer_html": []}
    rows = 0
    for _ in range(parsed.rounds):
        whole, html = ours(paths)
        command = [parsed.peer_python, "-c", PEER, *map(str, paths)]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows, peer, peer_html = json.loads(shown)
        for name, value in zip(taken, (whole, html, peer, peer_html), strict=True):
            taken[name].append(value)
    mid = {name: median(values) for name, values in taken.items()}
    print(f"{rows} rows, {size:.1f} MB; microseconds per row, CPU, median of {parsed.rounds}")
    for label, mine, theirs in (("file to text", "whole", "peer"), ("HTML", "html", "peer_html")):
        print(
            f"{label:<14}ours {mid[mine] / rows * 1e6:6.1f}   BeautifulSoup "
            f"{mid[theirs] / rows * 1e6:6.1f}   ratio {mid[theirs] / mid[mine]:.1f}"
        )
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
