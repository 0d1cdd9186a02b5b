"""What benchmarks/stackexchange.py compares with: BeautifulSoup on the posts of a site, two ways.

    PYTHON benchmarks/stackexchange_peers.py text|structure POSTS_XML...

Written anew, in one pass and in memory, from what others do: lxml's iterparse, answers put to their
questions in a dictionary, by score, BeautifulSoup with lxml as its parser. `text` is RedPajama's
treatment of HTML: marks for list items and then the text, so code, quotes, paragraphs and numbers
are not told apart. `structure` walks BeautifulSoup's tree for the text that ours gives. Prints
JSON: rows, seconds of CPU in all, of these for HTML; and with `--texts` the threads.

PYTHON needs beautifulsoup4 and lxml, nothing of this project.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

try:
    from bs4 import BeautifulSoup, Comment, NavigableString, Tag
    from lxml import etree
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: pip install beautifulsoup4 lxml")

SPACE = re.compile(r"[ \t\n\r\xa0]+")
LINE = re.compile(r" *\0[ \0]*")
BLOCKS = {
    *("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre"),
    *("table", "tr", "hr", "dl", "dt", "dd", "body", "html"),
}
NO_ALT = ("", "enter image description here", "alt text", "image")


def redpajama_text(html: str) -> str:
    for mark in ("<li>", "<ol>"):
        html = html.replace(mark, "\n*").replace(mark.replace("<", "</"), "")
    return str(BeautifulSoup(html, "lxml").get_text())


def structured_text(html: str) -> str:
    return "\n\n".join(blocks(BeautifulSoup(html, "lxml")))


def blocks(node: Tag) -> list[str]:
    """The blocks of text inside an element, those inside quotes and lists with their marks."""
    found: list[str] = []
    line: list[str] = []

    def flush() -> None:
        text = "".join(line)
        line.clear()
        if "$" not in text and "\\begin{" not in text:
            text = SPACE.sub(" ", text)
        text = LINE.sub("\n", text).strip()
        if text:
            found.append(text)

    for child in node.children:
        if not isinstance(child, Tag) or child.name not in BLOCKS:
            line.append(inline(child))
            continue
        flush()
        if child.name == "pre":
            found.append("```\n" + child.get_text().strip("\n") + "\n```")
        elif child.name == "hr":
            found.append("---")
        elif child.name in ("ul", "ol"):
            found.append(list_text(child))
        elif child.name == "blockquote":
            found.append(indented("\n\n".join(blocks(child)), "> ", "> "))
        elif child.name == "table":
            rows = [row.find_all(["td", "th"]) for row in child.find_all("tr")]
            found.append(
                "\n".join(" | ".join(inline(cell).strip() for cell in row) for row in rows)
            )
        else:
            found += blocks(child)
    flush()
    return [block for block in found if block]


def list_text(node: Tag) -> str:
    text, between = "", ""
    number = int(node.get("start") or 1)
    for item in node.find_all("li", recursive=False):
        mark = f"{number}. " if node.name == "ol" else "- "
        inside = blocks(item)
        is_tight = all(child.name in ("ul", "ol") for child in item.find_all(list(BLOCKS))[1:])
        joined = ("\n" if is_tight else "\n\n").join(inside)
        if joined:
            text += between + indented(joined, mark, " " * len(mark))
            between = "\n" if len(inside) == 1 else "\n\n"
        number += 1
    return text


def indented(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join([first + lines[0], *((rest + line).rstrip() for line in lines[1:])])


def inline(node: object) -> str:
    """Text inside a paragraph; a line break is a NUL."""
    if isinstance(node, NavigableString):
        return "" if isinstance(node, Comment) else str(node)
    assert isinstance(node, Tag)
    if node.name == "br":
        return "\0"
    if node.name == "img":
        alt = str(node.get("alt") or "")
        return "" if alt.strip().lower() in NO_ALT else alt
    text = "".join(inline(child) for child in node.children)
    return f"`{text}`" if node.name == "code" and text.strip() else text


def threads(
    paths: Iterable[str], to_text: Callable[[str], str]
) -> tuple[dict[str, str], int, float]:
    """Threads by site and question id, the rows, and the seconds spent on HTML."""
    texts: dict[str, str] = {}
    count, html = 0, 0.0
    for path in paths:
        questions: dict[str, tuple[str, str]] = {}
        answers: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for _, row in etree.iterparse(path, tag="row"):
            count += 1
            kind, number = row.get("PostTypeId"), row.get("Id")
            if kind in ("1", "2"):
                begun = time.process_time()
                text = to_text(row.get("Body") or "")
                html += time.process_time() - begun
                if kind == "1":
                    questions[number] = (row.get("Title"), text)
                else:
                    answers[row.get("ParentId")].append((-int(row.get("Score")), int(number), text))
            row.clear()
            while row.getprevious() is not None:
                del row.getparent()[0]
        for number, (title, text) in questions.items():
            answered = [f"A:\n\n{answer}" for *_, answer in sorted(answers[number])]
            texts[f"{path}/{number}"] = "\n\n".join([f"Q: {title}", text, *answered])
    return texts, count, html


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["text", "structure"])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--texts", action="store_true")
    parsed = parser.parse_args()
    to_text = {"text": redpajama_text, "structure": structured_text}[parsed.kind]
    started = time.process_time()
    texts, count, html = threads(parsed.paths, to_text)
    seconds = time.process_time() - started
    json.dump(
        {"rows": count, "all": seconds, "html": html, "texts": texts if parsed.texts else {}},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
