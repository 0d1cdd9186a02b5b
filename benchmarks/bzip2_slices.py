"""A dump of one bzip2 stream, without an index: one unit for one worker, or slices for two.

    python benchmarks/bzip2_slices.py --dumps DIR [--wiki enwiki] [--copies 20] [--rounds 3]

The pages of the wiki's dumps in DIR, COPIES times one after another, are one file and one bzip2
stream. Two processes that have started before read and clean it as the Wikipedia source does, as
one unit or in eight slices, in turn. Prints the share of decompression in the CPU time; the ratio
of wall times; the ratio of the CPU times of the process that worked longest, which other load on
the machine disturbs less; what the machine allows, from both processes with the whole file each;
the noise, how far the rounds of one side lie apart; and whether the texts are the same.
"""

from __future__ import annotations

import argparse
import bz2
import io
import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import BinaryIO, NamedTuple, cast

from filters.document import Document
from filters.wikitext import WikipediaPageFilter, WikitextCleaner
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.readers.dump_file import open_dump
from pipeline.recipe import load_recipe
from pipeline.sources.wikipedia.source import ReadDump, cut_unit, find_units, may_be_cut
from pipeline.store.files import open_read
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit, open_unit

SLICES = 8
PAGES = re.compile(rb"<page>.*</page>", re.DOTALL)


class Done(NamedTuple):
    """A unit's texts, and what it took of which process."""

    texts: list[str]
    seconds: float
    process: int


class Side(NamedTuple):
    """A round of one side; the CPU seconds are those of the process that worked longest."""

    wall: float
    longest: float
    texts: list[str]


def write_dump(paths: Sequence[Path], copies: int, target: Path) -> int:
    """One stream of all pages, so many times; returns its size in bytes."""
    pages = b""
    for path in paths:
        found = PAGES.search(bz2.decompress(path.read_bytes()))
        pages += found[0] + b"\n" if found else b""
    compressor = bz2.BZ2Compressor()
    with target.open("wb") as file:
        for piece in (b"<mediawiki>\n", *[pages] * copies, b"</mediawiki>\n"):
            file.write(compressor.compress(piece))
        file.write(compressor.flush())
    return target.stat().st_size


def units_of(folder: Path, slice_bytes: int) -> list[Unit]:
    """The units that a run with this setting has."""
    changes = [f"wikipedia.input.slice_bytes={slice_bytes}"]
    settings = load_recipe(DEFAULT_RECIPE, changes).wikipedia
    whole, _ = find_units(Inputs((str(folder),)), settings)
    large = [unit for unit in whole if unit.size > slice_bytes and may_be_cut(unit)]
    small = [unit for unit in whole if unit not in large]
    return [*small, *(part for unit in large for part in cut_unit(unit, settings.input))]


def read_and_clean(unit: Unit) -> Done:
    """What a worker does with a unit."""
    started = time.process_time()
    settings = load_recipe(DEFAULT_RECIPE).wikipedia
    keep, clean = WikipediaPageFilter(settings.page), WikitextCleaner(settings.wikitext)
    stream = cast(BinaryIO, io.BufferedReader(open_unit(unit), 1 << 20))
    texts = []
    for record in ReadDump(settings.input)(stream, unit):
        page = keep(record) if isinstance(record, Document) else None
        cleaned = clean(page) if isinstance(page, Document) else None
        if isinstance(cleaned, Document):
            texts.append(cleaned.text)
    return Done(texts, time.process_time() - started, os.getpid())


def measure(pool: ProcessPoolExecutor, units: Sequence[Unit]) -> Side:
    """All units, by whichever process is free."""
    started = time.monotonic()
    done = list(pool.map(read_and_clean, units))
    wall = time.monotonic() - started
    used: dict[int, float] = defaultdict(float)
    for one in done:
        used[one.process] += one.seconds
    return Side(wall, max(used.values()), [text for one in done for text in one.texts])


def seconds_to_decompress(unit: Unit) -> float:
    """CPU seconds."""
    started = time.process_time()
    opened = open_dump(open_read(unit.path), unit.relative)
    while opened.read(1 << 20):
        pass
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dumps", type=Path, required=True, help="folder with MediaWiki dumps")
    parser.add_argument("--wiki", default="enwiki", help="the dumps that are taken")
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    sides: dict[str, list[Side]] = {"whole": [], "slices": [], "twice the whole": []}
    shares = []
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2) as pool:
        paths = sorted(parsed.dumps.glob(f"{parsed.wiki}-*.xml.bz2"))
        size = write_dump(paths, parsed.copies, Path(folder, f"{parsed.wiki}-pages.xml.bz2"))
        whole, slices = units_of(Path(folder), size), units_of(Path(folder), size // SLICES)
        print(f"{size / 1e6:.1f} MB compressed, {len(slices)} slices")
        work = {"whole": whole, "slices": slices, "twice the whole": [*whole, *whole]}
        measure(pool, slices)
        for _ in range(parsed.rounds):
            for side, units in work.items():
                one = measure(pool, units)
                sides[side].append(one)
                print(f"{side}: wall {one.wall:.1f} s, CPU {one.longest:.1f} s")
            shares.append(seconds_to_decompress(whole[0]) / sides["whole"][-1].longest)
    wall = {side: median(one.wall for one in rounds) for side, rounds in sides.items()}
    longest = {side: median(one.longest for one in rounds) for side, rounds in sides.items()}
    noise = [max(one.wall for one in r) / min(one.wall for one in r) for r in sides.values()]
    print(f"decompression: {median(shares):.0%} of the CPU time of a unit")
    print(f"wall, whole / slices: {wall['whole'] / wall['slices']:.2f}")
    print(f"CPU of the longest process, whole / slices: {longest['whole'] / longest['slices']:.2f}")
    print(f"what the machine allows: {2 * wall['whole'] / wall['twice the whole']:.2f}")
    print(f"noise, slowest / fastest round: {max(noise):.2f}")
    same = sides["whole"][0].texts == sides["slices"][0].texts
    print("texts: " + ("the same" if same else "DIFFERENT"))


if __name__ == "__main__":
    main()
