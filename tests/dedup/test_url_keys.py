"""URL keys: what counts as the same page, and that the two implementations agree."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.url_keys import normalize_url, normalize_urls, url_key, url_keys


@pytest.mark.parametrize(
    ("url", "normalized"),
    [
        ("http://example.org/a", "example.org/a"),
        ("https://www.example.org/a/", "example.org/a"),
        ("//example.org/a", "example.org/a"),
        ("HTTPS://WWW.Example.ORG:443/A?b=C", "example.org/A?b=C"),
        ("http://example.org:80/", "example.org"),
        ("http://example.org:8080/", "example.org:8080"),
        ("example.org", "example.org"),
        ("http://example.org/a#section", "example.org/a"),
        ("http://example.org/#/a", "example.org"),
        ("http://example.org/a/?utm_source=x&id=3", "example.org/a"),
        ("http://example.org/a?ref=home", "example.org/a"),
        ("http://example.org/a?feed=rss2", "example.org/a"),
        ("http://example.org/a?id=3&utm_source=x", "example.org/a?id=3&utm_source=x"),
        ("http://example.org?q=1", "example.org?q=1"),
        ("  http://example.org/a \n", "example.org/a"),
        ("http://www2.example.org/", "www2.example.org"),
        ("http://wwwexample.org/", "wwwexample.org"),
        ("http://example.org/http://other.org/", "example.org/http://other.org"),
        ("ftp://example.org/x", "example.org/x"),
        ("http://пример.рф/Ё", "пример.рф/Ё"),
        ("", ""),
    ],
)
def test_normalize_url(url: str, normalized: str) -> None:
    assert normalize_url(url) == normalized
    assert url_key(url) == url_key(normalized)


PARTS = ["http://", "HTTPS:", "//", "www.", "WWW.", "a.org", "B.Org", ":80", ":", ":443", "80"]
PARTS += ["/", "?", "utm_x", "ref", "feed", "&", "#", " ", "\n", "\r", "ſ", "İ", "é", "x:y", "@"]
URLS = st.builds(
    "".join,
    st.lists(
        st.sampled_from(PARTS) | st.text(max_size=3),
        max_size=9,
    ),
)


@given(st.lists(URLS | st.none(), max_size=20))
def test_vectorised_equals_scalar(urls: list[str | None]) -> None:
    expected = [None if url is None else normalize_url(url) for url in urls]
    assert normalize_urls(pa.array(urls, pa.string())).to_pylist() == expected
    keys = url_keys(urls)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [url_key(url or "") for url in urls]


def test_keys_of_an_array_with_an_offset() -> None:
    array = pa.array(["http://a.org", "http://b.org/", None])[1:]
    assert url_keys(array).tolist() == [url_key("b.org"), url_key("")]
