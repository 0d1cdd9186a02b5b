"""How the notes look that producers of electronic books leave in them, as expressions.

Credits ("Produced by", with thanks to who gave the images), transcriber's notes and lists of
corrections in the languages that Project Gutenberg's proofreaders write them in, and bookmarks.
"""

from __future__ import annotations

import re

# A paragraph that names the project or its proofreaders is a notice, not the author's.
PROJECT = re.compile(
    r"Proje[ck]t\s+Gutenberg|Gutenberg(?:-tm)?\s+(?:Project|e-?text|e-?book)"
    r"|gutenberg\.(?:org|net)|ibiblio\.org/gutenberg|pglaf\.org|pgdp\.(?:net|org|ca)"
    r"|Distributed\s+Proofread|promo\.net/pg",
    re.IGNORECASE,
)
# Words for the file itself, which an author of a printed book does not use.
FILE = re.compile(
    r"\b(?:this|the|of|in)\s+(?:e-text|etext|e-?book)s?\b|\be-?text\s+(?:was|is|prepared|edition)"
    r"|livre\s+[\u00e9e]lectronique|elektronische[rns]?\s+(?:Buch|Text|Ausgabe)",
    re.IGNORECASE,
)
# One of these is in whatever either of the two finds; looking for them is several times faster.
HINTS = (
    *("gutenberg", "pglaf", "pgdp", "proofread", "promo.net"),
    *("etext", "e-text", "ebook", "e-book", "lectronique", "elektronische"),
)
# Who made the file: in front of a book or behind it. A title page may say the same of the book.
MADE_BY = re.compile(
    r"^\W*(?:(?:This|The)[ \t]+)?(?:(?:text|edition|(?:digital|updated)[ \t]+edition)[ \t]+)?"
    r"(?:was[ \t]+|is[ \t]+|has[ \t]+been[ \t]+|originally[ \t]+)*"
    r"(?:produced|prepared|created|scanned|proof-?ed|proof-?read|typed|keyed|digiti[sz]ed"
    r"|transcribed|OCR(?:ed|'d)?)"
    r"(?:[ \t]+(?:[\w',/&-]+[ \t]+){0,6}?by\b|[ \t]+from[ \t]+(?:the|images|page|a[ \t]+scan))"
    r"|^\W*(?:Produit|Pr\u00e9par\u00e9|Num\u00e9ris\u00e9)[ \t]+par\b",
    re.IGNORECASE,
)
# The same of a file, and thanks to who gave its images, which no title page has.
CREDIT = re.compile(
    r"^\W*(?:e-?text|e-?book)[ \t]+(?:prepared|produced|scanned|transcribed|editor|by|revised"
    r"|updated|edited|corrected|converted|entered)\b"
    r"|^\W*(?:Additional|Further)[ \t]+(?:editing|proof-?(?:ing|reading)|corrections?)[ \t]+by\b"
    r"|^\W*(?:The[ \t]+)?Internet[ \t]+Wiretap\b|^\W*Electronic[ \t]+Edition[ \t]+by\b"
    r"|\be-?text[ \t]+#\d"
    r"|^\W*(?:(?:text|html)[ \t]+)?(?:file|version)[ \t]+(?:was[ \t]+)?(?:produced|prepared|by)\b"
    r"|^\W*(?:Credits?|Etext[ \t]+editor'?s?[ \t]+notes?|Transcri(?:ber|bed[ \t]+by))[ \t]*:"
    r"|^\W*This[ \t]+file[ \t]+was[ \t]+(?:produced|created|made|first[ \t]+posted)\b"
    r"|^\W*This[ \t]+electronic[ \t]+(?:edition|text|version)[ \t]+(?:was|is|has)\b"
    r"|^\W*Note:[ \t]+(?:Images[ \t]+of|The[ \t]+original|This[ \t]+e-?(?:text|book))"
    r"|^\W*Nous[ \t]+remercions[ \t]+la[ \t]+Biblioth\u00e8que"
    r"|\bgallica\.bnf\.fr|\barchive\.org\b|\bThe[ \t\n]+Internet[ \t\n]+Archive\b"
    r"|images[ \t\n]+(?:of[ \t\n]+public[ \t\n]+domain|generously)|generously[ \t\n]+made[ \t\n]+"
    r"available|Google[ \t\n]+(?:Print|Books?)[ \t\n]+(?:project|Search)|books\.google\.",
    re.IGNORECASE,
)
_NOTES = (
    r"Transcri(?:ber|ption|ptor|bers)(?:'s|s'|\u2019s|s\u2019|s)?[ \t]+(?:end[ \t-]?|foot)?"
    r"(?:notes?|comments?|remarks?|corrections?|errata)"
    r"|(?:Transcriber|Redactor|Preparer|Digitizer|Proofreader|Producer|E-?text[ \t]+editor"
    r"|E-?book[ \t]+editor)(?:'s|s'|\u2019s|s\u2019|s)[ \t]+(?:notes?|comments?)"
    r"|Notes?[ \t]+(?:by|from)[ \t]+the[ \t]+(?:transcriber|digiti[sz]er|e-?text)"
    r"|Notes?[ \t]+(?:about|on|to)[ \t]+(?:the|this)[ \t]+(?:e-?text|e-?book|transcription)"
    r"|Comments[ \t]+on[ \t]+the[ \t]+preparation[ \t]+of[ \t]+the[ \t]+e-?text"
    r"|Information[ \t]+about[ \t]+this[ \t]+e-?text|Executive[ \t]+Director's[ \t]+notes"
    r"|(?:E-?text|E-?book|PG)[ \t]+editor(?:'s|\u2019s)[ \t]+bookmarks"
    r"|Notes?[ \t]+(?:du|de[ \t]+la|sur[ \t]+la|de)[ \t]+transcri\w+"
    r"|Anmerkung(?:en)?[ \t]+(?:zur|der|des)[ \t]+(?:Transkription|Transkriptor\w*|Bearbeiter\w*)"
    r"|Opmerkingen?[ \t]+van[ \t]+de[ \t]+(?:bewerker|transcribent)"
    r"|Nota[ \t]+(?:del[ \t]+trascrittore|di[ \t]+trascrizione|de[ \t]+(?:editor|transcri\w+))"
    r"|Notas?[ \t]+del?[ \t]+transcriptor"
    r"|Errata[ \t]+\(?noted[ \t]+by[ \t]+(?:the[ \t]+)?transcriber\)?"
    r"|Huomautuksia[ \t]+s\u00e4hk\u00f6iseen|Transkriberingsanm\u00e4rkningar"
    r"|List[ \t]+of[ \t]+corrections[ \t]+by[ \t]+the[ \t]+transcriber"
)
# A paragraph that is, or begins with, the heading of the producers' notes; also inside a box.
NOTE_HEADING = re.compile(rf"^[\W_]*(?:{_NOTES})", re.IGNORECASE)
# The same standing alone, so that what it heads comes in the next paragraphs.
BARE_NOTE_HEADING = re.compile(rf"^[\W_]*(?:{_NOTES})[^\n\w]*$", re.IGNORECASE)
NOTE_END = re.compile(rf"^[\W_]*End[ \t]+(?:of[ \t]+)?(?:the[ \t]+)?(?:{_NOTES})", re.IGNORECASE)
# Headings of authors as well as of producers: what follows decides (`EDITING`).
DOUBTFUL_HEADING = re.compile(
    r"^[\W_]*(?:Errata|Corrigenda|Corrections?(?:[ \t]+made[^\n]{0,40})?"
    r"|Erreurs[ \t]+corrig\u00e9es"
    r"|(?:List[ \t]+of[ \t]+)?(?:Typographical[ \t]+)?errors(?:[ \t]+corrected[^\n]{0,40})?"
    r"|(?:List[ \t]+of[ \t]+)?(?:changes|corrections|alterations|emendations)(?:[ \t]+made)?"
    r"|Note[ \t]+to[ \t]+the[ \t]+reader|To[ \t]+the[ \t]+reader|Au[ \t]+lecteur"
    r"|Aan[ \t]+den?[ \t]+lezer|An[ \t]+den[ \t]+Leser|Al[ \t]+lettore|Al[ \t]+lector)[^\n\w]*$",
    re.IGNORECASE,
)
# What is said of a file made after a printed book; and what also an editor says, now and then.
EDITING = re.compile(
    r"\be-text|\betexts?\b|\be-?books?\b|\butf-8\b|\blivre\s+\u00e9lectronique"
    r"|\bDistributed\s+Proofread|\belektronische[rns]?\s+(?:Text|Buch|Ausgabe)",
    re.IGNORECASE,
)
PERHAPS_EDITING = re.compile(
    r"\btranscriber|\btranscription\b|\bscann(?:ed|ing)\b"
    r"|\b(?:text|original|book|edition)[ \t\n]+(?:has|had|reads?|text|shows|unchanged)\b"
    r"|\b(?:shown|left|kept|retained)[ \t\n]+as[ \t\n]+(?:printed|in[ \t\n]+the[ \t\n]+original)"
    r"|spelling[ \t\n]+(?:unchanged|retained|has[ \t\n]+been)|\btypos?\b|typograph\w+"
    r"|(?:corrected|changed|amended)[ \t\n]+to\b|(?:was|were|been)[ \t\n]+(?:silently[ \t\n]+)?"
    r"(?:corrected|changed|replaced|amended|regularized)|replaced[ \t\n]+(?:by|with)\b"
    r"|punctuation[ \t\n]+(?:missing|invisible)|(?:missing|invisible)[ \t\n]+(?:in|from|or)\b"
    r"|remplac\u00e9e?[ \t\n]+par|mise?[ \t\n]+en[ \t\n]+italique|texte[ \t\n]+en[ \t\n]+"
    r"(?:italique|gras)|ge\u00e4ndert[ \t\n]+(?:in|zu)|gewijzigd[ \t\n]+in"
    r"|(?:italic|bold)s?[ \t\n]+(?:text|type|font|words)|underscores?|\bhyphenat\w+"
    r"|variant[ \t\n]+spellings?",
    re.IGNORECASE,
)
# What only who makes a file on a computer says of a text, in any paragraph in front of it.
ELECTRONIC = re.compile(
    r"\b(?:utf-8|ascii|html|midi|unicode|8-bit|underscores?|OCR|scann(?:ed|ing))\b"
    r"|\bIBM[ \t\n]+cards?|electronic[ \t\n]+(?:text|edition|version|book)|online[ \t\n]+edition"
    r"|obvious[ \t\n]+(?:typ(?:o|ograph)\w*|printer\W?s\W?|errors|spelling|punctuation)"
    r"|(?:listed|following)[ \t\n]+errata|\btranscriber\b|~[^~\n]{1,40}~"
    r"|substituted[ \t\n][^.]{0,60}\bsymbol"
    r"|(?:italics?|bold|small[ \t\n]+caps?|greek)[ \t\n](?:[^.\n]{0,40}[ \t\n])?"
    r"(?:indicated|represented|marked|denoted|shown|enclosed|surrounded)\b",
    re.IGNORECASE,
)
# An address of somebody who made a file; nobody had one when the books were written.
E_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|<[\w.+-]+@[^>\s]+>")
# Small words between the names in a line of credits; a sentence has others.
CREDIT_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a additional an and anonymous archive at available by character copy corrected de del
        den der des di digital digitized distributed du e ebook edited edition email et etext
        file files first for formatted from generously help html http https image images in
        internet is it la le les libraries library made mail many net of on online optical org
        original other others page pages prepared printed produced project proofed proofread
        proofreader proofreaders proofreading provided recognition scan scanned scanning scans
        second team teams text the this to transcribed typed und university van version
        versions volunteer volunteers von was with www
        """,
    )
)
# Opens a note in brackets, which may go on over paragraphs.
BRACKETED_NOTE = re.compile(
    rf"[\[{{][\s_*]*(?:{_NOTES}|Transcriber\b|(?:Note[ \t]+)?Project[ \t]+Gutenberg"
    r"|This[ \t]+(?:text[ \t]+uses|e-?text\b|e-?book\b|file[ \t]+(?:was|uses|contains))"
    r"|The[ \t]+rest[ \t]+of[ \t][^\[\]]{1,60}[ \t]forthcoming"
    r"|E-?text\b|Updater(?:'s|\u2019s)[ \t]+note"
    r"|NOTE:[ \t]+There[ \t]+is[ \t]+a[ \t]+short[ \t]+list|The[ \t]+end[ \t]+of[ \t]+e-?text)",
    re.IGNORECASE,
)
BOX = re.compile(r"^[ \t]*[|+][^\n]*(?:\n[ \t]*[|+][^\n]*)*$")
# With these a part of the book begins, behind notes that stand in front of it.
BOOK_HEADING = re.compile(
    r"^\W*(?:Index|Footnotes?|Appendi(?:x|ces)|The[ \t]+end|Finis|Advertisements?|Glossary"
    r"|Contents|Bibliography|Chapter|Book|Part|Volume|Preface|Introduction|Act|Canto"
    r"|By[ \t]+the[ \t]+same)\b",
    re.IGNORECASE,
)
