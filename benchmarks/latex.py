"""LaTeX with its macros expanded: our cleaner, and how fast pylatexenc and TexSoup only parse.

    python benchmarks/latex.py --papers DIR --peer-python PYTHON [--rounds 3]

DIR holds arXiv's bulk tars, PYTHON runs an environment with `pylatexenc` and `TexSoup`. We read the
papers, expand and clean; the peers only parse (pylatexenc) or parse and print (TexSoup) the files
that the papers are made of, and expand nothing. Prints MB/s of TeX and ratios (goals: 5 MB/s, 15
times pylatexenc), and how time grows with ten times the text.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from filters.document import Document
from filters.latex.charset import decode_files
from filters.latex.main_file import choose_main_file
from filters.latex.project import unpack
from filters.latex.structure import PaperReader
from filters.latex.tidy import join_tokens
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.recipe import load_recipe

SETTINGS = load_recipe(DEFAULT_RECIPE).arxiv.latex
PEERS = {
    "pylatexenc": "from pylatexenc.latexwalker import LatexWalker\n"
    "def parse(text): LatexWalker(text, tolerant_parsing=True).get_latex_nodes()",
    "TexSoup": "from TexSoup import TexSoup\ndef parse(text): str(TexSoup(text, tolerance=1))",
}
RUN = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
seconds, failed = 0.0, 0
for text in json.load(open(sys.argv[1])):
    started = time.process_time()
    try:
        parse(text)
    except Exception:  # a peer's parser fails with whatever it fails with; it is counted
        failed += 1
    seconds += time.process_time() - started
print(json.dumps([seconds, failed]))
"""


def read_papers(folder: Path) -> list[dict[str, str]]:
    """The decoded files of every submission."""
    papers = []
    for path in sorted(folder.glob("*.tar")):
        with path.open("rb") as stream:
            for record in read_arxiv(stream, path.name, 100_000_000):
                files = unpack(record.raw, SETTINGS.project) if isinstance(record, Document) else {}
                if isinstance(files, dict) and files:
                    papers.append(decode_files(files).files)
    return papers


def ours(papers: list[dict[str, str]]) -> tuple[float, list[str]]:
    """CPU seconds from decoded files to text, and the files that were read for it."""
    started, read = time.process_time(), []
    for files in papers:
        main_file = choose_main_file(files)
        if main_file is not None:
            paper = PaperReader(files, SETTINGS.structure, SETTINGS.expansion).read(main_file)
            join_tokens(paper.tokens)
            read += [files[name] for name in paper.included]
    return time.process_time() - started, read


def growth(papers: list[dict[str, str]]) -> float:
    """Time for ten times the text in one paper, as a multiple of ten times the time."""
    text = max((text for files in papers for text in files.values()), key=len)
    head, _, body = text.partition("\\begin{document}")
    body = body.partition("\\end{document}")[0].replace("\\bibliography{", "\\label{")
    times = []
    for copies in (3, 30):
        paper = {"ms.tex": f"{head}\\begin{{document}}{body * copies}\\end{{document}}"}
        times.append(median(ours([paper])[0] for _ in range(3)))
    return times[1] / times[0] / 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=Path, required=True, help="folder with arXiv bulk tars")
    parser.add_argument("--peer-python", required=True, help="interpreter with the peers")
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    papers = read_papers(parsed.papers)
    _, texts = ours(papers)
    size = sum(len(text.encode()) for text in texts) / 1e6
    seconds: dict[str, list[float]] = {"ours": [], **{name: [] for name in PEERS}}
    failed = dict.fromkeys(seconds, 0)
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder, "texts.json")
        pages.write_text(json.dumps(texts), encoding="utf-8")
        for _ in range(parsed.rounds):
            seconds["ours"].append(ours(papers)[0])
            for name, parse in PEERS.items():
                command = [parsed.peer_python, "-c", parse + RUN, str(pages)]
                shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                taken, failed[name] = json.loads(shown)
                seconds[name].append(taken)
    print(f"{len(papers)} papers, {len(texts)} files, {size:.2f} MB of TeX")
    for name, values in seconds.items():
        middle = median(values)
        ratio = middle / median(seconds["ours"])
        print(
            f"{name:<12}{size / middle:8.2f} MB/s, {ratio:6.1f} x our time, {failed[name]} failed"
        )
    print(f"ten times the text takes {10 * growth(papers):.1f} times the time")


if __name__ == "__main__":
    main()
