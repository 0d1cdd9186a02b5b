"""Whether anything of a Project Gutenberg licence or header is in a text.

Each licence of the project (the small prints of 1991 to 2003, the full licence since) and each
header is covered paragraph by paragraph: one phrase at least of every paragraph is below, so that a
part of one does not get through either. Texts are compared as plain words, so that line breaks,
boxes, quotation marks, emphasis and characters without width do not hide anything.
"""

from __future__ import annotations

import re

# Words of the licences and headers that no author writes.
LICENCE_PHRASES = (
    # Headers
    "start of the project gutenberg",
    "start of this project gutenberg",
    "end of the project gutenberg",
    "end of this project gutenberg",
    "end of project gutenberg",
    "is for the use of anyone anywhere",
    "copy it give it away or re use it",
    "at no cost and with almost no restrictions",
    "at no cost and with very few restrictions",
    "not located in the united states you",
    "associated files of various formats will",
    "this header should be the first thing seen",
    "do not change or edit the header",
    "legal small print and other information",
    "important information in this header",
    "restrictions in how the file may be used",
    "tells you about restrictions in how",
    "free plain vanilla electronic texts",
    "readable by both humans and by computers",
    "ebooks readable by both humans",
    "prepared by thousands of volunteers",
    "prepared by hundreds of volunteers",
    "changing all over the world be sure to check",
    "check the copyright laws for your country",
    "encouraged to keep this file on your own disk",
    "corrected editions of our e",
    "separate sources get new letter",
    "sources get new letter number",
    "we are now trying to release all our",
    "official release date of all project",
    "preliminary version may often be posted",
    "neither this listing nor its contents are final",
    "follow the copyright guidelines in this file",
    "this is a copyrighted project gutenberg",
    "we need your donations",
    "portions of this header are copyright",
    "reprinted only when these e",
    "may not be used in any sales of project",
    # What stood between a header and its small print
    "we produce about two million dollars",
    "fifty hours is one conservative estimate",
    "conservative estimate is fifty hours",
    "our projected audience is one hundred million",
    "give away one trillion e",
    "of the present number of computer users",
    "expected number of computer users",
    "can t reach project gutenberg you can",
    "award winning information about project",
    "download any etext before announcement",
    "download any ebook before announcement",
    "prepared by the project gutenberg legal",
    "when all other email fails",
    "would prefer to send you this information by",
    "would prefer to send you information by",
    "all other else fails try our executive director",
    "ftp directly to the project",
    "anonymous password your login",
    "0index gut",
    "new gut for general information",
    "mail to michael s hart",
    "only being solicited from people in",
    "contributions are being solicited from people",
    "now but these are the only ones that have",
    "fund raising will begin in the additional",
    "various questions we have received on this",
    "legally request donations in all",
    "cannot solicit donations from people in states",
    "international donations are accepted but",
    "donations by check or money order may be sent",
    "wire transfer or payment method other than",
    "up to date donation information",
    "hart will answer or forward",
    "first five letters of the filename",
    "briefest record of our progress",
    "64 6221541",
    "1739 university ave",
    "champaign il 61825",
    "hart pobox com",
    "vmd cso uiuc edu",
    "illinois benedictine college",
    # Small prints
    "small print for public domain",
    "small print for copyright",
    "small print for complete",
    "the small print why is this",
    "start the small print",
    "end the small print",
    "this small print statement",
    "here you know lawyers they tell us",
    "tell us you might sue us",
    "disclaims most of our liability",
    "if you received this etext on a physical medium",
    "by using or reading any part of this",
    "receive a refund of the money if any",
    "to create these etexts",
    "to create these ebooks",
    "they may be on may contain defects",
    "discover a defect in this etext",
    "discover a defect in this ebook",
    "you have no remedies for negligence",
    "disclaims all liability to you",
    "otherwise provided to you",
    "otherwise is provided to you as is",
    "choose to alternatively give you",
    "some states do not allow disclaimers of",
    "you will indemnify and hold michael",
    "you will indemnify and hold the project",
    "agree to indemnify and hold the foundation",
    "alteration modification or addition to the etext",
    "alteration modification or additions or deletions to any",
    "distribute copies of this etext",
    "distribute copies of this ebook",
    "only give exact copies of it",
    "characters other than those intended by the author",
    "readily converted by the reader at no expense",
    "in its original plain ascii form",
    "refund and replacement provisions of this",
    "of the gross profits you derive",
    "what if you want to send money even",
    "royalty free copyright licenses",
    "money should be paid to the project",
    "by charles b kramer attorney",
    "gutenberg trademark to market any",
    "before you use or read this etext",
    "before you use or read this ebook",
    "pay a trademark license fee",
    "only if you derive such profits",
    # The full licence, in its order
    "updated editions will replace the previous one",
    "the old editions will be renamed",
    "from public domain print editions",
    "from print editions not protected by u s copyright",
    "no one owns a united states copyright",
    "set forth in the general terms of use",
    "for nearly any purpose such as creation of",
    "full project gutenberg",
    "start full license",
    "start full licence",
    "before you distribute or use this work",
    "general terms of use and redistributing",
    "return or destroy all copies",
    "from the person or entity to whom you paid",
    "associated in any way with an electronic work",
    "a compilation copyright in the collection",
    "copyright laws of the place where you are located",
    "concerning the copyright status of any work",
    "unless you have removed all references to",
    "active links or immediate access to",
    "derived from the public domain does not contain",
    "derived from texts not protected by",
    "electronic work is posted with",
    "do not unlink or detach",
    "redistribute this electronic work",
    "nonproprietary or proprietary form",
    "for access to viewing displaying",
    "charge a reasonable fee for copies",
    "you pay a royalty fee of 20",
    "notifies you in writing or by e mail",
    "full refund of any money paid for a work",
    "full refund of any money paid by a user",
    "all other terms of this agreement for",
    "if you wish to charge a fee or distribute",
    "expend considerable effort to identify",
    "effort to identify do copyright research",
    "efforts to identify transcribe and proofread",
    "right of replacement or refund",
    "limited warranty disclaimer of damages",
    "a defect in this electronic work",
    "interpreted to make the maximum disclaimer",
    "shall not void the remaining provisions",
    "synonymous with the free distribution",
    "widest variety of computers",
    "volunteers and financial support to provide",
    "501 c 3 educational corporation",
    "809 north 1500 west",
    "4557 melan",
    "email contact links and up to date",
    "gregory b newby",
    "gbnewby",
    "widespread public support and donations",
    "regulating charities and charitable donations",
    "solicit contributions from states",
    "international donations are gratefully",
    "donation methods and addresses",
    "donation methods addresses",
    "loose network of volunteer support",
    "compliance with any particular paper edition",
    "most people start at our web",
    "main pg search facility",
    "newsletter to hear about new ebooks",
    "subdirectory of the same number as the e",
    "ebooks posted prior to november 2003",
    "ebooks posted since november 2003",
    "org gutenberg etext",
    "alternative method of locating e",
    # Names
    "gutenberg literary archive",
    "project gutenberg association",
    "gutenberg tm",
    "gutenberg of australia",
    "project gutenberg canada",
    "gutenberg consortia",
    # ABU, whose French texts the project took over
    "conservez cet en t te si vous redistribuez",
    "conservez cet entete si vous redistribuez",
    "conservez cet en tete si vous redistribuez",
    # What a giver of texts put into each play of Shakespeare
    "prohibited commercial distribution",
    "service that charges for download time",
)
# The project and its sites; a book of anybody else's may name them.
PROJECT_NAMES = (
    "project gutenberg",
    "projekt gutenberg",
    "gutenberg org",
    "gutenberg net",
    "gutenberg etext",
    "gutenberg ebook",
    "pglaf",
    "pgdp",
    "distributed proofread",
)
# Lines of a header that are known by their form.
_HEADER_LINE = re.compile(
    r"\[[ \t]*e-?(?:text|book)[ \t]*(?:#|No\.?|Number)[ \t]*\d{1,6}[ \t]*\]"
    r"|^[ \t*]*Character set encoding:[ \t]*\S"
    r"|^[ \t*]*(?:This )?file should be named[ \t][^\n]{1,60}\.(?:txt|zip)",
    re.IGNORECASE | re.MULTILINE,
)
# Characters quoted on both sides of a phrase, for the reject's detail only.
_CONTEXT = 60
# Soft hyphen, zero width spaces and joiners, byte order mark: nothing is seen of them.
_UNSEEN = "\xad\u200b\u200c\u200d\u2060\ufeff"
# ASCII letters to lower case and digits as they are; anything else is between words.
_WORDS = bytes(
    byte if chr(byte).isdigit() or chr(byte).islower() else ord(" ")
    for byte in bytes(range(128)).lower()
).ljust(256)


def find_licence(text: str, *, names: bool) -> str:
    """What of a licence is in a text, with the words around it; empty if there is nothing.

    Args:
        text: of a book.
        names: whether the project's very name counts, too.
    """
    if line := _HEADER_LINE.search(text):
        return line[0].strip()
    words = plain_words(text)
    for phrase in (*LICENCE_PHRASES, *(PROJECT_NAMES if names else ())):
        position = words.find(f" {phrase}")
        if position >= 0:
            start = words.rfind(" ", 0, max(1, position - _CONTEXT))
            return words[start : position + _CONTEXT].strip()
    return ""


def plain_words(text: str) -> str:
    """The words of a text in lower case, with a space in front of each and at the end.

    Letters beyond ASCII are left out; no phrase has any.
    """
    if not text.isascii():
        for character in _UNSEEN:
            text = text.replace(character, "")
    words = text.encode("ascii", "replace").translate(_WORDS).split()
    return f" {b' '.join(words).decode('ascii')} "
