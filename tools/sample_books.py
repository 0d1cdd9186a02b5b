"""Books samples: the texts of `samples/source/books` in the packages that books come in.

Headers and footers are written for this project after the four generations of Project Gutenberg's:
the markers are theirs, because that is what the source looks for; the rest says the same in other
words. Numbers above 90,000 are nobody's.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import textwrap
import zipfile
from dataclasses import dataclass
from pathlib import Path

NOTICE = (
    "This eBook is for the use of anyone anywhere at no cost; it is a sample and belongs to\n"
    "nobody but the project that made it up. See www.gutenberg.org for real ones.\n"
)
LICENCE = (
    "Updated editions will replace the previous one.\n\n"
    "Section 1. General Terms of Use and Redistributing Project Gutenberg-tm electronic works\n\n"
    "1.A. No one owns a United States copyright in a text that was made up for a sample.\n\n"
    "1.F.3. LIMITED RIGHT OF REPLACEMENT OR REFUND - There is nothing to be refunded.\n"
)
SMALL_PRINT = (
    "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN {name}S**START***\n"
    'Why is this "Small Print!" statement here?  Because a sample needs one.\n\n'
    "LIMITED WARRANTY; DISCLAIMER OF DAMAGES\n"
    "This {name} is otherwise provided to you as it is.\n\n"
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN {name}S*Ver.04.29.93*END*\n"
)
FULL_DATE = "Release Date: March 4, 2006"


@dataclass(frozen=True)
class Work:
    """One text of the sources."""

    title: str
    author: str
    language: str
    number: str
    body: str


def read_works(folder: Path) -> dict[str, Work]:
    """Every source text by its file's name."""
    works = {}
    for path in sorted(folder.glob("*.txt")):
        head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
        fields = dict(line.split(": ", 1) for line in head.splitlines())
        works[path.stem] = Work(
            fields["Title"], fields["Author"], fields["Language"], fields["Number"], _wrapped(body)
        )
    return works


def _wrapped(body: str) -> str:
    """The body with its long lines wrapped, as volunteers do."""
    return "\n".join(
        "\n".join(textwrap.wrap(line, 72, break_on_hyphens=False)) if len(line) > 72 else line
        for line in body.split("\n")
    )


def _fields(work: Work, charset: str, date: str) -> str:
    return (
        f"Title: {work.title}\n\nAuthor: {work.author}\n\n{date} [EBook #{work.number}]\n\n"
        f"Language: {work.language}\n\nCharacter set encoding: {charset}\n\n"
    )


def modern(work: Work, charset: str, credit: str = "") -> str:
    """2003 to 2012, with a space and THIS."""
    return (
        f"The Project Gutenberg EBook of {work.title}, by {work.author}\n\n{NOTICE}\n\n"
        f"{_fields(work, charset, FULL_DATE)}"
        f"*** START OF THIS PROJECT GUTENBERG EBOOK {work.title.upper()} ***\n\n\n\n{credit}\n\n\n"
        f"{work.body}\n\n\nEnd of the Project Gutenberg EBook of {work.title}, by {work.author}\n\n"
        f"*** END OF THIS PROJECT GUTENBERG EBOOK {work.title.upper()} ***\n\n{LICENCE}"
    )


def tight(work: Work, charset: str) -> str:
    """2004 to 2008, without a space, the marker over two lines."""
    title = work.title.upper().replace(" ", "\n", 1)
    return (
        f"The Project Gutenberg eBook, {work.title}, by\n{work.author}\n\n\n{NOTICE}\n\n\n"
        f"{_fields(work, charset, FULL_DATE)}"
        f"***START OF THE PROJECT GUTENBERG EBOOK {title}***\n\n\n"
        "E-text prepared by nobody in particular and the Project Gutenberg Online\n"
        f"Distributed Proofreading Team\n\n\n\n{work.body}\n\n\n"
        f"***END OF THE PROJECT GUTENBERG EBOOK {title}***\n\n{LICENCE}"
    )


def small_print_before(work: Work) -> str:
    """1991 to 1998: no START marker, no END marker."""
    return (
        f"**The Project Gutenberg Etext of {work.title}, by {work.author}**\n\n"
        "Please take a look at the important information in this header.\n\n\n"
        f"{work.title}\n\nMarch, 1994  [Etext #{work.number}]\n\n\n"
        "*****This file should be named sampl10.txt or sampl10.zip******\n\n"
        f"{SMALL_PRINT.format(name='ETEXT')}\n\n\n\n{work.body}\n"
    )


def small_print_after(work: Work, charset: str) -> str:
    """2002 to 2003: START and END markers, and the small print behind."""
    marker = f"OF THE PROJECT GUTENBERG EBOOK {work.title.upper()}"
    return (
        f"Project Gutenberg's {work.title}, by {work.author}\n\n"
        "Copyright laws are changing all over the world.\n\n\n"
        f"{_fields(work, charset, 'Release Date: September, 2005')}"
        f"*** START {marker} ***\n\n\n\n\n{work.body}\n\n*** END {marker} ***\n\n"
        "This file should be named sampl10.txt or sampl10.zip\n\n"
        f"{SMALL_PRINT.format(name='EBOOK')}"
    )


def build_books(source: Path, output: Path) -> None:
    """Write every sample of books below `output`."""
    works = read_works(source)
    lamps, press = works["lamplighter"], works["orchard-press"]
    numbers = random.Random(7)
    rows = "\n".join(
        " ".join(f"{numbers.randrange(10**6):06}" for _ in range(9)) for _ in range(60)
    )
    bases = "\n".join("".join(numbers.choices("ACGT", k=60)) for _ in range(60))
    table = Work("Tables of the Tides", "Nobody", "English", "90007", f"TIDES\n\n{rows}\n")
    genome = Work("Chromosome Twenty-Four", "Nobody", "English", "90008", f"{bases}\n")
    recording = Work("The Lamps, Read Aloud", "Nobody", "English", "90009", "A recording.\n")
    later = Work(
        lamps.title,
        lamps.author,
        lamps.language,
        lamps.number,
        lamps.body.replace("_forty-one_", "forty-one").replace("gas was led", "gas-pipes were led"),
    )
    credit = (
        "Produced by nobody in particular\n\n"
        "[Transcriber's Note: Two commas were put right.\n\nA third was left.]"
    )
    endless = small_print_before(works["bees"]).replace("*END*THE SMALL PRINT!", "")
    files = {
        "90001.txt": modern(lamps, "ASCII", credit).encode("ascii"),
        "old/sampl10.txt": small_print_before(later).encode("ascii"),
        "90003-8.txt": tight(works["deich"], "ISO-8859-1").encode("cp1252"),
        "90004-0.txt": modern(works["marche"], "UTF-8").encode("utf-8-sig"),
        "90006.txt": modern(press, "ASCII").encode("ascii"),
        "90007.txt": modern(table, "ASCII").encode("ascii"),
        "90008.txt": modern(genome, "ASCII").encode("ascii"),
        "90009.txt": modern(recording, "ASCII").encode("ascii"),
        "no-end.txt": endless.encode("ascii"),
        "readme.txt": b"These files are samples.\n",
    }
    for name, text in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace(b"\n", b"\r\n"))
    packed = small_print_after(works["ropewalk"], "ASCII").replace("\n", "\r\n").encode()
    _write_zip(output / "90005.zip", {"90005.txt": packed, "90005.jpg": b"no picture"})
    utf_16 = works["bees"].body.encode("utf-16")
    _write_tar(output / "collection.tar.gz", {"garden/bees.txt": utf_16})
    _write_jsonl(output / "collection.jsonl.gz", [works["bees"], works["marche"]])


def _write_zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _write_tar(path: Path, members: dict[str, bytes]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def _write_jsonl(path: Path, works: list[Work]) -> None:
    lines = [
        json.dumps(
            {"text": work.body, "title": work.title, "author": work.author, "language": code},
            ensure_ascii=False,
        )
        for work, code in zip(works, ("en", "fr"), strict=True)
    ]
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
