"""Decoding: the encoding a page is in, whatever it says."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document, Filter, Rejected
from filters.html import (
    HtmlDecoder,
    HtmlDecoderSettings,
    decode_html,
    nesting_depth,
    python_encoding,
)

SETTINGS = HtmlDecoderSettings(
    maximum_bytes=2_000_000,
    maximum_control_share=0.02,
    maximum_undecodable_share=0.02,
    maximum_depth=5000,
    maximum_attributes=10_000,
)
RUSSIAN = "Стратегия пожарной безопасности: кто мы такие и что мы делаем для города. " * 3
CHINESE = "香港最快开奖现场直播，欢迎您来到我们的网站，请阅读下面的新闻。" * 3
JAPANESE = "ブラウニー ブリーフケースの在庫があります。詳しくはお問い合わせください。" * 3
GERMAN = "Über die Größe der Übersichten ließe sich noch ein schönes Gespräch führen. " * 3


def page(text: str, meta: str = "") -> str:
    declaration = f'<meta charset="{meta}">' if meta else ""
    return f"<html><head>{declaration}<title>x</title></head><body><p>{text}</p></body></html>"


def decode(raw: bytes, http_charset: str = "") -> Document | Rejected:
    decoder = HtmlDecoder(SETTINGS)
    decoder.open()
    return decoder(
        Document(id="1", source="test", raw=raw, metadata={"http_charset": http_charset})
    )


@pytest.mark.parametrize(
    ("text", "codec", "label"),
    [
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (CHINESE, "gb2312", "gb2312"),
        (CHINESE, "gbk", "gbk"),
        (CHINESE, "gb18030", "gb18030"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (JAPANESE, "cp932", "shift_jis"),
        (JAPANESE, "iso-2022-jp", "iso-2022-jp"),
        (GERMAN, "latin-1", "iso-8859-1"),
        (GERMAN, "cp1252", "windows-1252"),
        (RUSSIAN + JAPANESE, "utf-8", "utf-8"),
    ],
)
@pytest.mark.parametrize("where", ["http", "meta"])
def test_declared_and_true(text, codec, label, where):
    html = page(text, label if where == "meta" else "")
    document = decode(html.encode(codec), label if where == "http" else "")
    assert isinstance(document, Document)
    assert document.text == html
    assert document.raw == b""
    assert document.signals["encoding_source"] == where
    assert document.signals["encoding"] == python_encoding(label)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (RUSSIAN, "cp1251"),
        (CHINESE, "gbk"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "cp932"),
        (GERMAN, "cp1252"),
        (GERMAN + RUSSIAN, "utf-8"),
    ],
)
@pytest.mark.parametrize("declared", ["", "utf-8", "nonsense"])
def test_found_in_the_bytes(text, codec, declared):
    html = page(text, declared)
    document = decode(html.encode(codec))
    assert isinstance(document, Document)
    assert document.text == html


def test_declared_latin_1_but_utf_8():
    html = page(RUSSIAN, "iso-8859-1")
    document = decode(html.encode(), "iso-8859-1")
    assert isinstance(document, Document)
    assert document.text == html
    assert document.signals == {"encoding": "utf-8", "encoding_source": "bytes"}


def test_header_of_the_server_against_meta():
    html = page(RUSSIAN, "windows-1251")
    document = decode(html.encode("cp1251"), "iso-8859-1")
    assert isinstance(document, Document)
    assert document.text == html
    assert document.signals["encoding_source"] == "meta"


def test_utf_8_with_a_foreign_byte_stays_utf_8():
    raw = page(RUSSIAN, "utf-8").encode() + "<p>Mitgefühl</p>".encode("latin-1")
    document = decode(raw)
    assert isinstance(document, Document)
    assert RUSSIAN in document.text
    assert "Mitgef\ufffdhl" in document.text


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_byte_order_mark(codec):
    html = page(GERMAN)
    document = decode(html.encode(codec), "windows-1251")
    assert isinstance(document, Document)
    assert document.text == html
    assert document.signals["encoding_source"] == "bom"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(codec):
    html = page(GERMAN)
    document = decode(html.encode(codec))
    assert isinstance(document, Document)
    assert document.text == html


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t ", "empty"),
        (b"<html>" + b"x" * 2_000_000, "too_large"),
        (b"<html>" + bytes(range(256)) * 50, "binary"),
        (b"<html>" + b"\0" * 600 + b"x" * 5000, "binary"),
        (b"<html><p>" + b"a\x81\x8d\x8f" * 300, "undecodable"),
        (b"<html><body>" + b"<div>" * 10_000, "too_deep"),
        (b"<html><body>" + b"<b>text" * 10_000, "too_deep"),
        (b"<div>" * 9000 + b"</div>" * 9000, "too_deep"),
        (b"<html><p " + b"a=1 " * 100_000 + b">", "too_many_attributes"),
        (b"<html><p " + b"a=1 " * 100_000, "too_many_attributes"),
    ],
)
def test_rejections(raw, reason):
    rejected = decode(raw)
    assert isinstance(rejected, Rejected), rejected
    assert rejected.reason == reason


def test_unclosed_paragraphs_are_not_deep():
    raw = b"<html><body>" + b"<p>text<br><li>item" * 10_000
    assert isinstance(decode(raw), Document)


def test_a_few_nuls_are_dropped():
    document = decode(page("a\0b" + GERMAN).encode())
    assert isinstance(document, Document)
    assert "ab" in document.text


def test_long_data_url_is_no_heap_of_attributes():
    raw = page(f"<img src='data:image/png;base64,{'QUJD' * 40_000}'>text").encode()
    assert isinstance(decode(raw), Document)


def test_nesting_depth_counts_open_elements():
    assert nesting_depth("<p><div><br><span>x</span></div><div></div>", 0) == 2


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "gbk", "x-unknown", "utf-16"]))
def test_any_bytes_decode(raw, http_charset):
    text, encoding, source = decode_html(raw, http_charset)
    assert isinstance(text, str)
    assert raw[:3].decode("latin-1") == "" or encoding
    assert source in ("bom", "http", "meta", "bytes")


@given(st.text(min_size=1, max_size=200))
def test_utf_8_is_always_recognised(text):
    html = page(text + RUSSIAN, "windows-1252")
    assert decode_html(html.encode("utf-8", "replace"), "iso-8859-1")[1] == "utf-8"


def test_hostile_markup_is_found_in_linear_time():
    settings = replace(SETTINGS, maximum_bytes=1 << 30)
    decoder = HtmlDecoder(settings)
    for piece in (b"<div>", b"<p a=", b"<", b"<!--", b"&amp;", b"<a b='"):
        started = time.process_time()
        decoder(Document(id="1", source="test", raw=piece * 1_000_000))
        assert time.process_time() - started < 5


def test_is_a_filter():
    assert isinstance(HtmlDecoder(SETTINGS), Filter)
