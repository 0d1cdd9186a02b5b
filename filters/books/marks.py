"""Project Gutenberg's markers around books since 1971: four generations of headers and footers."""

from __future__ import annotations

import re

_LINE = re.IGNORECASE | re.MULTILINE
_OF_PROJECT = r"OF[ \t]+(?:(?:THE|THIS)[ \t]+)?(?:COPYRIGHTED[ \t]+)?PROJECT[ \t]+GUTENBERG"
# A marker may go on over lines until one that ends with an asterisk.
_REST = r"[^\n]*(?:(?<!\*)\n(?![ \t]*\n)[^\n]+){0,3}?\*[ \t]*$"

# After one of these the book begins.
START = re.compile(rf"^[ \t]*\*+[ \t]*START[ \t]+{_OF_PROJECT}(?:{_REST}|[^\n]*$)", _LINE)
SMALL_PRINT_END = re.compile(
    r"^[ \t]*\*+[ \t]*END[ \t]*\*?[ \t]*(?:THE[ \t]+)?SMALL[ \t]+PRINT" rf"(?:{_REST}|[^\n]*$)",
    _LINE,
)
# A notice on the small print itself, right behind its end.
HEADER_NOTICE = re.compile(
    r"\s{0,20}[\[(][ \t]{0,9}Portions[ \t]+of[ \t]+this[^\[\]()]{0,60}header[^\[\]]{0,2000}[\])]",
    re.IGNORECASE,
)
# Before one of these it ends.
END = re.compile(
    r"^[ \t*]{0,80}(?:"
    rf"(?:This[ \t]+is[ \t]+)?(?:The[ \t]+)?END[ \t]+{_OF_PROJECT}"
    r"|(?:Ende|Fin|Fine|Fim|Einde|Slut|Slutt|Loppu|End)\b[^\n]{0,70}\bProje[ck]t[ \t]*Gutenberg"
    r"|(?:End[ \t]+of[ \t]+(?:this|the)|Ende[ \t]+dieses)[ \t]+e-?(?:text|book)(?:es|s)?\b"
    r"|Ce[ \t]+document[ \t]+fut[ \t]+pr[e\u00e9]sent[e\u00e9][ \t]+en[ \t]+lecture"
    r"|START[ \t]*\*+[ \t]*(?:THE[ \t]+)?SMALL[ \t]+PRINT"
    r"|(?:This[ \t]+)?file[ \t]+should[ \t]+be[ \t]+named[ \t][^\n]{1,60}\.(?:txt|zip)"
    r"|START:[ \t]+FULL[ \t]+LICEN[SC]E"
    r"|THE[ \t]+FULL[ \t]+PROJECT[ \t]+GUTENBERG[ \t]+LICEN[SC]E"
    r"|Updated[ \t]+editions[ \t]+will[ \t]+replace[ \t]+the[ \t]+previous"
    r"|Section[ \t]+1\.[ \t]+General[ \t]+Terms[ \t]+of[ \t]+Use"
    r")",
    _LINE,
)

# Whose text has one of these is a file of Project Gutenberg's, whatever is left of its header.
GUTENBERG = re.compile(
    r"\*[ \t]*(?:START|END)[ \t]+(?:OF[ \t]+)?(?:THIS[ \t]+|THE[ \t]+)?"
    r"(?:PROJECT[ \t]+GUTENBERG|SMALL[ \t]+PRINT)"
    r"|^[ \t*]{0,80}(?:This[ \t]+is[ \t]+)?(?:The[ \t]+|A[ \t]+)?Project[ \t]+Gutenberg"
    r"(?:'s|\u2019s)?[ \t]+(?:e-?text|e-?book)\b"
    r"|\*END\*[ \t]*THE[ \t]+SMALL[ \t]+PRINT",
    _LINE,
)

PUBLIC_DOMAIN = re.compile(
    r"FOR[ \t]+PUBLIC[ \t]+DOMAIN|\"public[ \t]+domain\"[ \t]+work"
    r"|no\s+one\s+owns\s+a\s+United\s+States\s+copyright|from\s+public\s+domain\s+print\s+editions"
    r"|not\s+protected\s+by\s+U\.S\.\s+copyright",
    re.IGNORECASE,
)
COPYRIGHTED = re.compile(
    r"\bCOPYRIGHTED[ \t]+Project[ \t]+Gutenberg|FOR[ \t]+COPYRIGHT[ \t]+PROTECTED"
    r"|follow[ \t]+the[ \t]+copyright[ \t]+guidelines[ \t]+in[ \t]+this[ \t]+file"
    r"|still[ \t]+(?:in|under)[ \t]+copyright|Creative[ \t]+Commons[ \t]+(?:Attribution|Licen)",
    re.IGNORECASE,
)
COPYRIGHT_YEAR = re.compile(
    r"(?:\bcopyright\b|\u00a9|\(c\))[^\n]{0,60}?\b((?:19|20)\d\d)\b", re.IGNORECASE
)
