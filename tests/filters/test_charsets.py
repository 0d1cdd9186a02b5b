"""Legacy encodings: told from the bytes, whatever a server or a page declares."""

from __future__ import annotations

import pytest

from filters.charsets import implausibility
from filters.html import decode_html

TEXTS = {
    "ko": "정부는 어제 회의에서 새로운 다리의 건설 계획을 발표했다. 주민들은 걱정한다. ",
    "ru": "Городской совет собрался во вторник вечером, чтобы обсудить планы моста через реку. ",
    "uk": "Міська рада зібралася у вівторок увечері, щоб обговорити плани нового моста; її є. ",
    "el": "Το δημοτικό συμβούλιο συνεδρίασε την Τρίτη για να συζητήσει σχέδια της γέφυρας. ",
    "ar": "اجتمع مجلس المدينة مساء الثلاثاء لمناقشة خطط الجسر الجديد فوق النهر القديم. ",
    "zh": "市议会星期二晚上开会讨论了跨河新桥的计划，居民们担心施工期间的交通问题。",
    "ja": "市議会は火曜日の夜に会議を開き、新しい橋の計画について話し合いました。",
    "pl": "Rada miasta zebrała się we wtorek wieczorem, aby omówić plany nowego mostu; żółć. ",
    "ro": "Consiliul orașului s-a întâlnit marți seara pentru a discuta planurile în vară. ",
    "tr": "Belediye meclisi salı akşamı yeni köprünün planlarını görüşmek için; ışık, ağaç. ",
    "fr": "Le conseil s'est réuni mardi soir à l'hôtel de ville, où l'été était déjà là. ",
    "de": "Der Rat traf sich am Dienstag, um über die größere Brücke für Fußgänger zu sprechen. ",
}


def page(text: str, encoding: str) -> tuple[bytes, str]:
    # Romanian in legacy encodings has cedillas.
    text = text.replace("ș", "ş").replace("ț", "ţ") * 6
    html = f"<html><head><title>x</title></head><body><p class='a'>{text}</p></body></html>"
    return html.encode(encoding), html


@pytest.mark.parametrize("declared", ["", "iso-8859-1", "utf-8"])
@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("ko", "euc_kr"), ("ru", "cp1251"), ("ru", "koi8_r"), ("ru", "mac_cyrillic"),
        ("uk", "koi8_u"), ("uk", "cp1251"), ("el", "cp1253"), ("ar", "cp1256"), ("zh", "gbk"),
        ("ja", "euc_jp"), ("ja", "cp932"), ("ja", "iso2022_jp"), ("pl", "iso8859_2"),
        ("pl", "cp1250"), ("ro", "iso8859_2"), ("tr", "cp1254"), ("fr", "cp1252"),
        ("fr", "mac_roman"), ("de", "cp1252"),
    ],
)  # fmt: skip
def test_bytes_tell(language: str, encoding: str, declared: str):
    raw, html = page(TEXTS[language], encoding)
    text, _, _ = decode_html(raw, declared)
    assert text == html


@pytest.mark.parametrize(
    ("label", "encoding"), [("iso-8859-15", "iso8859_15"), ("windows-1250", "cp1250")]
)
def test_a_declaration_decides_where_bytes_leave_doubt(label: str, encoding: str):
    raw, html = page("Un œuf coûte déjà cher. " if "15" in label else TEXTS["pl"], encoding)
    assert decode_html(raw, label)[0] == html
    assert decode_html(raw, label)[2] == "http"


def test_implausible_text_is_that_of_no_language():
    assert implausibility(TEXTS["ru"]) == 0
    assert implausibility(TEXTS["ru"].encode("cp1251").decode("cp1252", "replace")) > 0.5
    assert implausibility("plain ASCII") == 0
