"""What Project Gutenberg's volunteers put around books since 1971, as expressions and phrases.

Described from the files themselves: the markers of four generations of headers and footers, the
sentences of the licences, and the notes that producers leave at both ends of a text.
"""

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

# Sentences of the licences and headers, in lower case with single spaces. None of them is ever left
# in a book.
LICENCE_PHRASES = (
    "start of the project gutenberg",
    "start of this project gutenberg",
    "end of the project gutenberg",
    "end of this project gutenberg",
    "end of project gutenberg",
    "is for the use of anyone anywhere",
    "copy it, give it away or re-use it",
    "small print! for",
    "the small print!",
    '"small print!"',
    "this header should be the first thing seen",
    "do not change or edit the header without",
    "take a look at the important information in this header",
    "free plain vanilla electronic texts",
    "readable by both humans and by computers",
    "copyright laws are changing all over the world",
    "corrected editions of our e",
    "we are now trying to release all our",
    "the official release date of all project gutenberg",
    "we need your donations",
    "general terms of use and redistributing",
    "full project gutenberg",
    "gutenberg literary archive",
    "gutenberg association",
    "gutenberg-tm",
    "gutenberg\u2122",
    "no one owns a united states copyright",
    "from public domain print editions",
    "from print editions not protected by u.s. copyright",
    "updated editions will replace the previous one",
    "right of replacement or refund",
    "limited warranty; disclaimer of damages",
    "disclaims all liability to you",
    "otherwise provided to you",
    "you will indemnify and hold",
    "you have no remedies for negligence",
    "of the gross profits you derive",
    "set forth in the general terms of use",
    "not located in the united states, you",
    "most people start at our web",
    "newsletter to hear about new ebooks",
)

# Whose text has one of these is a file of Project Gutenberg's, whatever is left of its header.
GUTENBERG = re.compile(
    r"\*[ \t]*(?:START|END)[ \t]+(?:OF[ \t]+)?(?:THIS[ \t]+|THE[ \t]+)?"
    r"(?:PROJECT[ \t]+GUTENBERG|SMALL[ \t]+PRINT)"
    r"|Project[ \t]+Gutenberg(?:'s|\u2019s)?[ \t]+(?:e-?text|e-?book)"
    r"|\*END\*[ \t]*THE[ \t]+SMALL[ \t]+PRINT"
    r"|^[ \t*]{0,20}(?:The[ \t]+)?Project[ \t]+Gutenberg(?:'s|\u2019s)[ \t]",
    _LINE,
)

# A paragraph that names the project or its proofreaders is a notice, not the author's.
NOTICE = re.compile(
    r"Project\s+Gutenberg|Gutenberg\s+(?:Project|e-?text|e-?book)|gutenberg\.(?:org|net)|pglaf\.org"
    r"|pgdp\.net|Distributed\s+Proofread|promo\.net/pg|Proje[ck]t\s+Gutenberg",
    re.IGNORECASE,
)
# Who made the file: at the beginning or the end of a text.
_BY = r"(?:[\w',/&-]+[ \t]+){0,6}?by\b"
CREDIT = re.compile(
    r"^\W*(?:(?:This|The)[ \t]+)?(?:(?:e-?text|e-?book|file|html[ \t]+version|text|edition"
    r"|digital[ \t]+edition|updated[ \t]+edition)[ \t]+)?(?:was[ \t]+|is[ \t]+|originally[ \t]+)*"
    r"(?:produced|prepared|created|scanned|proof-?ed|proof-?read|typed|keyed|digiti[sz]ed"
    r"|transcribed|OCR(?:ed|'d)?|HTML[ \t]+version)"
    rf"(?:[ \t]+{_BY}|[ \t]+from[ \t]+(?:the|images|page|a[ \t]+scan))"
    r"|^\W*(?:e-?text|e-?book)[ \t]+(?:prepared|produced|scanned|transcribed|editor|by)\b"
    r"|^\W*(?:Credits?|Etext[ \t]+editor'?s?[ \t]+notes?):"
    r"|^\W*This[ \t]+file[ \t]+was[ \t]+(?:produced|first[ \t]+posted)"
    r"|^\W*Note:[ \t]+(?:Images[ \t]+of|The[ \t]+original|This[ \t]+e-?(?:text|book))"
    r"|^\W*[^\n]{0,80}\n?[^\n]{0,80}(?:Internet|Online)\s+Distributed\s+Proofread",
    re.IGNORECASE,
)
_NOTE_NAMES = (
    r"Transcri(?:ber|ption|ptor|bers)(?:'s|s'|\u2019s|s\u2019|s)?[ \t]+(?:end[ \t-]?)?"
    r"(?:notes?|comments?|remarks?|corrections?)"
    r"|Notes?[ \t]+by[ \t]+the[ \t]+transcriber"
    r"|Notes?[ \t]+(?:du|de[ \t]+la|sur[ \t]+la|de)[ \t]+transcri\w+"
    r"|Anmerkung(?:en)?[ \t]+(?:zur[ \t]+Transkription|de[rs][ \t]+Bearbeiter\w*)"
    r"|Opmerkingen[ \t]+van[ \t]+de[ \t]+bewerker|Nota[ \t]+del[ \t]+trascrittore"
    r"|Notas?[ \t]+del?[ \t]+transcriptor|ERRATA[ \t]+\(noted[ \t]+by[ \t]+transcriber\)"
    r"|List[ \t]+of[ \t]+corrections[ \t]+by[ \t]+the[ \t]+transcriber"
)
# A paragraph that is, or begins with, the heading of the producers' notes; also inside a box.
NOTE_HEADING = re.compile(rf"^[\W_]*(?:{_NOTE_NAMES})", re.IGNORECASE)
# Opens a note in brackets, which may go on over paragraphs.
BRACKETED_NOTE = re.compile(
    rf"\[[\s_*]*(?:{_NOTE_NAMES}|Transcriber\b|(?:Note[ \t]+)?Project[ \t]+Gutenberg"
    r"|This[ \t]+(?:text[ \t]+uses|e-?text\b|e-?book\b|file[ \t]+(?:was|uses|contains))"
    r"|E-?text\b|Updater(?:'s|\u2019s)[ \t]+note)",
    re.IGNORECASE,
)
NOTE_WORDS = re.compile(
    r"transcri(?:ber|ption)|typographical[ \t]+errors|obvious[ \t]+(?:printer|typo|error)",
    re.IGNORECASE,
)
BOX = re.compile(r"^[ \t]*[|+][^\n]*(?:\n[ \t]*[|+][^\n]*)*$")

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
