"""Names of licences in running text, as SPDX identifiers.

Texts are the classifier's (`filters.code.licence_evidence`); here are the names by which headers
refer to them: "under the MIT license", "GPLv2 or later", an address. What SPDX has no identifier
for, or what a bare family name leaves open, is a `LicenseRef-`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# What LLaMA calls Apache, BSD and MIT (docs/github.md says why these), as SPDX identifiers.
# fmt: off
PERMISSIVE: tuple[str, ...] = (
    "Apache-1.1", "Apache-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-2-Clause-Patent",
    "BSD-2-Clause-Views", "BSD-3-Clause", "BSD-3-Clause-Clear", "BSD-3-Clause-LBNL",
    "BSD-3-Clause-Modification", "0BSD", "MIT", "MIT-0", "MIT-Modern-Variant", "X11",
)
# fmt: on
# A family named without saying which of its licences: allowed where one of them is.
FAMILIES = {
    "LicenseRef-BSD": ("bsd-",),
    "LicenseRef-Apache": ("apache-",),
    "LicenseRef-MIT": ("mit", "x11"),
}

_LICENCE = r"(?:public )?licen[cs]es?"
_GPL_VERSION = (
    r"(?:,? ?\(?(?:GPL|LGPL|AGPL)?\)?,? ?\(?(?:as published by the free software foundation[;,]? )?"
    r"(?:either )?(?:version|ver\.?|v\.?|-)? ?(?P<version>[123](?:\.[01])?)(?:\.0)?\)?"
    r"(?P<later>\+|,? \(?(?:or|and) (?:\(?at your option\)? ?)?(?:any )?(?:later|newer|higher))?)?"
)
_GPL = (
    r"(?P<full>(?:gnu )?(?P<kind>lesser |library |affero )?general public licen[cs]e)"
    + _GPL_VERSION
    + r"|\b(?P<short>gnu [al]?gpl|[al]?gpl)(?:['’]?[de]d?\b)?(?=[\W\dv_]|$)"
    + _GPL_VERSION.replace("version>", "version2>").replace("later>", "later2>")
)


def without_families(licences: Sequence[str]) -> list[str]:
    """Licences without what another of them says more precisely.

    That is a bare family of which a member is there, and `GPL-2.0-only` beside the text `GPL-2.0`.
    """
    lowered = [licence.lower() for licence in licences]
    return [
        licence
        for licence in licences
        if not any(one.startswith(FAMILIES.get(licence, ("-",))) for one in lowered)
        and not (licence.endswith("-only") and licence.removesuffix("-only").lower() in lowered)
    ]


def _names(*rows: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns with the identifier that each stands for; a space is any white space."""
    return tuple((spaced(pattern), name) for pattern, name in rows)


def spaced(pattern: str) -> re.Pattern[str]:
    """A pattern, of either case, in which a space is any white space, also in `[- ]`."""
    for hyphen in ("[- ]", "[ -]"):
        pattern = pattern.replace(f"{hyphen}?", r"[-\s]*").replace(hyphen, r"[-\s]+")
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


_GENERAL_PUBLIC = spaced(_GPL)
_L = r"licen[cs]e"
_NAMES = _names(
    (rf"\bmozilla public {_L}|\bmpl[- ]?(?:v|version )?[12]\b|mozilla\.org/mpl|\bmpl\b", "MPL-2.0"),
    (
        rf"\beclipse (?:public|distribution) {_L}|\bepl[- ]?v?[12]\b|eclipse\.org/legal/epl",
        "EPL-2.0",
    ),
    (rf"\bcommon public {_L}|\bcpl[- ]v?1|\bibm public {_L}", "CPL-1.0"),
    (rf"\bcommon development and distribution {_L}|\bcddl\b", "CDDL-1.0"),
    (rf"\bboost software {_L}|boost\.org/license_1_0|\bboost {_L}\b", "BSL-1.0"),
    (
        rf"\bartistic {_L}|same terms as perl|terms of (?:the )?perl\b|\bperl artistic",
        "Artistic-1.0-Perl",
    ),
    (rf"\b(?:latex project public|lppl)(?: {_L})?", "LPPL-1.3c"),
    (rf"\beuropean union public {_L}|\beupl\b", "EUPL-1.2"),
    (rf"\b(?:server side public {_L}|sspl)\b", "SSPL-1.0"),
    (rf"\b(?:microsoft (?:public|reciprocal|limited public) {_L}|ms-?(?:pl|rl)\b)", "MS-PL"),
    (
        rf"\bmicrosoft software {_L}|\bmicrosoft .{{0,30}}{_L} (?:terms|agreement)",
        "LicenseRef-Microsoft",
    ),
    (rf"\bnetscape public {_L}|\bnpl[ /-]?1", "NPL-1.1"),
    (rf"\bsun (?:public|industry standards source) {_L}", "SPL-1.0"),
    (rf"\bopen software {_L}|\bosl[- ]?v?[123]\.", "OSL-3.0"),
    (rf"\bacademic free {_L}|\bafl[- ]?v?[123]\.", "AFL-3.0"),
    (rf"\b(?:sil )?open font {_L}|\bsil ofl\b|\bofl[- ]?1", "OFL-1.1"),
    (rf"\bqt? public {_L}|\bqpl\b", "QPL-1.0"),
    (rf"\bzlib(?:/libpng)?[ -](?:style )?{_L}|\blibpng {_L}|\bzlib[- ]licen[cs]ed", "Zlib"),
    (rf"\bisc(?:[- ]style)? {_L}|licen[cs]ed under (?:the )?isc\b|\b{_L}: isc\b", "ISC"),
    (rf"\bpython software foundation {_L}|\bpsf {_L}|\bpython {_L}\b", "PSF-2.0"),
    (rf"\bopenssl {_L}|\bssleay {_L}|\bopenssl[/ -]+ssleay", "OpenSSL"),
    (rf"\bphp {_L}\b|php\.net/license", "PHP-3.01"),
    (rf"\bzend (?:engine )?{_L}", "Zend-2.0"),
    (rf"\bvim {_L}\b", "Vim"),
    (rf"\bruby(?:'s)? {_L}\b|same terms as ruby|under ruby's", "Ruby"),
    (rf"\btcl(?:/tk)? {_L}|\bscriptics\b.{{0,80}}{_L}", "TCL"),
    (rf"\bunicode(?:,? inc\.?)? {_L}", "Unicode-DFS-2016"),
    (r"\bcecill(?:-[abc])?\b", "CECILL-2.1"),
    (rf"\bw3c(?:®)? (?:software|document)(?: \w+){{0,3}} {_L}|\bw3c.{{0,30}}{_L}", "W3C"),
    (rf"\bntp {_L}\b", "NTP"),
    (rf"\b(?:info-?zip) {_L}|info-?zip.{{0,40}}{_L}", "Info-ZIP"),
    (rf"\bapple public source {_L}|\bapsl\b", "APSL-2.0"),
    (rf"\bapple sample code {_L}|\bsample code {_L}", "LicenseRef-Apple-sample-code"),
    (rf"\belastic {_L}(?: 2| v2)?\b|elastic\.co/licensing", "Elastic-2.0"),
    (rf"\bbusiness source {_L}|\bbusl\b", "BUSL-1.1"),
    (rf"\bfunctional source {_L}|\bfsl-1", "FSL-1.1-MIT"),
    (rf"\bpolyform\b.{{0,40}}(?:{_L})?", "PolyForm-Noncommercial-1.0.0"),
    (
        rf"\bconfluent community {_L}|\btimescale {_L}|\bredis source available",
        "LicenseRef-source-available",
    ),
    (rf"\b(?:hippocratic|anti-996|do no harm|just world|vaccine) {_L}", "LicenseRef-ethical"),
    (rf"\b(?:open)?rail(?:\+\+)?(?:-[mds])? {_L}|\bresponsible ai {_L}", "LicenseRef-RAIL"),
    (
        rf"\bllama \d?[\d.]* ?community {_L}|\bgemma terms of use|\bnvidia (?:source code|"
        rf"software|open model) {_L}",
        "LicenseRef-model",
    ),
    (r"\bwtfpl\b|do what the (?:f\w+|fuck) you want", "WTFPL"),
    (
        r"\bunlicense\b|unlicense\.org|"
        r"free and unencumbered software released into the public domain",
        "Unlicense",
    ),
    (r"\bbeer-?ware\b", "Beerware"),
    (r"\bcc0\b|creativecommons\.org/publicdomain|creative commons zero", "CC0-1.0"),
    (
        r"\bcreative commons\b|creativecommons\.org/licen[cs]es|\bcc[ -]by(?:[ -](?:nc|sa|"
        r"nd))*\b(?:[ -]\d)?",
        "LicenseRef-Creative-Commons",
    ),
    (rf"\bgnu free documentation {_L}|\bgfdl\b|\bfdl\b", "GFDL-1.3"),
    (rf"\bopen (?:database|data commons)[\w ()-]{{0,30}}{_L}|\bodbl\b", "ODbL-1.0"),
    (
        rf"\buniversity of illinois(?:/ncsa)?(?: open source)? {_L}|\bncsa (?:open source )?{_L}",
        "NCSA",
    ),
    (rf"\bupl[- ]1|\buniversal permissive {_L}", "UPL-1.0"),
    (rf"\bmulan p(?:ermissive )?(?:ublic )?(?:software )?{_L}|\bmulan ?psl\b", "MulanPSL-2.0"),
    (rf"\bblue ?oak model {_L}", "BlueOak-1.0.0"),
    (rf"\bpostgresql {_L}", "PostgreSQL"),
    (
        rf"\bintel (?:simplified|open source|sample source code|proprietary)(?: software)? {_L}",
        "LicenseRef-Intel",
    ),
    (
        r"\b(?:in|into|to) the public[- ]domain\b|\bpublic[- ]domain(?: software| code|"
        r" work| software| dedication)?[.,;!]|\bis public[- ]domain\b|\bpublic domain$|"
        r"\bplaced in public domain|^\W*(?:licen[cs]e: )?public[- ]domain",
        "LicenseRef-public-domain",
    ),
    # Kept families.
    (
        rf"\bapache(?: software)? {_L},? ?\(?(?:version|v\.?|ver\.?)? ?-?2(?:\.0)?\b|"
        rf"apache\.org/licenses/license-2|\bapache[- ]?(?:v|version )?2(?:\.0)?\b(?! ?\.)|"
        rf"\basl ?2(?:\.0)?\b|\bal2(?:\.0)\b",
        "Apache-2.0",
    ),
    (rf"\bapache(?: software)? {_L},? ?\(?(?:version|v\.?|ver\.?)? ?-?1\.1\b", "Apache-1.1"),
    (rf"\bapache(?: software)? {_L},? ?\(?(?:version|v\.?|ver\.?)? ?-?1\.0\b", "Apache-1.0"),
    (
        rf"\bapache(?: software| open source)? {_L}|\bapache-licen[cs]ed|\b{_L}: apache\b|"
        rf"under (?:the )?apache\b",
        "LicenseRef-Apache",
    ),
    (
        rf"\b(?:bsd[- ]?2|2[- ]clause bsd|two[- ]clause bsd|bsd[- ]two|bsd \(?2[- ]clause|"
        rf"simplified bsd|freebsd {_L})",
        "BSD-2-Clause",
    ),
    (
        r"\b(?:bsd[- ]?3|3[- ]clause,? (?:new )?bsd|three[- ]clause bsd|bsd[- ]three|"
        r"bsd \(?3[- ]clause|new bsd|modified bsd|revised bsd)|"
        r"opensource\.org/licenses/bsd",
        "BSD-3-Clause",
    ),
    (r"\b(?:bsd[- ]?4|4[- ]clause bsd|four[- ]clause bsd|original bsd|old bsd)", "BSD-4-Clause"),
    (r"\b0bsd\b|zero[- ]clause bsd|\bbsd[- ]zero", "0BSD"),
    (
        rf"(?<!open|free)\bbsd(?:[- ](?:style|like|type))?[ -]{_L}|\b(?:{_L}d?|"
        rf"licen[cs]ed)(?: under| as|:)?(?: the)?(?: terms of the)? bsd\b|under (?:the |"
        rf"a )?(?:terms of (?:the )?)?(?:a )?bsd\b|\bbsd(?:-style)? (?:terms|copyright)|"
        rf"\bbsd[- ]licen[cs]ed|\bbsd(?= ?(?:/|or|and) ?(?:l?gpl|mit))",
        "LicenseRef-BSD",
    ),
    (r"\bmit-0\b|mit no attribution", "MIT-0"),
    (
        rf"\bexpat {_L}|\bmit(?:[/ -](?:x11|x|style|expat|like|"
        rf"type))?[ -](?:\(?open source\)? )?\(?(?:x11 )?(?:{_L}s?|terms)|(?:\b{_L}s?|"
        rf"licen[cs]ed)(?: under| as| is|:| to)?(?: the)?(?: terms of the)? mit\b|"
        rf"under (?:the |an? )?(?:terms of (?:the |an? )?)?mit\b|\bmit[- ]licen[cs]ed|"
        rf"\bmit(?= ?(?:/|,|&|\||or|and) ?(?:the )?(?:l?gpl|bsd|apache|x11|isc|gnu|unlicense))|"
        rf"(?:gpl|bsd|apache|isc|unlicense|domain|gnu)[\w. -]{{0,16}}(?:/|,|&|\||or|"
        rf"and) ?(?:the )?(mit)\b|opensource\.org/licenses/mit|mit-license\.(?:org|php)|"
        rf"\blicen[cs]e mit\b",
        "MIT",
    ),
    (rf"\bx11 {_L}|\bx consortium {_L}", "X11"),
)
# One of these stands in every pattern above: most sentences are settled by that.
_ANY = spaced(
    r"licen|creativecommons|\b(?:l?gpl|agpl|gnu|general|mpl|epl|cpl|cddl|boost|perl|lppl|eupl|sspl|"
    r"ms-?[pr]l|npl|osl|afl|ofl|qpl|openssl|ssleay|ruby|scriptics|cecill|apsl|elastic|busl|fsl|"
    r"polyform|redis|gemma|wtfpl|do what|free and|beer|cc0|creative|cc[- ]by|g?fdl|odbl|open d|upl|"
    r"mulan|public|asl|al2|apache|\w*bsd|mit|x11|ncsa|rail)(?:\b|[\dv_'’+])"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A licence named in characters `start` to `end` of a text."""

    licence: str
    start: int
    end: int


def licences_named(text: str) -> list[Name]:
    """The licences that a text names, in order; of two that overlap the longer one."""
    if _ANY.search(text) is None:
        return []
    found = [*_general_public(text)]
    for pattern, licence in _NAMES:
        # A group is the name, where another one before it tells that it is one.
        found += [
            Name(licence, *match.span(match.lastindex or 0)) for match in pattern.finditer(text)
        ]
    found.sort(key=lambda name: (name.start, -name.end))
    kept: list[Name] = []
    for name in found:
        if not kept or name.start >= kept[-1].end:
            kept.append(name)
    return kept


def _general_public(text: str) -> Iterator[Name]:
    for match in _GENERAL_PUBLIC.finditer(text):
        groups = match.groupdict()
        words = (groups["full"] or groups["short"]).lower()
        kind = "AGPL" if "affero" in words or "agpl" in words else ""
        kind = kind or ("LGPL" if re.search("lesser|library|lgpl", words) else "GPL")
        version = groups["version"] or groups["version2"]
        later = groups["later"] or groups["later2"]
        oldest = {"GPL": "1", "LGPL": "2", "AGPL": "3"}[kind]
        suffix = "or-later" if later or not version else "only"
        version = version or oldest
        version = version if "." in version else f"{version}.0"
        yield Name(f"{kind}-{version}-{suffix}", *match.span())
