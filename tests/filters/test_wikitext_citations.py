"""External URLs inside references."""

from __future__ import annotations

import pytest

from filters.wikitext import cited_urls


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("{{cite web |url=https://a.org/x?y=1&z=2 |title=T}}", "https://a.org/x?y=1&z=2"),
        ("{{Internetquelle|url = http://a.org/x|titel=T}}", "http://a.org/x"),
        ("{{cite|url=http://a.org/x}}", "http://a.org/x"),
        ("[http://a.org/x A label]", "http://a.org/x"),
        ("See http://a.org/x.", "http://a.org/x"),
        ("(see http://a.org/x)", "http://a.org/x"),
        ("http://a.org/x_(y)", "http://a.org/x_(y)"),
        ("''http://a.org/x''", "http://a.org/x"),
        ("http://a.org/?a=1&amp;b=2", "http://a.org/?a=1&b=2"),
        ("https://web.archive.org/web/20200101/http://a.org/x", "http://a.org/x"),
        (
            "http://web.archive.org/web/2010*/https:/a.org/x",
            "http://web.archive.org/web/2010*/https:/a.org/x",
        ),
        ("http://web.archive.org/web/20100101id_/https:/a.org/x", "https://a.org/x"),
        ("http://www.archive.org/web/20100101/a.org/x", "http://a.org/x"),
    ],
)
def test_forms(reference: str, expected: str) -> None:
    assert cited_urls(f"x<ref name=a>{reference}</ref>y") == [expected]


def test_only_references_count_and_each_url_once() -> None:
    page = (
        "[http://outside.org x] <ref>http://b.org/1</ref> <ref name=x/> <!-- <ref>http://c.org/1"
        "</ref> --> <ref>[http://a.org/1 a] http://b.org/1 <!-- http://d.org/1 --></ref>"
        "<references><ref name=y>http://e.org/1</ref></references>"
        "<gallery>x|<ref>http://f.org/1</ref></gallery> <nowiki><ref>http://g.org/1</ref></nowiki>"
    )
    assert cited_urls(page) == [
        "http://b.org/1",
        "http://a.org/1",
        "http://e.org/1",
        "http://f.org/1",
    ]


def test_no_url() -> None:
    assert cited_urls("<ref>ftp://a.org http:// https://localhost nothing</ref>") == []
