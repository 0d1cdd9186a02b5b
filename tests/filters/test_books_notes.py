"""Notes of the producers go out of a book; what the author wrote stays, first and last lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.books import GutenbergSettings
from filters.books.notes import drop_bracketed_notes, drop_notices

SETTINGS = GutenbergSettings(maximum_note_characters=4000)
STORY = "\n\n".join(f"The mill stood by the weir for {n} years." for n in range(90))
BODY = f"THE MILL\n\nBy ADA WEIR\n\n\n\n{STORY}\n\nTHE END"


def cleaned(text: str, *, everywhere: bool = True) -> str:
    text = drop_bracketed_notes(text, SETTINGS.maximum_note_characters)
    return drop_notices(text, SETTINGS, everywhere=everywhere).text


def planted(note: str) -> str:
    return STORY.replace("The mill stood by the weir for 45 years.", f"@\n\n{note}\n\n@")


@pytest.mark.parametrize(
    "note",
    [
        "Produced by Ann Other and the Online\nDistributed Proofreading Team",
        "E-text prepared by Ann Other",
        "Ann Other, Bo Other and the PG Online Distributed Proofreading Team.",
        "Transcribed from the 1915 edition by Ann Other, email a@pglaf.org",
        "This eBook was produced by Ann Other.",
        "This etext was produced from the 1908 edition by Ann Other.",
        "(This file was produced from images generously made\navailable by The Internet Archive)",
        "Text file produced by Ann Other\n\nHTML file produced by Bo Other",
        "Produced by Ann Other\nNous remercions la Biblioth\u00e8que Nationale de France",
        "[Transcriber's Note: One comma was put right.\n\nAnother [here] was left.]",
        "[This text uses UTF-8 (Unicode) file encoding.\n\nA text without is Project Gutenberg\n"
        "e-text 27.]",
        "{This e-text has been prepared by Ann Other.}",
        "[NOTE: There is a short list of bookmarks, or pointers, at the end of the file. D.W.]",
        "Transcriber's note:\n\n      The symbol [=] is a macron.\n\n      [)] is a breve.",
        "TRANSCRIBER'S NOTES:\n\nThe spelling of the original has been kept.\n\nA table was "
        "added.\n\nFootnotes were moved to the end.",
        "Transcriber's Note: Obvious errors were corrected.\n\nItalics are in _underscores_.",
        "[Transcriber's Notes]\n\n  Some words:\n\nweir\n  Low dam.\n\n[End Transcriber's Notes]",
        "Note: Project Gutenberg also has an HTML version of this\n      file. See 77-h.zip.",
        "+------+\n| Transcriber's Note |\n|      |\n| Nothing.  |\n+------+",
        "Redactor's note: The Greek is left out.",
        "  Au lecteur.\n\n    Le texte en italiques est indiqu\u00e9 comme _texte_, le texte en "
        "gras\n    comme =texte=.",
        "Anmerkungen zur Transkription:\n\nOffensichtliche Fehler wurden ge\u00e4ndert in der Art.",
    ],
)
def test_notes_in_front_go(note: str) -> None:
    assert cleaned(f"{note}\n\n\n\n{BODY}") == BODY


@pytest.mark.parametrize(
    "note",
    [
        "TRANSCRIBER'S NOTES\n\nPage 3: a comma.\n\nPage 4: a stop.",
        "       *       *       *\n\nTranscriber's Note:\n\nNothing.\n\nNothing else.",
        "ERRATA (noted by transcriber)\n\nFirst Act:\n  well\n    _text has will_",
        "Errata:\n\n  The list was smoothed in scanning.\n\n\nPart 2:\n  Names the mill\n    text "
        "reads mlil\n  Weir\n    spelling unchanged\n\n\nFurther Notes:\n\n  A verse.",
        "  Au lecteur.\n\n    Ce livre \u00e9lectronique reproduit le texte.\n\n  PARTIE\n\n    "
        "Page 1: un par deux.",
        "ETEXT EDITOR'S BOOKMARKS:\n\nA mill is a mill\nAnd a weir a weir",
        "Typographical errors corrected in text:\n\nPage 2: mlil amended to mill.\n\nPage 3: wier "
        "changed to weir.",
    ],
)
def test_notes_behind_go_with_what_follows(note: str) -> None:
    assert cleaned(f"{BODY}\n\n\n\n{note}") == BODY


def test_parts_of_the_book_behind_the_notes_stay() -> None:
    index = "INDEX\n\nMill, 3\n\nWeir, 4"
    notes = "TRANSCRIBER'S NOTES\n\nPage 3: a comma."
    assert cleaned(f"{BODY}\n\n\n\n{notes}\n\n\n\n{index}") == f"{BODY}\n\n\n\n{index}"


@pytest.mark.parametrize(
    "note",
    [
        "[Note: music is in Project Gutenberg's\nHTML file]",
        "[In the e-text the Greek is left out.]",
        "ETEXT EDITOR'S BOOKMARKS:\n\n     A mill is a mill\n     And a weir a weir",
    ],
)
def test_notes_in_the_middle_go(note: str) -> None:
    assert cleaned(planted(note)) == planted("@@").replace("@@\n\n", "")


@pytest.mark.parametrize(
    "words",
    [
        "On various pretexts the transcriber's notes were mislaid.",
        "[A note on the mill]",
        "The Gutenberg Bible was printed in Mainz.",
        "Produced by the mill, the meal was sold in the town.",
    ],
)
def test_what_only_looks_like_a_note_stays_in_the_middle(words: str) -> None:
    assert cleaned(planted(words)) == planted(words)


@pytest.mark.parametrize(
    "words",
    [
        'ERRATA\n\nPage 3, line 4, for "weir" read "wear".\n\nPage 9, for "sack" read "sacks".',
        'NOTES\n\n1. The text reads "were"; the original has "wear".\n\n2. Another.',
        "TO THE READER\n\nThis book was written at the weir, and the original text has faults.",
        "FINIS\n\n\n\nPrinted by Mills & Co.",
    ],
)
def test_what_an_author_has_at_the_ends_stays(words: str) -> None:
    assert cleaned(f"{BODY}\n\n\n\n{words}") == f"{BODY}\n\n\n\n{words}"
    assert cleaned(f"{words}\n\n\n\n{BODY}") == f"{words}\n\n\n\n{BODY}"


@pytest.mark.parametrize(
    "line",
    ["Prepared by\nthe Ladies of Weirham", "Produced by Mr. Mills at the Empire Theatre, 1899"],
)
def test_what_a_title_page_says_stays(line: str) -> None:
    text = f"THE MILL\n\nA PLAY\n\nBy ADA WEIR\n\n{line}\n\n\n{STORY}"
    assert cleaned(f"Produced by Ann Other\n\n\n{text}") == text


def test_a_title_right_below_the_credits_stays() -> None:
    below = cleaned(f"Produced by Ann Other\nand Bo Other\nTHE MILL\nBy Ada Weir\n\n\n{STORY}")
    assert below.startswith("THE MILL\nBy Ada Weir\n\n\nThe mill stood")


def test_a_note_without_a_gap_behind_it_does_not_take_the_title() -> None:
    front = "Transcriber's Note:\n\nThe spelling of the original has been kept."
    assert cleaned(f"{front}\n\nTHE MILL\n\nBy ADA WEIR\n\nChapter I\n\n\n{STORY}") == (
        f"THE MILL\n\nBy ADA WEIR\n\nChapter I\n\n\n{STORY}"
    )


def test_an_author_s_errata_before_the_transcriber_s_notes_stay() -> None:
    errata = "ERRATA.\n\nPag. 6 staat: everen lees: leveren"
    notes = "Transcriber's Notes\n\nPage 1: the text reads mlil, changed to mill."
    assert cleaned(f"{BODY}\n\n\n\n{errata}\n\n{notes}") == f"{BODY}\n\n\n\n{errata}"


@given(
    st.lists(
        st.text(alphabet="abc XY.\n'\"-_*", min_size=1, max_size=80).filter(str.strip),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_a_book_without_notes_loses_nothing(paragraphs: list[str], everywhere: bool) -> None:
    text = "\n\n".join(["The first line.", *paragraphs, "The last line."])
    assert cleaned(text, everywhere=everywhere).split() == text.split()


@pytest.mark.parametrize(
    "note",
    [
        # A gap between a heading and its notes; notes behind credits without a heading.
        "Produced by Ann Other\n\n\n\n\nTRANSCRIBER'S NOTES\n\n\nItalics are in _underscores_.\n\n"
        "Footnotes in the original text were renumbered:\nI have put them at the end.",
        "Produced by Ann Other and the Online Distributed Proofreading\nTeam, www.pgdp.net\n\n\n\n"
        "The listed errata have been corrected, as have obvious typos.\n\nMuch of it is in Latin.",
        "In chapters 2 and 3, we substituted a capital L for the symbol\nfor the British pound.",
        "(Additional editing by Ann Other)",
        "E-text revised by Ann Other",
        "Entered by Ann of the Weir\nann@mill.example.com",
        "The Internet Wiretap 1st Online Edition of",
        "[Chapters 1-6:  mostly scanned by Ann Other,\nAnn@mill.edu, proofread by Bo Other.]",
        "Note: The Mill by Weir, etext #150",
    ],
)
def test_notes_without_a_heading_go(note: str) -> None:
    assert cleaned(f"{note}\n\n\n\n\n{BODY}") == BODY


def test_a_promise_beside_the_author_s_name_goes() -> None:
    text = f"by Ada Weir  [The rest of Weir is forthcoming]\n\n\n\n{STORY}"
    assert cleaned(text).split("\n")[0].rstrip() == "by Ada Weir"


def test_errata_of_the_transcriber_take_all_that_follows() -> None:
    note = "Errata Noted by Transcriber:\n\n  Spelling: mlil.\n\n_About the Music_\n\nSee the file."
    assert cleaned(f"{BODY}\n\n     *     *     *\n\n{note}") == BODY


@pytest.mark.parametrize(
    "words",
    [
        "Produced by the sun, light falls upon us all.",
        "Prepared by the hand of God, the world waited for the end.",
        "Typed by an unknown hand, the letter lay upon the table for a week.",
        "Scanned by every eye, he went up to the altar.",
        "This edition was prepared by him in the year of the flood and never sold.",
    ],
)
def test_sentences_of_the_author_are_no_credits(words: str) -> None:
    for everywhere in (True, False):
        for text in (
            f"{words}\n\n{STORY}",
            f"{STORY}\n\n{words}",
            f"THE MILL\n\n{words}\n\n{STORY}",
        ):
            assert cleaned(text, everywhere=everywhere) == text


def test_a_preface_on_an_old_spelling_stays() -> None:
    preface = "The spelling of the original has been retained, and the text has faults."
    text = f"{preface}\n\n\n\n{BODY}"
    assert cleaned(text) == text
