"""Build the samples of each source from the hand-written `samples/source`.

The same sources give the same bytes: dates are fixed, record ids are name-based UUIDs, gzip
members carry no time. Run `python tools/make_samples.py` after editing a source.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_arxiv import build_arxiv
from sample_books import build_books
from sample_c4 import build_c4
from sample_crawl import build_crawl, read_pages
from sample_github import build_github
from sample_posts import build_sites
from sample_wikipedia import build_dumps

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def build(source: Path, output: Path) -> None:
    """Write every built sample file below `output`."""
    for folder in ("wikipedia", "commoncrawl", "c4"):
        (output / folder).mkdir(parents=True, exist_ok=True)
    pages = read_pages(source / "commoncrawl")
    cited = {page.name: (page.need("url"), page.get("title")) for page in pages}
    build_dumps(source / "wikipedia", output / "wikipedia", cited)
    build_crawl(source / "commoncrawl", output / "commoncrawl")
    build_github(source / "github", output / "github")
    build_sites(source / "stackexchange", output / "stackexchange")
    build_books(source / "books", output / "books")
    build_c4(source / "c4", output / "c4")
    build_arxiv(source / "arxiv", output / "arxiv")


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
