"""Compares the text of pages with what a browser shows: `innerText` of headless Chromium.

    PYTHONPATH=. python tools/browser_words.py --chromium chromium --warc A.warc.gz [--pages 200]

Scripts of the pages are taken out, nothing is fetched. Of the words of our text that the browser
does not show it says how many there are and which: pieces of a word that we split, words that we
joined, and the rest. Not part of the tests: it needs a browser.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import subprocess
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

from filters.document import Document
from filters.extraction import HtmlExtractor
from filters.html import HtmlDecoder
from pipeline.readers.warc import read_warc

_WORD = re.compile(r"[^\W_]+")
_SCRIPTS = re.compile(r"<script\b.*?</script\s*>|<meta[^>]+http-equiv[^>]*>", re.DOTALL | re.I)
_AT_ONCE = 10
_COLLECT = """
<script>addEventListener("load", () => {
  const texts = [...document.querySelectorAll("iframe")].map(
    (frame) => frame.contentDocument.body ? frame.contentDocument.body.innerText : "");
  document.body.innerHTML = "";
  const out = document.createElement("pre");
  out.textContent = JSON.stringify(texts);
  document.body.append(out);
});</script>
"""


def shown(chromium: str, pages: list[str]) -> list[str]:
    """What the browser shows of each page."""
    frames = "".join(
        f'<iframe width=1280 height=800 srcdoc="{html.escape(_SCRIPTS.sub("", page))}"></iframe>'
        for page in pages
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.html"
        path.write_text(f"<!doctype html><meta charset=utf-8><body>{frames}{_COLLECT}</body>")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]
        command = [chromium, *options, str(path)]
        dump = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    dom = dump.stdout
    texts: list[str] = json.loads(html.unescape(dom[dom.index("<pre>") + 5 : dom.rindex("</pre>")]))
    return texts


def unseen(ours: str, theirs: str) -> Counter[str]:
    """Our words that the browser does not show, by what became of them."""
    words, kinds = set(_WORD.findall(theirs)), Counter[str]()
    squeezed = "".join(_WORD.findall(theirs))
    own = _WORD.findall(ours)
    for place, word in enumerate(own):
        if word in words:
            continue
        near = own[max(0, place - 1) : place + 2]
        if any(a + b in words for a, b in pairwise(near)):
            kinds[f"split {' '.join(near)}"] += 1
        elif word in squeezed and len(word) > 3:
            kinds[f"joined {word}"] += 1
        else:
            kinds[f"hidden {word}"] += 1
    return kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--warc", type=Path, action="append", required=True)
    parser.add_argument("--pages", type=int, default=200)
    arguments = parser.parse_args()
    decoder, extractor = HtmlDecoder(), HtmlExtractor()
    extractor.open()
    pairs: list[tuple[str, str, str]] = []
    for warc in arguments.warc:
        with warc.open("rb") as stream:
            for record in read_warc(stream, maximum_record_bytes=32 << 20):
                decoded = decoder(record) if isinstance(record, Document) else None
                if not isinstance(decoded, Document) or len(pairs) >= arguments.pages:
                    continue
                source = decoded.text
                extracted = extractor(decoded)
                if isinstance(extracted, Document):
                    pairs.append((extracted.metadata["url"], source, extracted.text))
    total, words, pages = Counter[str](), 0, 0
    for start in range(0, len(pairs), _AT_ONCE):
        batch = pairs[start : start + _AT_ONCE]
        texts = shown(arguments.chromium, [source for _, source, _ in batch])
        for (url, _, text), theirs in zip(batch, texts, strict=True):
            kinds = unseen(text, theirs)
            pages, words = pages + 1, words + len(_WORD.findall(text))
            sums = Counter[str]()
            for kind, count in kinds.items():
                sums[kind.split()[0]] += count
            total += sums
            if kinds:
                print(url, dict(sums), [kind for kind, _ in kinds.most_common(6)])
    print(f"{pages} pages, {words:,} words; not shown: {dict(total)}")


if __name__ == "__main__":
    main()
