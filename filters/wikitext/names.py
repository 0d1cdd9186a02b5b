"""Words of MediaWiki that differ by language: namespaces, redirects, apparatus sections.

The lists cover LLaMA's twenty Wikipedia languages (bg ca cs da de en es fr hr hu it nl pl pt ro ru
sl sr sv uk). MediaWiki accepts the English words on every wiki and no word of one language means
something else in another, so each list is one set for all languages.
"""

from __future__ import annotations

import re
from typing import Literal

SectionKind = Literal["references", "external_links", "see_also", "further_reading"]


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


# Links into these namespaces show an image, a sound or a film.
MEDIA_NAMESPACES = _words("""
    file, image, media, файл, изображение, картинка, медия, fitxer, imatge, mèdia, soubor, média,
    fil, billede, medie, datei, bild, archivo, imagen, medio, fichier, datoteka, slika, medij,
    mediji, fájl, kép, immagine, bestand, afbeelding, plik, grafika, ficheiro, arquivo, imagem,
    mídia, multimédia, fișier, fişier, imagine, медиа, слика, датотека, медији, зображення,
    медіа, tiedosto, kuva, ファイル, 画像
""")

CATEGORY_NAMESPACES = _words("""
    category, категория, categoria, kategorie, kategori, categoría, catégorie, kategorija,
    kategória, categorie, kategoria, категорија, категорія, luokka
""")

# Prefixes of sister projects; their links are text, unlike interlanguage links.
PROJECT_PREFIXES = _words("""
    b, c, commons, d, doi, hdl, m, mail, mediawikiwiki, meta, meta-wiki, mw, n, q, s, species, v,
    voy, w, wikt, wikibooks, wikidata, wikinews, wikipedia, wikiquote, wikisource, wikispecies,
    wikiversity, wikivoyage, wiktionary, wmf, wp
""")

# What an interlanguage prefix looks like: always lower case in dumps, unlike words of a title.
_INTERLANGUAGE = re.compile(
    r"[a-z]{2,3}|simple|be-x-old|be-tarask|zh-[a-z-]{2,9}|roa-[a-z]{3,4}|bat-smg|cbk-zam|fiu-vro"
    r"|map-bms|nds-nl"
)

_REDIRECT_WORDS = _words("""
    redirect, виж, пренасочване, redirecció, redireccio, presmeruj, přesměruj, omdirigering,
    omdirigér, weiterleitung, redirección, redireccion, redirection, preusmjeri, átirányítás,
    rinvia, rinvio, rimando, doorverwijzing, patrz, przekieruj, tam, redirecionamento, redirecionar,
    redirectează, redirecteaza, перенаправление, перенапр, preusmeritev, преусмери, preusmeri,
    преусмјери, перенаправлення, uudelleenohjaus, ohjaus, 転送, リダイレクト
""")

_REDIRECT = re.compile(
    rf"\s{{0,99}}[#＃]\s{{0,9}}(?:{'|'.join(sorted(_REDIRECT_WORDS))})\s{{0,9}}:?\s{{0,9}}\[\[",
    re.IGNORECASE,
)

# Headings of sections that hold apparatus, by kind, folded with `str.casefold`.
SECTION_NAMES: dict[SectionKind, frozenset[str]] = {
    "references": _words("""
        references, notes, footnotes, citations, notes and references, references and notes,
        notes and citations, източници, бележки, бележки под линия, бележки и източници,
        referències, notes i referències, notes, reference, poznámky, poznámky a reference, noter,
        referencer, fodnoter, noter og referencer, kilder og referencer, einzelnachweise, fußnoten,
        anmerkungen, anmerkungen und einzelnachweise, einzelnachweise und anmerkungen,
        nachweise, belege, quellennachweise, referencias, notas, notas y referencias,
        referencias y notas, citas, notes et références, références, références et notes, izvori,
        bilješke, bilješke i izvori, reference, jegyzetek, hivatkozások, források és jegyzetek,
        note, note e riferimenti, noten, voetnoten, referenties, bronnen en referenties,
        bronnen, noten en/of referenties, noten en referenties, przypisy, uwagi, referências, notas,
        notas e referências, referências e notas, referințe, note, note de subsol,
        note și referințe, note bibliografice, примечания, сноски, комментарии, opombe, sklici,
        opombe in sklici, opombe in reference, reference, референце, напомене, референце и напомене,
        белешке, извори, referenser, noter, fotnoter, källor, noter och referenser, примітки,
        виноски, посилання та примітки, lähteet, viitteet, 脚注, 出典
    """),
    "external_links": _words("""
        external links, external link, other websites, външни препратки, enllaços externs,
        externí odkazy, eksterne henvisninger, eksterne links, weblinks, weblink, externe links,
        enlaces externos, vínculos externos, liens externes, lien externe, vanjske poveznice,
        külső hivatkozások, további információk, collegamenti esterni, altri progetti,
        externe link, externe links, linki zewnętrzne, ligações externas, ligação externa,
        links externos, legături externe, ссылки, внешние ссылки, zunanje povezave,
        спољашње везе, спољне везе, vanjske veze, spoljašnje veze, externa länkar, extern länk,
        посилання, зовнішні посилання, aiheesta muualla, 外部リンク
    """),
    "see_also": _words("""
        see also, related pages, вижте също, vegeu també, související články, se også, siehe auch,
        véase también, articles connexes, voir aussi, article connexe, pages connexes,
        vidi još, povezano, povezani članci, lásd még, kapcsolódó szócikkek, voci correlate,
        zie ook, zobacz też, ver também, vezi și, см. также, смотри также, glej tudi,
        види још, види, vidi još, повезано, se även, див. також, дивись також, katso myös, 関連項目
    """),
    "further_reading": _words("""
        further reading, bibliography, sources, литература, библиография, bibliografia, literatura,
        bibliografie, litteratur, literatur, bibliografía, bibliographie, literatura, irodalom,
        literatuur, bibliografia, leitura adicional, lectură suplimentară, viri, literatura,
        литература, vidare läsning, література, джерела
    """),
}


def is_interlanguage(prefix: str) -> bool:
    """Say whether `prefix` of `[[prefix:title]]` names another language's wiki."""
    return prefix not in PROJECT_PREFIXES and _INTERLANGUAGE.fullmatch(prefix) is not None


def is_redirect(wikitext: str) -> bool:
    """Say whether a page's wikitext is a redirect in any of the twenty languages."""
    return _REDIRECT.match(wikitext) is not None
