"""Time grows as the text does, whatever it holds: CPU at n and at 4 n, alone in a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent.parent
# Each makes the files of a submission of length n.
INPUTS = {
    "lstinline": (5_000, 'lambda n: {"a.tex": article("\\\\lstinline[" * n)}'),
    "mintinline": (5_000, 'lambda n: {"a.tex": article("\\\\mintinline[" * n)}'),
    "newminted": (5_000, 'lambda n: {"a.tex": article("\\\\newminted[\\n" * n)}'),
    "lstnewenvironment": (5_000, 'lambda n: {"a.tex": article("\\\\lstnewenvironment[" * n)}'),
    "newenvironment": (5_000, 'lambda n: {"a.tex": article("\\\\newenvironment{a}[" * n)}'),
    "newcommand": (5_000, 'lambda n: {"a.tex": article("\\\\newcommand\\\\a{\\\\lstinline[" * n)}'),
    "documentclass": (10_000, 'lambda n: {"a.tex": "\\\\documentclass[" * n + article("a" * 300)}'),
    "usepackage": (5_000, 'lambda n: {"a.tex": article("\\\\usepackage[" * n + "\\\\inputenc")}'),
    "sections": (
        5_000,
        'lambda n: {"a.tex": article("\\\\bibliography{x}" + "\\\\section{b}" * n)}',
    ),
    "references": (
        2_000,
        'lambda n: {"a.tex": article("\\\\section{References}a\\\\section{b}" * n)}',
    ),
    "bibliographies": (5_000, 'lambda n: {"a.tex": article("a\\\\bibliography{x}" * n)}'),
    "titles": (5_000, 'lambda n: {"a.tex": article("a " * 300 + "\\\\maketitle" * n)}'),
    "style": (
        1_000,
        'lambda n: {"a.tex": article("\\\\usepackage{my}\\n" * n),'
        ' "my.sty": "\\\\newcommand{\\\\z}{a b c}\\n" * n}',
    ),
    "inputs": (
        1_000,
        'lambda n: {"a.tex": article("\\\\input{z}\\n" * n),'
        ' **{f"f{i}.tex": "" for i in range(n)}}',
    ),
    "candidates": (
        300,
        'lambda n: {f"f{i}.tex": article(f"\\\\input{{f{i + 1}}}" * 9) for i in range(n)}',
    ),
    "groups": (
        5_000,
        'lambda n: {"a.tex": article("{\\\\def\\\\a{b}" * n + "\\\\gdef\\\\b{c}" * n)}',
    ),
    "short verbs": (5_000, 'lambda n: {"a.tex": article("\\\\MakeShortVerb{\\\\|}" * n)}'),
}
MEASURE = """
import sys, time
sys.path[:0] = sys.argv[3:]
from latex_run import clean

def article(body):
    return "\\\\documentclass{article}\\\\begin{document}\\\\section{A}" + body

files, n = eval(sys.argv[1]), int(sys.argv[2])
clean(files(10))
seconds = []
for length in (n, 4 * n):
    submission = files(length)
    started = time.process_time()
    clean(submission)
    seconds.append(time.process_time() - started)
print(*seconds)
"""


@pytest.mark.parametrize("name", INPUTS)
def test_time_grows_as_the_text(name: str) -> None:
    n, files = INPUTS[name]
    command = [sys.executable, "-c", MEASURE, files, str(n), str(ROOT), str(TESTS)]
    # Another job on the machine makes one of two measures slow, not both at every try.
    for _ in range(3):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        short, long = map(float, done.stdout.split())
        if long < 0.1 or long < 8 * short:
            return
    pytest.fail(f"{name}: {short:.2f} s for {n}, {long:.2f} s for {4 * n}")
