"""Project Gutenberg's frame around books: four generations, and what must never get through."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from filters.books import GutenbergFilter, GutenbergSettings
from filters.books.frame import find_frame
from filters.books.gutenberg import book_id
from filters.books.header import header_metadata, iso_date
from filters.books.licence import find_licence, is_proof, plain_words
from filters.books.licence_phrases import LICENCE_PHRASES
from filters.document import Document, Rejected

SETTINGS: dict[str, Any] = {
    "enabled": True,
    "protected_since": 1964,
    "maximum_boilerplate_characters": 60_000,
    "maximum_second_share": 0.2,
    "maximum_notices": 3,
    "maximum_paragraph_characters": 2000,
    "maximum_note_characters": 4000,
}
BODY = "THE MILL\n\n" + "\n\n".join(f"The mill stood by the weir for {n} years." for n in range(90))
LICENCE = (
    "Updated editions will replace the previous one.\n\nSection 1. General Terms of Use and\n"
    "Redistributing Project Gutenberg-tm electronic works\n"
)
FIELDS = (
    "Title: The Mill\n       A Tale\n\nAuthor: Ada Weir\n\n"
    "Release Date: May 3, 2004 [EBook #77]\n\n"
    "Language: English\n\nCharacter set encoding: ASCII\n\n"
)
SMALL_PRINT = (
    "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?\n\n"
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n"
)
OLD_HEADER = (
    "***The Project Gutenberg Etext of The Mill, by Ada Weir***\n"
    "******This file should be named mill10.txt or mill10.zip******\n\n"
    "Given away by December 31, 2001.\n\nMarch, 1994  [Etext #77]\n\n"
)


def modern(body: str, header: str = "") -> str:
    return (
        f"The Project Gutenberg EBook of The Mill, by Ada Weir\n\n{header}{FIELDS}"
        f"*** START OF THIS PROJECT GUTENBERG EBOOK THE MILL ***\n\n\n{body}\n\n\n"
        "End of the Project Gutenberg EBook of The Mill, by Ada Weir\n\n"
        f"*** END OF THIS PROJECT GUTENBERG EBOOK THE MILL ***\n\n{LICENCE}"
    )


GENERATIONS = {
    "modern": modern(BODY),
    "the": modern(BODY).replace("OF THIS PROJECT", "OF THE PROJECT"),
    "without a space, over two lines": modern(BODY)
    .replace("*** START", "***START")
    .replace("*** END", "***END")
    .replace("THE MILL ***", "THE\nMILL***"),
    "small print before, no end marker": f"{OLD_HEADER}{SMALL_PRINT}\n\n{BODY}\n",
    "small print before, end line": (
        f"{OLD_HEADER}{SMALL_PRINT}\n\n{BODY}\n\nEnd of The Project Gutenberg Etext of The Mill\n"
    ),
    "small print behind": (
        f"Project Gutenberg's The Mill, by Ada Weir\n\n{FIELDS}"
        f"*** START OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\n{BODY}\n\n"
        f"*** END OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\n{SMALL_PRINT}"
    ),
    "small print behind, end marker lost": (
        f"Project Gutenberg's The Mill, by Ada Weir\n\n{FIELDS}"
        f"*** START OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\n{BODY}\n\n{SMALL_PRINT}"
    ),
    "no asterisks at the end of the marker": modern(BODY).replace("MILL ***", "MILL"),
    "end of this etext": (
        f"{OLD_HEADER}{SMALL_PRINT}\n\n{BODY}\n\nEnd of this Etext of The Mill, by Ada Weir\n"
    ),
    "end marker in German": modern(BODY).replace(
        "End of the Project Gutenberg EBook of The Mill, by Ada Weir",
        "Ende dieses Projekt Gutenberg Etextes Die Muehle",
    ),
}


def run(text: str, path: str = "77.txt", **changes: Any) -> Document | Rejected:
    document = Document(path, "books", text, {"path": path})
    return GutenbergFilter(GutenbergSettings(**{**SETTINGS, **changes}))(document)


def kept(text: str, path: str = "77.txt") -> Document:
    result = run(text, path)
    assert isinstance(result, Document), result
    return result


def reason(result: Document | Rejected) -> str:
    return result.reason if isinstance(result, Rejected) else ""


@pytest.mark.parametrize("text", GENERATIONS.values(), ids=GENERATIONS.keys())
def test_every_generation_leaves_the_book_alone(text: str) -> None:
    document = kept(text)
    assert document.text == BODY
    assert document.id == "gutenberg/77"
    assert document.metadata["url"] == "https://www.gutenberg.org/ebooks/77"
    assert document.metadata["author"] == "Ada Weir"


def test_metadata_of_the_header() -> None:
    metadata = kept(modern(BODY)).metadata
    assert metadata["title"] == "The Mill A Tale"
    assert (metadata["language"], metadata["declared_language"]) == ("en", "English")
    assert (metadata["release_date"], metadata["timestamp"]) == ("2004-05-03", "2004-05-03")
    assert metadata["book_number"] == 77


def test_an_old_header_dates_the_book_beside_its_number() -> None:
    metadata = kept(GENERATIONS["small print before, no end marker"]).metadata
    assert metadata["release_date"] == "1994-03"
    assert "timestamp" not in metadata
    assert (metadata["title"], metadata["author"]) == ("The Mill", "Ada Weir")
    assert "language" not in metadata


def test_the_licence_is_named_only_where_the_file_says_public_domain() -> None:
    assert "licence" not in kept(modern(BODY)).metadata
    old = kept(GENERATIONS["small print before, no end marker"])
    assert old.metadata["licence"] == "public domain (USA)"
    says = modern(BODY) + "no one owns a United States\ncopyright in these works\n"
    assert kept(says).metadata["licence"] == "public domain (USA)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Neither a START marker nor an end of the small print.
        (f"{OLD_HEADER}{BODY}\n", "boilerplate_end_not_found"),
        (f"{BODY}\n\n{LICENCE}*** END OF THIS PROJECT GUTENBERG EBOOK X ***\n",
         "boilerplate_end_not_found"),
        # The end of the small print is cut away.
        (f"{OLD_HEADER}{SMALL_PRINT.split('*END*', 1)[0]}{BODY}",
         "boilerplate_end_not_found"),
        # A licence behind the book that no marker announces.
        (f"{OLD_HEADER}{SMALL_PRINT}{BODY}\n\nNo one owns a United States\ncopyright in it.\n",
         "licence_text_left"),
        # In the middle of the book.
        (modern(f"{BODY}\n\nLIMITED RIGHT OF REPLACEMENT OR\n  REFUND\n\n{BODY}"),
         "licence_text_left"),
        (modern(BODY, "** This is a COPYRIGHTED Project Gutenberg eBook **\n"), "copyrighted"),
        (modern(BODY).replace("OF THIS PROJECT", "OF THE COPYRIGHTED PROJECT"), "copyrighted"),
        (modern(f"Copyright (C) 2002 Ada Weir.\n\n{BODY}"), "copyrighted"),
        (modern(f"THE MILL\n\n(c) 1998, 1999 Mills, Inc.\n\n{BODY}"), "copyrighted"),
        (OLD_HEADER + SMALL_PRINT.replace("PUBLIC DOMAIN", "COPYRIGHT PROTECTED") + BODY,
         "copyrighted"),
        (modern(BODY) + modern(BODY.replace("mill", "ferry")), "several_books"),
        (modern(BODY) + "\n\nA second story without a marker.\n" * 4000, "several_books"),
        (modern(f"{BODY}\n\n" + "Project Gutenberg was here.\n\n" * 4), "too_many_notices"),
        (modern(f"{BODY}\n\nProject Gutenberg {'and so on ' * 400}\n\n{BODY}"),
         "licence_text_left"),
        # All of the book in one paragraph with a line of credits: not lost without a word.
        (modern("Produced by www.pgdp.net\n" + BODY.replace("\n\n", "\n")), "licence_text_left"),
        # In a text whose header and footer somebody took off, but not well.
        (f"{BODY}\n\nThis eBook is for the use of anyone\nanywhere at no cost.",
         "boilerplate_end_not_found"),
        (f"{BODY}\n\nRelease Date: May, 2004 [eBook #77]\n", "boilerplate_end_not_found"),
        (f"Character set encoding: ASCII\n\n{BODY}", "boilerplate_end_not_found"),
        (f"The Project Gutenberg EBook of The Mill\n\n{BODY}", "boilerplate_end_not_found"),
        (modern(BODY).replace("*** START", "START"), "boilerplate_end_not_found"),
        (modern(BODY).replace("END OF THIS PROJECT", "END OF THE COPYRIGHTED PROJECT"),
         "copyrighted"),
        (modern(f"<<THIS ELECTRONIC VERSION IS COPYRIGHT 1990-1993 BY MILLS, INC.>>\n\n{BODY}"),
         "copyrighted"),
    ],
)  # fmt: skip
def test_rejected_with_its_reason(text: str, expected: str) -> None:
    assert reason(run(text)) == expected


def test_a_notice_of_1909_is_no_reason() -> None:
    assert "Copyright, 1909" in kept(modern(f"Copyright, 1909, by Mills.\n\n{BODY}")).text


def test_texts_from_elsewhere_may_name_the_project() -> None:
    mention = (
        f"{BODY}\n\nThe volunteers of\nProject Gutenberg's first years typed etexts; read the "
        f"small print.\n\n{BODY}"
    )
    document = kept(mention, "mills/mill.txt")
    assert (document.text, document.id) == (mention, "mills/mill.txt")


@pytest.mark.parametrize(
    "trace",
    [
        "Produced by Ann Other and the Online Distributed Proofreading\nTeam at www.pgdp.net",
        "Produced by Ann Other",
        "This file was produced from images generously made available by a library",
        "Transcriber's Note:\n\nObvious errors were corrected.",
    ],
)
def test_texts_whose_frame_somebody_took_off_lose_their_credits(trace: str) -> None:
    assert kept(f"{trace}\n\n\n\n{BODY}").text == BODY
    assert kept(f"{BODY}\n\n\n\n{trace}").text == BODY


@pytest.mark.parametrize("phrase", LICENCE_PHRASES)
def test_no_phrase_of_the_licence_gets_through(phrase: str) -> None:
    paragraph = f"So it is: {phrase.upper().replace(' ', chr(10) + '   ', 1)}, and so on."
    other = "Fifty hours is one conservative estimate. The old editions will be renamed."
    for text in (paragraph, f"{paragraph}\n\n{other}"):
        is_alone = sum(f" {one}" in plain_words(text) for one in LICENCE_PHRASES) == 1
        framed = run(modern(f"{BODY}\n\n{text}\n\n{BODY}"))
        if is_proof(phrase, is_framed=True) or not is_alone:
            assert isinstance(framed, Rejected) or phrase not in plain_words(framed.text)
        else:
            assert reason(framed) == ""
        bare = reason(run(f"{BODY}\n\n{text}\n\n{BODY}"))
        expected = is_proof(phrase, is_framed=False) or not is_alone
        assert bare == ("boilerplate_end_not_found" if expected else "")


@pytest.mark.parametrize(
    "words",
    [
        "'We need your donations,' said the vicar, 'more than ever.'",
        "Some states do not allow disclaimers of that kind.",
        "It is for the use of anyone anywhere.",
        "He shall receive a refund of the money, if any was paid.",
    ],
)
def test_one_everyday_phrase_is_no_licence(words: str) -> None:
    text = f"{BODY}\n\n{words}\n\n{BODY}"
    assert kept(text, "vicar.txt").text == text
    assert kept(modern(text)).text == text


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda line: line,
    "capitals": str.upper,
    "wrapped": lambda line: line.replace(" ", "\n"),
    "spaced": lambda line: line.replace(" ", " \u00a0\u2009 "),
    "quoted": lambda line: "> " + line.replace(" ", "\n> ", 3),
    "boxed": lambda line: "| " + line.replace(" ", " |\n| ", 2) + " |",
    "emphasised": lambda line: "_" + line.replace(" ", "_ _") + "_",
    "soft hyphens": lambda line: line.replace("e", "e\u00ad"),
    "without width": lambda line: line.replace(" ", " \u200b"),
    "dashes": lambda line: line.replace(" ", "\u2014", 1),
}


@given(
    st.sampled_from(LICENCE_PHRASES),
    st.sampled_from(sorted(DISGUISES)),
    st.integers(0, 12),
    st.booleans(),
    st.sampled_from(["bare", *GENERATIONS]),
)
def test_a_licence_near_the_ends_is_found_in_any_dress(
    phrase: str, disguise: str, distance: int, at_end: bool, frame: str
) -> None:
    assume(is_proof(phrase, is_framed=frame != "bare"))
    paragraphs = BODY.split("\n\n")
    place = len(paragraphs) - distance if at_end else distance
    paragraphs.insert(place, f"It is said that {DISGUISES[disguise](phrase)}; and so on.")
    planted = "\n\n".join(paragraphs)
    text = planted if frame == "bare" else GENERATIONS[frame].replace(BODY, planted)
    result = run(text)
    if isinstance(result, Document):
        assert not find_licence(result.text, is_framed=True)
        assert phrase not in plain_words(result.text)
        assert "stood by the weir for 45 years" in result.text
    else:
        # A sentence on copyright in capitals at the front also reads as a notice.
        reasons = ("licence_text_left", "boilerplate_end_not_found", "copyrighted")
        assert result.reason in reasons


@given(st.lists(st.sampled_from([*GENERATIONS.values(), SMALL_PRINT, LICENCE, BODY, OLD_HEADER]),
                min_size=1, max_size=4), st.integers(0, 400))  # fmt: skip
def test_whatever_is_cut_and_pasted_no_licence_gets_through(pieces: list[str], cut: int) -> None:
    result = run("\n\n".join(pieces)[cut:])
    if isinstance(result, Document):
        assert not find_licence(result.text, is_framed=True)


@pytest.mark.parametrize(
    "words",
    [
        "You know lawyers never do; exact copies of it may contain defects.",
        "Honor the emperor, and to create these evils discover a defect in this argument.",
        "The character set encoding of a file should be named in its first line.",
        "The money should be paid to the chief executive and director of the mill.",
        "If you wish to send money, the restrictions of the present number of computers matter.",
        "She read the small print for the old man, the small print why he had come.",
        "Volunteers and financial support were wanting; we need your prayers.",
    ],
)
def test_words_of_authors_are_no_licence(words: str) -> None:
    assert kept(modern(f"{BODY}\n\n{words}\n\n{BODY}")).text == f"{BODY}\n\n{words}\n\n{BODY}"


def test_the_frame_is_the_longest_stretch() -> None:
    text = f"{SMALL_PRINT}\nshort\n\n{modern(BODY)}"
    frame = find_frame(text)
    assert frame is not None
    assert BODY in text[frame.start : frame.end]
    assert frame.second < 400
    assert find_frame(BODY) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("11.txt", "gutenberg/11"),
        ("1/11/11.txt", "gutenberg/11"),
        ("cache/epub/11/pg11.txt", "gutenberg/11"),
        ("1/11/11-0.txt", "gutenberg/11@11-0"),
        ("cache/epub/11/pg11.txt.utf-8", "gutenberg/11"),
        ("11.txt.gz", "gutenberg/11"),
        ("1/11/11-h/11-h.htm", "gutenberg/11@11-h/11-h"),
        ("1/11/old/11.txt", "gutenberg/11@old/11"),
        ("old/alice30.TXT", "gutenberg/11@old/alice30"),
        ("11.zip/11.txt", "gutenberg/11@11.zip/11"),
        ("all.jsonl#3", "gutenberg/11@all.jsonl#3"),
    ],
)
def test_ids_tell_editions_apart(path: str, expected: str) -> None:
    assert book_id(11, path) == expected


def test_header_whose_title_follows_the_notice_on_its_line() -> None:
    found = header_metadata("see www.gutenberg.orgTitle: The Wall\n\nLanguage: French and Dutch\n")
    assert found == {"title": "The Wall", "language": "fr", "declared_language": "French and Dutch"}


def test_the_number_is_taken_from_the_file_where_the_header_has_none() -> None:
    text = modern(BODY).replace(" [EBook #77]", "")
    assert kept(text, "files/78/78-0.txt").metadata["book_number"] == 78
    assert "book_number" not in kept(text, "mill10.txt").metadata


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("June 25, 2008", "2008-06-25"),
        ("March, 1994", "1994-03"),
        ("May 2001", "2001-05"),
        ("Junius 1994", ""),
    ],
)
def test_dates(text: str, expected: str) -> None:
    assert iso_date(text) == expected


def test_a_notice_on_the_header_is_no_notice_on_the_book() -> None:
    notice = (
        "[Portions of this header are copyright (C) 2001 by Michael S. Hart\nand may be reprinted "
        "only when these Etexts are free of all fees.]"
    )
    document = kept(f"{OLD_HEADER}{SMALL_PRINT}{notice}\n\n\n{BODY}\n")
    assert document.text == BODY


@pytest.mark.parametrize(
    "text",
    [
        "[ebook" + "\n" * 400_000 + "x\n" + modern(BODY),
        modern(f"{BODY}\n\n" + "a b c. d e f.\n\n" * 40_000 + "ERRATA\n\n" * 20_000),
        modern(f"{BODY}\n\n" + "word and other " * 500_000),
    ],
    ids=["ebook", "errata", "one line"],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.process_time()
    run(text)
    assert time.process_time() - started < 6  # 1 s measured; quadratic would be minutes


def test_a_long_line_takes_memory_by_its_size() -> None:
    document = Document("a", "books", "word and other " * 500_000, {"path": "a.txt"})
    tracemalloc.start()
    GutenbergFilter()(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * len(document.text)  # 3 measured; a list of its words takes 26


@pytest.mark.parametrize(
    ("path", "edition"), [("old/frank15.txt", 15), ("hfinn12a.txt", 12), ("77-0.txt", None)]
)
def test_signals_of_an_edition(path: str, edition: int | None) -> None:
    document = kept(modern(BODY), path)
    assert document.metadata.get("edition") == edition
    assert document.signals["has_end"] is True
    cut = kept(GENERATIONS["small print before, no end marker"])
    assert cut.signals["has_end"] is False


def test_a_notice_of_today_is_a_signal_and_a_reason_by_option() -> None:
    text = f"THE MILL\n\nCopyright \u00a9 2007 by Ada Weir\n\n{BODY}"
    assert kept(text, "mill.txt").signals["copyright_year"] == 2007
    assert "copyright_year" not in kept(BODY, "mill.txt").signals
    assert reason(run(text, "mill.txt", drop_protected=True)) == "copyrighted"
    assert reason(run(text.replace("2007", "1950"), "mill.txt", drop_protected=True)) == ""
