"""Build `samples/wikipedia` and `samples/commoncrawl` from the hand-written `samples/source`.

The same sources give the same bytes: dates are fixed, record ids are name-based UUIDs, gzip
members carry no time. Run `python tools/make_samples.py` after editing a source.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_crawl import build_crawl, read_pages
from sample_wikipedia import build_dumps

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def build(source: Path, output: Path) -> None:
    """Write every built sample file below `output`."""
    for folder in ("wikipedia", "commoncrawl"):
        (output / folder).mkdir(parents=True, exist_ok=True)
    pages = read_pages(source / "commoncrawl")
    cited = {page.name: (page.need("url"), page.get("title")) for page in pages}
    build_dumps(source / "wikipedia", output / "wikipedia", cited)
    build_crawl(source / "commoncrawl", output / "commoncrawl")


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=SAMPLES / "source")
    parser.add_argument("--output", type=Path, default=SAMPLES)
    arguments = parser.parse_args()
    build(arguments.source, arguments.output)
    for path in sorted(arguments.output.glob("*/*.*z*")):
        print(f"{path.stat().st_size:>9,} {path}")


if __name__ == "__main__":
    main()
