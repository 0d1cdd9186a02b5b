"""Our text of real papers beside what TeX itself prints of them, word by word.

    python benchmarks/latex_tex.py --papers DIR [--only ID ...] [--show 20]

DIR holds arXiv's bulk tars. Needs `pdflatex` (Debian's texlive-latex-extra, texlive-publishers and
texlive-science) and `pdftotext` (poppler-utils); not part of the tests. Submissions are unpacked
into a temporary folder and compiled with hyphenation off and without shell escape, a class or style
file that is missing replaced by an empty one (named in the output). Compared are words of five
letters and more that stand in the PDF and not in our text, and the other way round, formulas and
labels left out. A paper that TeX does not finish is named and not compared.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import tarfile
import tempfile
import unicodedata
from collections import Counter
from gzip import decompress
from pathlib import Path

from filters.document import Document
from filters.latex import LatexCleaner
from filters.latex.project import clean_path
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.recipe import load_recipe

SETTINGS = load_recipe(DEFAULT_RECIPE).arxiv.latex
_SECONDS = 60
_MAXIMUM_MISSING = 15
_BEFORE = (
    r"\AtBeginDocument{\hyphenpenalty=10000\exhyphenpenalty=10000}"
    r"\input{glyphtounicode}\pdfgentounicode=1 "
)
_MISSING = re.compile(r"LaTeX Error: File `([\w.-]+\.(?:sty|cls))' not found")
_WORD = re.compile(r"[^\W\d_]{5,}")
# What TeX prints nothing of, or something else.
_NOT_PRINTED = re.compile(
    r"\\(?:begin|end)\{[^{}]*\}(?:\[[^\]]*\])?|\\(?:label|ref|eqref|cite\w*|includegraphics|vspace|hspace"
    r"|input|pageref|[cC]ref|autoref|url|href|index)\*?(?:\[[^\]]*\])*\{[^{}]*\}"
    r"|\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)",
    re.DOTALL,
)
_MATH_ENVIRONMENT = re.compile(
    r"\\begin\{((?:equation|align|eqnarray|gather|multline|alignat|flalign|tikzpicture)\*?)\}"
    r".*?\\end\{\1\}",
    re.DOTALL,
)
_COMMAND = re.compile(r"\\[a-zA-Z@]+\*?")


def words_of_text(text: str) -> Counter[str]:
    """The words that a LaTeX text prints, in lower case."""
    plain = _COMMAND.sub(" ", _NOT_PRINTED.sub(" ", _MATH_ENVIRONMENT.sub(" ", text)))
    return Counter(word.lower() for word in _WORD.findall(plain))


def words_of_pdf(raw: bytes, main_file: str) -> tuple[Counter[str], list[str]] | None:
    """The words that TeX prints of a submission, in lower case, and the files that were missing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _unpack(decompress(raw), folder)
        path = folder / main_file
        pdf = path.with_suffix(".pdf")
        missing = _compile(path)
        if missing is None or not pdf.exists():
            return None
        command = ["pdftotext", "-enc", "UTF-8", str(pdf), "-"]
        shown = subprocess.run(command, check=True, capture_output=True)
        text = shown.stdout.decode("utf-8", "replace")
    words = Counter(word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", text)))
    return words, missing


def _compile(path: Path) -> list[str] | None:
    """Run TeX; names of the files that were replaced, None where it takes too long."""
    path.with_suffix(".pdf").unlink(missing_ok=True)
    missing: list[str] = []
    while len(missing) < _MAXIMUM_MISSING:
        command = [
            *("pdflatex", "-no-shell-escape", "-interaction=nonstopmode"),
            f"-jobname={path.stem}",
            _BEFORE + "\\input{" + path.name + "}",
        ]
        try:
            subprocess.run(
                command, check=False, cwd=path.parent, capture_output=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return None
        log = path.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
        found = _MISSING.search(log.replace("\n", ""))
        if found is None or "Emergency stop" not in log:
            break
        missing.append(found[1])
        stub = "\\LoadClass{article}" if found[1].endswith(".cls") else ""
        (path.parent / found[1]).write_text(stub, encoding="utf-8")
    return missing


def _unpack(data: bytes, folder: Path) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                path = clean_path(member.name)
                content = archive.extractfile(member) if member.isfile() else None
                if path is not None and content is not None:
                    target = folder / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
    except tarfile.ReadError:
        (folder / "paper.tex").write_bytes(data)


def compare(record: Document, clean: LatexCleaner, show: int) -> None:
    """Print the words that only one of both has."""
    raw, result = record.raw, clean(record)
    if not isinstance(result, Document):
        print(f"{record.id}: {result.reason}")
        return
    found = words_of_pdf(raw, result.metadata["main_file"])
    if found is None:
        print(f"{record.id}: TeX does not finish")
        return
    printed, missing = found
    ours = words_of_text(result.text)
    print(f"{record.id}: {printed.total()} printed, {ours.total()} ours, without {missing}")
    for name, words, others in (("TeX", printed, ours), ("ours", ours, printed)):
        only = Counter({word: number for word, number in words.items() if word not in others})
        shown = " ".join(f"{word}*{number}" for word, number in only.most_common(show))
        print(f"  only {name}: {only.total()}: {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=Path, required=True, help="folder with arXiv bulk tars")
    parser.add_argument("--only", nargs="*", help="ids of the papers to compare")
    parser.add_argument("--show", type=int, default=20, help="differences to print of each")
    parsed = parser.parse_args()
    clean = LatexCleaner(SETTINGS)
    for path in sorted(parsed.papers.glob("*.tar")):
        with path.open("rb") as stream:
            for record in read_arxiv(stream, path.name, 100_000_000):
                if isinstance(record, Document) and (not parsed.only or record.id in parsed.only):
                    compare(record, clean, parsed.show)


if __name__ == "__main__":
    main()
