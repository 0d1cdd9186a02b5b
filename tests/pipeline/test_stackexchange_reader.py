"""`Posts.xml` as threads: every row is accounted for, whatever is wrong with it."""

from __future__ import annotations

import io
import time
from collections import Counter
from html import escape
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.document import Document
from pipeline.errors import OutputError
from pipeline.readers import thread_join
from pipeline.readers.dump_file import UnreadableDumpError
from pipeline.readers.records import BadRecord, Record, SkippedRecord
from pipeline.readers.stackexchange import read_posts

HEAD, TAIL = '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<posts>\r\n', "</posts>"


def row(number: int, kind: int = 1, **attributes: Any) -> str:
    values = {"Id": number, "PostTypeId": kind, "Score": 1, "Body": f"<p>{number}</p>"}
    values |= {"Title": "t"} if kind == 1 else {}
    pairs = [f'{name}="{escape(str(value))}"' for name, value in (values | attributes).items()]
    return "  <row " + " ".join(pairs).replace("\n", "&#xD;&#xA;") + " />\r\n"


def answer(number: int, question: int, **attributes: Any) -> str:
    return row(number, 2, ParentId=question, **attributes)


def read(xml: str | bytes, join_bytes: int = 1 << 20, row_bytes: int = 100_000) -> list[Record]:
    data = xml.encode() if isinstance(xml, str) else xml
    stream = io.BytesIO(data)
    return list(
        read_posts(stream, site="s.test", maximum_row_bytes=row_bytes, join_bytes=join_bytes)
    )


def ids(records: list[Record]) -> dict[str, list[int]]:
    """Document id -> the ids of its posts."""
    return {
        record.id: [post["id"] for post in orjson.loads(record.raw)]
        for record in records
        if isinstance(record, Document)
    }


def reasons(records: list[Record]) -> list[str]:
    return [record.reason for record in records if isinstance(record, BadRecord)]


def skipped(records: list[Record]) -> Counter[str]:
    return Counter(record.reason for record in records if isinstance(record, SkippedRecord))


def test_threads_come_by_question_and_every_row_counts() -> None:
    rows = [row(5), answer(7, 2), answer(6, 5), row(2), answer(9, 2), row(3, 4), row(4, 5)]
    records = read(HEAD + "".join(rows) + TAIL)
    assert ids(records) == {"s.test/2": [2, 7, 9], "s.test/5": [5, 6]}
    assert skipped(records) == {"answer_of_question": 3, "tag_wiki_excerpt": 1, "tag_wiki": 1}
    assert len(records) == len(rows)


def test_attributes_are_decoded_once_and_tabs_stay() -> None:
    body = "<p>a &amp;lt; b</p>\n<pre><code>\tif x &lt; y:\n\t\tz</code></pre> é 𝒳"
    (document,) = read(HEAD + row(1, Body=body, Title='"q" & a') + TAIL)
    assert isinstance(document, Document)
    (post,) = orjson.loads(document.raw)
    assert post["body"] == body
    assert post["title"] == '"q" & a'


def test_answers_without_their_question_and_ids_that_come_twice() -> None:
    rows = [row(1), answer(2, 1), answer(3, 99), answer(4, 2), row(1, Title="other"), answer(2, 1)]
    records = read(HEAD + "".join(rows) + TAIL)
    assert ids(records) == {"s.test/1": [1, 2]}
    assert sorted(reasons(records)) == ["duplicate_id"] * 2 + ["question_missing"] * 2
    orphans = [record for record in records if isinstance(record, BadRecord)]
    assert orphans[-1].id == "s.test/99/3"
    assert orphans[-1].url == "https://s.test/a/3"
    assert len(records) == len(rows)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("<row />", "malformed_row"),
        ('<row Id="2" />', "malformed_row"),
        ('<row Id="0" PostTypeId="1" />', "malformed_row"),
        ('<row Id="-2" PostTypeId="1" />', "malformed_row"),
        ('<row Id="99999999999999999999" PostTypeId="1" />', "malformed_row"),
        ('<row Id="4294967298" PostTypeId="1" />', "malformed_row"),
        ('<row Id="2" PostTypeId="x" />', "malformed_row"),
        ('<row Id="2" PostTypeId="2" Body="a" />', "malformed_row"),
        ('<row Id="2" PostTypeId="1" Score="1e9" />', "malformed_row"),
        ('<row Id="2" PostTypeId="1" Body="&undefined;" />', "malformed_row"),
        ('<row Id="2" PostTypeId="1" Body="a" b />', "malformed_row"),
        ('<row Id="2" Id="3" PostTypeId="1" />', "malformed_row"),
        ('<row Id="2" PostTypeId="1" Body="<p>x</p>" />', "malformed_row"),
        (f'<row Id="2" PostTypeId="1" Body="{"x" * 100_000}" />', "row_too_large"),
        (f'<row Id="2" PostTypeId="1" Body="{"x" * 3_000_000}" />', "row_too_large"),
        ("<post><b/></post>", "unexpected_markup"),
    ],
)
def test_a_bad_row_costs_itself_alone(bad: str, reason: str) -> None:
    records = read(HEAD + row(1) + bad + "\n" + row(3) + TAIL)
    assert list(ids(records)) == ["s.test/1", "s.test/3"]
    assert reasons(records) == [reason]


@pytest.mark.parametrize(
    "good",
    [
        "<row Id='2' PostTypeId='1' Body='a \"b\"'/>",
        '<row Id="2" PostTypeId="1" Body="a &quot;b&quot;"></row>',
        '<row\n\tId = "2"\n\tPostTypeId="1" Body="a &#34;b&#x22;" />',
        '<row Id="2" PostTypeId="1" Body="a &quot;b&quot;&#x1F;&#0;&#xD800;" />',
        '<!-- <row Id="9" /> --><row Id="2" PostTypeId="1" Body="a &#34;b\x02&#34;"/>',
    ],
)
def test_rows_in_other_clothes(good: str) -> None:
    records = read(HEAD + good + TAIL)
    assert [type(record) for record in records] == [Document]
    document = records[0]
    assert isinstance(document, Document)
    assert orjson.loads(document.raw)[0]["body"] == 'a "b"'


def test_other_encodings() -> None:
    xml = HEAD + row(1) + row(2, Body="é") + TAIL
    latin = xml.removeprefix("\ufeff").encode("latin-1")
    assert reasons(read(latin)) == ["not_utf8"]
    assert list(ids(read(latin))) == ["s.test/1"]


@pytest.mark.parametrize(
    ("xml", "found", "reason"),
    [
        (HEAD + row(1) + row(2)[:30], 1, "truncated_xml"),
        (HEAD + row(1) + row(2), 2, "truncated_xml"),
        (HEAD + row(1) + "  <ro", 1, "unexpected_markup"),
        (HEAD + TAIL, 0, None),
        ("", 0, "not_posts"),
        ("plain text", 0, "not_posts"),
        ("<html><body>" + row(1), 0, "not_posts"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><comments>' + row(1), 0, "not_posts"),
    ],
)
def test_the_end_and_the_beginning(xml: str, found: int, reason: str | None) -> None:
    records = read(xml)
    assert len(ids(records)) == found
    assert reasons(records)[:1] == ([reason] if reason else [])


def test_damage_below_is_reported_after_what_was_read() -> None:
    class Damaged(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise UnreadableDumpError("malformed_7z", "crc")
            return data

    stream = Damaged((HEAD + row(1) + answer(2, 1)).encode())
    records = list(read_posts(stream, site="s", maximum_row_bytes=1000, join_bytes=1000))
    assert ids(records) == {"s/1": [1, 2]}
    assert reasons(records) == ["malformed_7z"]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 200_000), st.integers(0, 60)), max_size=60),
    st.integers(200, 5000),
    st.randoms(use_true_random=False),
)
def test_any_bound_gives_the_same_threads(
    sizes: list[tuple[int, int]], bound: int, random: Any
) -> None:
    questions = dict(sizes)
    rows = [row(number, Body="q" * length) for number, length in questions.items()]
    rows += [
        answer(300_000 + index, number, Body="a" * length)
        for index, (number, length) in enumerate(sizes)
    ]
    random.shuffle(rows)
    xml = HEAD + "".join(rows) + TAIL
    plain, bounded = read(xml), read(xml, join_bytes=bound + 60 * 400)
    assert len(plain) == len(rows)
    assert plain == bounded
    tight = read(xml, join_bytes=bound)
    assert len(tight) == len(rows)
    assert {name: posts for name, posts in ids(plain).items() if name in ids(tight)} == ids(tight)
    assert set(reasons(tight)) <= {"thread_too_large"}


def test_a_thread_beyond_the_bound_is_rejected_post_by_post() -> None:
    rows = [row(1), row(2), *(answer(number, 2, Body="x" * 1000) for number in range(10, 40))]
    records = read(HEAD + "".join(rows) + row(3) + TAIL, join_bytes=8000)
    assert list(ids(records)) == ["s.test/1", "s.test/3"]
    assert reasons(records) == ["thread_too_large"] * 31


def test_sparse_ids_cost_no_more_than_dense_ones() -> None:
    rows = [row(number * 999_983 % (2**31 - 1) + 1) for number in range(3000)]
    started = time.process_time()
    records = read(HEAD + "".join(rows) + TAIL, join_bytes=50_000)
    assert time.process_time() - started < 3
    assert len(ids(records)) == 3000


def test_no_room_for_the_temporary_file_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the input: the unit must be tried again, not committed with a reject."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(thread_join.tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="TMPDIR"):
        read(HEAD + row(1, Body="x" * 5000) + TAIL, join_bytes=1000)


def test_hostile_streams_end_soon() -> None:
    for junk in (b"<" * 1_000_000, b"<row " * 200_000, b"x" * 20_000_000, b"<!--" * 300_000):
        started = time.process_time()
        read(HEAD.encode() + junk)
        assert time.process_time() - started < 5
