"""What comments say about use without naming a licence: limits, grants, and files to look into.

A limit (`restrictions`) refuses a file whatever else it says. A sentence that grants or forbids
(`GRANTS`) and that neither a licence's text nor its name explains leaves the licence unclear. A
sentence that points to another file hands over to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from filters.code.licence_names import spaced

_THIS = r"(?:this|the|these|said|such|our|any|all|its) "
_WORK = (
    r"(?:files?|codes?|software|programs?|sources?|source code|modules?|scripts?|librar(?:y|ies)|"
    r"packages?|works?|materials?|documents?|documentation|routines?|headers?|data|information|"
    r"contents?|implementation|product|tools?|derivatives?|functions?|class(?:es)?|examples?)"
)
_USE = (
    r"(?:us(?:e|ed|ing|age)|cop(?:y|ied|ying|ies)|modif(?:y|ied|ication)|"
    r"(?:re)?distribut(?:e|ed|ion|able)|"
    r"reproduc(?:e|ed|tion)|incorporat(?:e|ed)|disclos(?:e|ed|ure)|publish(?:ed)?|sublicen[cs]e|"
    r"sold?|sell|transferr?e?d?|alter(?:ed)?|adapt(?:ed)?|merged?|shared?|transmit(?:ted)?)"
)
_RESTRICTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (spaced(pattern), name)
    for pattern, name in (
        (r"commons clause", "Commons-Clause"),
        (
            r"\bnon[- ]?commercial(?:ly)?\b|source code licen[cs]e[- ]?nc\b|"
            r"\bnot (?:to be |be |for )?(?:used |sold |use )?(?:in |for |as part of )?"
            r"(?:any )?commercial|(?:academic|research|educational|evaluation|personal|private|"
            r"internal|non-?profit|teaching|testing|study)[\w ,/-]{0,40} "
            r"(?:use|purposes?|projects?) only|only (?:be used )?for (?:\w+ )?(?:academic|research|"
            r"educational|evaluation|personal|private|internal|non-?profit|teaching|study)|"
            r"commercial (?:use|usage|licen[cs]e|application|redistribution|purposes?)s?[^.]{0,60}"
            r"(?:prohibit|forbid|not (?:permitted|allowed|granted)|requires?|needs?|must|contact|"
            r"without|restricted)|(?:contact|permission|licen[cs]e)[^.]{0,60}for commercial "
            r"(?:use|usage|purposes?|licen)|may not[^.]{0,60}commercial|personal use only|"
            r"free for (?:academic|research|personal|private|educational|non)",
            "non-commercial",
        ),
        (
            r"all advertising materials? mentioning|display the following acknowledge?ment",
            "advertising-clause",
        ),
        (r"used for good,? not evil", "JSON"),
        (
            r"proprietary (?:and|or|&) confidential|confidential (?:and|or|&) proprietary|"
            r"confidential(?:ity)?[ -]?proprietary|proprietary/confidential|company confidential|"
            r"(?:is|contains?|are|the) (?:\w+ ){0,4}(?:confidential|proprietary)(?: \w+){0,3} "
            r"(?:information|property|material|software|code|to|of|and)|trade secrets?|"
            r"proprietary (?:information|licen[cs]e|software|source|code of|to)|"
            r"unauthori[sz]ed (?:use|cop|re?distribution|distribution|reproduction|disclosure|"
            r"modification|access|duplication)|"
            r"(?:without|except (?:with|by)) (?:the )?(?:express(?:ed)? |prior |explicit )*"
            r"(?:written )?(?:permission|consent|authori[sz]ation|agreement|approval|licen[cs]e)"
            r"(?: agreement)? (?:of|from|by|is)[^.]{0,100}|"
            r"(?:copying|distribution|reproduction|use|disclosure|dissemination)[^.]{0,120} "
            r"(?:is|are) (?:strictly )?(?:prohibited|forbidden)|strictly (?:prohibited|forbidden)|"
            r"no part of this \w+ may|(?:do )?not (?:re)?distribute\b|not for (?:re)?distribution|"
            r"internal use only|not (?:be )?(?:re)?distributed (?:without|outside)|all use of this "
            r"\w+ is subject to|no licen[cs]e is granted|"
            r"licen[cs]e,? express or implied,? by estoppel"
            r"|no rights? (?:is|are) granted|end[- ]user licen[cs]e|\beula\b|\bunlicensed\b|"
            r"subject to (?:the|a) (?:\w+ ){0,3}(?:licen[cs]e|customer) agreement|property of \w+",
            "proprietary",
        ),
        (
            r"(?:not|never|prohibited)[^.]{0,60}\b(?:military|nuclear|weapons?|surveillance)\b|"
            r"(?:military|nuclear|weapons?)[^.]{0,60}(?:not permitted|prohibited|forbidden)",
            "limits-of-use",
        ),
        (r"\bshareware\b|\bfreeware\b|\bpostcardware\b|\bdonationware\b|\bcareware\b", "freeware"),
    )
)
_GRANTS = spaced(
    r"\b(?:may|must|shall|can|should|do|is|are|cannot|might) ?(?:not|never)? (?:be )?"
    + _USE
    + r"(?<!use) (?:or \w+ )?"
    + _THIS
    + r"(?:files?|code|software|programs?|source|modules?|scripts?|library|package|work)\b|"
    r"\bpermission (?:to|is|was|has been)\b[^.]{0,160}\b(?:granted|given|obtained)|"
    r"\b(?:rights?|licen[cs]es?) [^.]{0,80}\b(?:is|are) (?:hereby )?granted|"
    r"\b(?:may|can|might|must|shall|should|could|are|is|be|feel|is hereby) (?:not |also |only )?"
    r"(?:be )?(?:freely |free to |allowed to |permitted to |welcome to |authori[sz]ed to )+"
    r"(?:be )?" + _USE + r"\b|"
    r"\b(?:you|anyone|everyone|anybody|users?|licensees?|permission|right) (?:may|can|"
    r"must|shall|are free to|"
    r"are allowed to|is allowed to|to) (?:not |also |only |freely )*(?:be )?"
    + _USE
    + r"\b[^.]{0,40}\b(?:it|"
    + _WORK
    + r")\b(?=[^.]{0,200}(?:licen|copyright|notice|warrant|"
    r"provided|long as|condition|freely|permission|credit|purpose|distribut|commercial|terms))|"
    r"\b" + _THIS + _WORK + r"(?: and \w+)? (?:may|can|must|shall|is|are|has been|was) "
    r"(?:not |only |also |hereby )*(?:be )?(?:freely )?(?:distributed|distributable|redistributed|"
    r"redistributable|copied|reproduced|licen[cs]ed|released|made available|subject to|governed|"
    r"placed|provided under|free software|open source|copyrighted|protected)\b"
    r"(?=[^.]{0,200}(?:licen|copyright|notice|provided|long as|condition|freely|permission|terms|"
    r"law|agreement|restrict|free|open source))|"
    r"\bredistribut(?:ion|ions|e)\b[^.]{0,80}\b(?:permitted|allowed|granted|must|freely|"
    r"conditions)|"
    r"\bfreely (?:distribut|redistribut|copied|used|usable|available for)|\bfree software\b|"
    r"\blicen[cs]ed (?:under|to you|by|for|as|materials?)\b|\b(?:released|distributed|available|"
    r"published|covered|provided|offered|made available) (?:to you )?under (?:the |a |an |these |"
    r"this )?[^.]{0,60}\b(?:licen[cs]e|terms|conditions)\b|"
    r"\b(?:subject|according|pursuant) to (?:the |its |these |this |a )?(?:following |terms|"
    r"licen[cs]e|conditions|restrictions)|\bterms (?:and|of) (?:conditions|use|the licen)|"
    r"\bgoverned by\b|\blicen[cs]e agreement|\bunder licen[cs]e\b|\bunder (?:the )?terms\b|"
    r"^\W*(?:@|\\)?licen[cs]e ?[:=] ?\S+"
)
# The names of the files that hold a repository's or a folder's licence.
_FILE = (
    r"[\"'`<(*]*(?P<file>(?:[\w.-]+/)*(?:(?:un)?licen[cs]es?|copying|copyright|notice|"
    r"legal|readme|authors|contributors)(?:[-._][\w.-]*\w)?|[\w./-]+\.(?:h|hpp|c|cc|cpp|"
    r"py|txt|md|html|rst|tex|doc|pdf|in|js|java))\b"
)
_HANDS_OVER = spaced(
    r"(?:see|in|read|consult|found (?:in|at)|refer to|check|with|per|to|under|by) (?:the )?"
    r"(?:terms (?:and conditions )?(?:of|in) (?:the )?)?(?:(?:accompanying|included|"
    r"enclosed|attached|"
    r"top[- ]level|root|main|full|bundled|associated|project(?:'s)?|provided|text|file|files|"
    r"licen[cs]e|copyright|notice|in|of|the|a|our|separate|supplied|document|for|details) ){0,6}"
    + _FILE
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sentence in characters `start` to `end` of a text says."""

    name: str
    start: int
    end: int


def restrictions(text: str) -> Iterator[Terms]:
    """Limits on use, each by its first mention."""
    for pattern, name in _RESTRICTIONS:
        match = pattern.search(text)
        if match is not None:
            yield Terms(name, *match.span())


def grants(text: str) -> Terms | None:
    """The first sentence that grants or forbids something."""
    match = _GRANTS.search(text)
    return Terms("", *match.span()) if match else None


def handed_over(sentence: str) -> str:
    """The file that a sentence refers to for its licence; empty if it does not."""
    lowered = sentence.lower()
    if not any(word in lowered for word in _ABOUT):
        return ""
    for match in _HANDS_OVER.finditer(sentence):
        name = match["file"].rsplit("/", 1)[-1]
        # `copying the file` is no file; `COPYING`, `copying.txt` and `the license` are.
        if "." in name or not name.islower() or "licen" in name:
            return name
    return ""


_ABOUT = ("licen", "copyright", "condition", "terms", "legal", "notice", "copying")
