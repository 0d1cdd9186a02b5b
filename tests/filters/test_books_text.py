"""Bytes to text, the layout of a book, and what is no prose."""

from __future__ import annotations

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.books import (
    BookLayout,
    LayoutSettings,
    ProseFilter,
    ProseSettings,
    TextDecoder,
    TextDecoderSettings,
)
from filters.books.decoding import declared_encoding, decode_text
from filters.books.layout import unwrap
from filters.document import Document, Rejected

DECODER = TextDecoder(
    TextDecoderSettings(maximum_control_share=0.001, maximum_undecodable_share=0.001)
)
LAYOUT = BookLayout()
PROSE = ProseFilter(
    ProseSettings(
        enabled=True,
        minimum_letter_share=0.6,
        maximum_frequent_share=0.8,
        maximum_sound_share=0.2,
    )
)
FRENCH = "Le père et la mère étaient déjà partis à la forêt ; l’élève arriva « trop tard ».\n" * 20
SENTENCES = (
    "The carrier came up the hill with nine sacks of meal, a broken clock and a letter for the "
    "schoolmaster, which nobody had paid for. He put them down before the door and waited, as he "
    "always did, until somebody asked him what the weather was like on the other side of the pass."
)


def decoded(raw: bytes) -> Document:
    result = DECODER(Document("a", "books", raw=raw))
    assert isinstance(result, Document), result
    return result


@pytest.mark.parametrize(
    ("encoding", "declared", "found", "source"),
    [
        ("utf-8", "", "utf-8", "bytes"),
        ("utf-8", "UTF-8", "utf-8", "declared"),
        ("utf-8-sig", "ISO-8859-1", "utf-8", "bom"),
        ("utf-16", "", "utf-16-le", "bom"),
        ("utf-16-be", "", "utf-16-be", "bytes"),
        ("utf-32", "", "utf-32-le", "bom"),
        ("cp1252", "ISO-8859-1", "cp1252", "declared"),
        ("cp1252", "ISO Latin-1", "cp1252", "declared"),
        ("cp1252", "UTF-8", "cp1252", "bytes"),
        ("cp1252", "", "cp1252", "bytes"),
        ("cp1252", "Windows Code-Page 1252", "cp1252", "declared"),
        ("mac_roman", "macintosh", "macintosh", "declared"),
    ],
)
def test_encodings(encoding: str, declared: str, found: str, source: str) -> None:
    header = f"Character set encoding: {declared}\n\n" if declared else ""
    if "\u2019".encode(encoding, "ignore") == b"":
        pytest.skip("not in this encoding")
    document = decoded((header + FRENCH).replace("\n", "\r\n").encode(encoding))
    assert document.text == header + FRENCH
    assert document.signals["encoding_source"] == source
    assert document.signals["encoding"].replace("mac-roman", "macintosh") == found
    assert document.raw == b""


def test_a_dos_code_page_is_told_from_latin_1() -> None:
    text = FRENCH.replace("\u2019", "'").replace("«", "").replace("»", "")
    assert decode_text(text.encode("cp850"))[:2] == (text, "cp850")
    assert decode_text(text.encode("latin-1"))[:2] == (text, "cp1252")


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        ("ISO-646-US (US-ASCII)", "cp1252"),
        ("ASCII", "cp1252"),
        ("Unicode UTF-8", "utf-8"),
        ("ISO-8859-2", "iso8859-2"),
        ("CP437", "cp437"),
        ("UTF-16", ""),
        ("rot13", ""),
        ("nothing known", ""),
    ],
)
def test_labels(label: str, encoding: str) -> None:
    assert declared_encoding(f"Character set encoding: {label}\r\n".encode()) == encoding


def test_a_stray_byte_costs_itself_only() -> None:
    raw = b"Character set encoding: UTF-8\n" + FRENCH.encode() * 20 + b"\x93"
    assert decode_text(raw)[1] == "utf-8"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b" \r\n\t\r\n", "empty"),
        (b"\x1a\x00\x00", "binary"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 99, "binary"),
        (b"\xff\xfe" + b"\x00\xd8" * 500, "undecodable"),
    ],
)
def test_what_is_no_text(raw: bytes, reason: str) -> None:
    result = DECODER(Document("a", "books", raw=raw))
    assert isinstance(result, Rejected)
    assert result.reason == reason


def test_line_ends_and_controls() -> None:
    raw = b"one  \r\ntwo\rthree\x0cfour \xef\xbb\xbffive\nsix\x1a"
    assert decoded(raw * 40).text.startswith("one\ntwo\nthree\nfour five\nsix")


@given(st.binary(max_size=300))
def test_any_bytes_end_in_text_or_a_reason(raw: bytes) -> None:
    result = DECODER(Document("a", "books", raw=raw))
    if isinstance(result, Document):
        assert not set(result.text) & {"\r", "\0", "\x1a", "\ufeff"}


def laid_out(text: str) -> str:
    result = LAYOUT(Document("a", "books", text))
    assert isinstance(result, Document), result
    return result.text


def wrapped(width: int = 70) -> str:
    return textwrap.fill(SENTENCES, width, break_on_hyphens=False)


@pytest.mark.parametrize("width", [60, 65, 70, 75, 79])
def test_wrapped_prose_is_joined(width: int) -> None:
    text = "\n\n".join([wrapped(width)] * 5)
    assert laid_out(text) == "\n\n".join([SENTENCES] * 5)


@pytest.mark.parametrize(
    "layout",
    [
        "The evening comes in at the seaward door,\n  The wheel gives a turn and is still;\n"
        "There is dust of the hemp on the ropewalk floor\n  And a light on the opposite hill.",
        "Stir it slowly, stir it well,\nKnown a street off by the smell,\nBlack as midnight, thick "
        "as sleep,\nBound for anchors, bound for deep.",
        "Meal, nine sacks               4 00\nClock, mended                  1 50\nLetter, unpaid"
        "                   10",
        "JOHN, a carrier.\nMARY, his sister.\nA SCHOOLMASTER.",
        "     Weirham, 3rd May.\n     The Old Mill.",
        "apple, 3, 45\nbarley, 17\ncarts, of meal, 9\ndams, see weirs, 20",
        "Mill Street\nWeirham",
    ],
)
def test_verse_tables_and_lists_keep_their_lines(layout: str) -> None:
    prose = "\n\n".join([wrapped()] * 3)
    assert f"\n\n{layout}\n\n" in laid_out(f"{prose}\n\n{layout}\n\n{prose}")


def test_a_text_of_verse_alone_is_left_as_it_is() -> None:
    lines = [f"And every {word} shall have its measured line" for word in ("mill", "weir", "sack")]
    text = "\n\n".join("\n".join(lines) for _ in range(20))
    assert laid_out(text) == text


def test_hyphens_and_dashes_at_line_ends() -> None:
    filler = wrapped()
    text = (
        f"{filler}\n\n"
        "The director of the company that had built the mill, a man of some years, di-\n"
        "rector also of the weir, had gone out to see the sheep, and heard the sheep-\n"
        "bells, and said to the carrier who was standing there that it was late--\n"
        f"very late.\n\n{filler}"
    )
    joined = laid_out(text)
    assert "some years, director also" in joined
    assert "the sheep-bells, and" in joined
    assert "was late--very late." in joined


@given(st.text(alphabet="ab \n-", max_size=400))
def test_unwrapping_changes_nothing_but_white_space_and_hyphens(text: str) -> None:
    def letters(one: str) -> str:
        return "".join(one.split()).replace("-", "")

    assert letters(unwrap(text, LayoutSettings(minimum_odds=-9.0))) == letters(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He _very_ much _did not_ go.", "He very much did not go."),
        ("It was _over\ntwo_ lines, (_D.C.S._), _one", "It was over\ntwo lines, (D.C.S.), _one"),
        ("a snake_case_name and __init__ stay", "a snake_case_name and __init__ stay"),
        ("_To_ =Grant B.= and 1 = 2 = 3, a=b=c", "To Grant B. and 1 = 2 = 3, a=b=c"),
        ("one\n\n[Illustration]\n\ntwo", "one\n\ntwo"),
        ("one\n\n[Illustration: The _old_ mill]\n\ntwo", "one\n\nThe old mill\n\ntwo"),
        ("one [Pg 12]two [Page xiv]", "onetwo"),
        ("[Illustrious men] stay", "[Illustrious men] stay"),
        ("one\n\n[Illustration: A [sic] mill]\n\ntwo", "one\n\nA [sic] mill\n\ntwo"),
        ("one\n\n[Decoration]\n\ntwo", "one\n\ntwo"),
        ("one {p. 13}two {2} three", "onetwo {2} three"),
        ("+Small Caps+ and ~type~, 1 + 2 + 3, a~b", "Small Caps and type, 1 + 2 + 3, a~b"),
    ],
)  # fmt: skip
def test_marks(text: str, expected: str) -> None:
    assert laid_out(text) == expected


def test_signals_of_two_editions() -> None:
    text = "\n\n".join([wrapped()] * 5)
    good, bad = (
        Document("a", "books", one)
        for one in (text, "Caf\u00e9 and mill,\nAnd weir,\nAnd sack.\n\n" + text)
    )
    LAYOUT(good)
    LAYOUT(bad)
    assert (good.signals["joined_lines"], good.signals["line_breaks"]) == (5 * 3, 0)
    assert bad.signals["line_breaks"] == 2
    PROSE(bad)
    assert bad.signals["accented_letters"] == 1


def test_nothing_but_marks() -> None:
    result = LAYOUT(Document("a", "books", "[Illustration]\n\n[Pg 3]"))
    assert isinstance(result, Rejected)
    assert result.reason == "empty"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SENTENCES * 4, ""),
        (FRENCH, ""),
        ("春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。床前明月光，疑是地上霜。" * 9, ""),
        ("क्या आप मुझे रास्ता बता सकते हैं और वहाँ कौन रहता है " * 20, ""),
        ("3.14159 26535 89793 23846\n" * 99, "few_letters"),
        ("acgtacgattacaggttacca\n" * 99, "few_distinct_letters"),
        ("Chapter 1 lamps-01.mp3\nChapter 2 lamps-02.ogg\n" * 20, "sound_files"),
    ],
)
def test_prose(text: str, reason: str) -> None:
    result = PROSE(Document("a", "books", text))
    assert (result.reason if isinstance(result, Rejected) else "") == reason


@pytest.mark.parametrize(
    "text",
    [
        "word " * 400_000,
        "*" * 1_000_000 + "\n" + "**\n" * 200_000,
        ("[Illustration:" + " " * 3000) * 300 + "[Illustration" + " " * 500_000,
        "_a " * 300_000 + "_ " * 300_000,
        "[Transcriber " * 100_000,
        "a-\nb " * 200_000,
        " " * 1_000_000 + "x",
    ],
)
def test_hostile_layout_takes_linear_time(text: str) -> None:
    started = time.process_time()
    document = DECODER(Document("a", "books", raw=text.encode()))
    assert isinstance(document, Document)
    LAYOUT(document)
    assert time.process_time() - started < 5  # 0.5 s measured; quadratic would be minutes
