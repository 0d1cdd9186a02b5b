"""Takes bibliographies out of the output, each from its beginning to its end.

A command that prints one (`\\bibliography{x}`) is all there is of it; an environment ends at its
`\\end{...}`; one that is typed below a heading, or whose entries stand bare, ends at the next
section, or where a group ends that was open before it; figures and tables in it stay. What comes
behind stays too. The places are kept in the output as `MARK`, which `Paper` turns into numbers.
"""

from __future__ import annotations

import re

from filters.latex.balance import Opened, closers
from filters.latex.expander import Expander, Handler
from filters.latex.front_matter import Marks

# Stands where a bibliography was; no decoded text holds this character.
MARK = "\0"

_ENVIRONMENTS = (
    *("thebibliography", "references", "REFERENCES", "chapthebibliography", "bibdiv", "biblist"),
)
_COMMANDS = ("\\bibliography", "\\printbibliography", "\\printreferences", "\\putbib", "\\bibinput")
# IOP's `\\References` is followed by bare entries.
_OPEN_BEGINS = ("\\bibitem", "\\References")
_OPEN_ENDS = ("\\endrefs", "\\endRefs", "\\endreferences")
_FLOATS = tuple(
    name + star
    for name in ("figure", "table", "sidewaysfigure", "sidewaystable", "wrapfigure")
    for star in ("", "*")
)
# Removed with their argument.
_GONE_WITH_ARGUMENT = ("\\bibliographystyle", "\\nocite", "\\addbibresource")

# What only leads up to a bibliography: type, spacing, page breaks, groups and boxes opened for it.
_LAYOUT = (
    r"(?:\s|(?<!\\)\{|\\(?:tiny|scriptsize|footnotesize|small|normalsize|begingroup|bgroup|newpage"
    r"|clearpage|cleardoublepage|pagebreak|raggedright|sloppy|vfill|bigskip|medskip|smallskip"
    r"|balance|onecolumn|twocolumn|frenchspacing|singlespacing|phantomsection)(?![a-zA-Z])"
    r"|\\addcontentsline(?:\s*\{[^{}]*\}){3}|\\[vh]space\*?\{[^{}]*\}"
    r"|\\(?:setlength|addtolength)\s*\{?\\\w+\}?\s*\{[^{}]*\}"
    r"|\\begin\{(?:tiny|scriptsize|footnotesize|small|center|flushleft|multicols|spacing"
    r"|singlespace|singlespacing|onehalfspace)\}(?:\{[^{}]*\})?)"
)
_LEADS_UP = re.compile(_LAYOUT + r"+\Z")
_ENDS_AFTER = re.compile(rf"(?:{_LAYOUT}|\}}|\\(?:endgroup|egroup|printindex)(?![a-zA-Z]))+")
_HEADING = re.compile(
    r"(?<=\n)[ \t]*(?:\\(?:centerline|noindent|leftline|text(?:bf|sc)|(?:begin|end)\{center\}"
    r"|[lL]arge|LARGE|bf|sc|rm|bfseries|normalsize|section\*?)(?![a-zA-Z])|[{}\s])*"
    r"([a-zA-Z][a-zA-Z \t]{8,30}[a-zA-Z])[.:]?(?:\\end\{center\}|\\\\|\\par(?![a-zA-Z])|[}\s])*\Z"
)
# Characters; bounds time: what is dropped in front of a bibliography is a heading and spacing.
_LOOK_BACK = 400
_LAST_TOKENS = 30


class Bibliography:
    """The bibliographies of one paper.

    Attributes:
        opened: what was cut off that a later part of the text closes.
        characters: how many were taken out.
    """

    def __init__(self, expander: Expander, marks: Marks, titles: tuple[str, ...]) -> None:
        self._expander = expander
        self._marks = marks
        self._titles = titles
        # Where what is taken out begins in the output, and the environment whose end ends it.
        self._begin: int | None = None
        self._environment = ""
        self._in_float = False
        self._is_behind = False
        self.opened = Opened()
        self.characters = 0

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            **dict.fromkeys(_COMMANDS, self._command),
            **dict.fromkeys(_OPEN_BEGINS, self._open_begin),
            **dict.fromkeys(_OPEN_ENDS, self._open_end),
            **dict.fromkeys((f"\\begin{{{name}}}" for name in _ENVIRONMENTS), self._begin_list),
            **dict.fromkeys((f"\\end{{{name}}}" for name in _ENVIRONMENTS), self._end_list),
            **dict.fromkeys((f"\\begin{{{name}}}" for name in _FLOATS), self._begin_float),
            **dict.fromkeys((f"\\end{{{name}}}" for name in _FLOATS), self._end_float),
            **dict.fromkeys(_GONE_WITH_ARGUMENT, self._gone_with_argument),
        }

    def amstex_handlers(self) -> dict[str, Handler]:
        """The names that mean a bibliography in AMS-TeX only."""
        return {"\\Refs": self._open_begin}

    def harvmac_handlers(self) -> dict[str, Handler]:
        """The names that mean a bibliography in harvmac only."""
        return {
            **dict.fromkeys(("\\lref", "\\nref", "\\ref"), self._reference),
            "\\listrefs": self._command,
        }

    def begin(self) -> None:
        """A bibliography begins here that ends at the next section."""
        self._start("")

    def section(self, *, is_minor: bool) -> None:
        """A section begins: what is behind a bibliography is text again.

        Args:
            is_minor: whether it may be a heading inside a list of references.
        """
        if self._begin is not None and not (self._environment and is_minor):
            self.end()
        if self._is_behind:
            self._strip_end()
            self._expander.out.append("\n\n")
            self._is_behind = False

    def end(self) -> None:
        """Take out what was read since the bibliography began."""
        self.end_of(self._expander.out)

    def end_of(self, out: list[str]) -> None:
        """Take what was read since the bibliography began out of the output."""
        begin = self._begin
        if begin is None:
            return
        self._begin, self._environment = None, ""
        begin = min(begin, len(out))
        closer = next(closers(out[begin:]), None)
        end = len(out) if closer is None else begin + closer
        self.characters += sum(map(len, out[begin:end]))
        out[begin:end] = [MARK]
        self._expander.scope.cut(begin)
        self._is_behind = closer is None

    def drop_layout_behind(self, out: list[str]) -> None:
        """Behind the last bibliography, what only sets type goes if there is nothing else."""
        start = max(0, len(out) - _LAST_TOKENS)
        if MARK not in out[start:]:
            return
        behind = len(out) - out[::-1].index(MARK)
        if _ENDS_AFTER.fullmatch("".join(out[behind:])):
            out[behind:] = [out[behind + index] for index in closers(out[behind:])]

    def restart(self) -> None:
        """The document begins: what was read before is no part of it."""
        self._begin, self._environment, self._in_float = None, "", False
        self._is_behind = False
        self.characters = 0

    def _is_apart(self, token: str) -> bool:
        """Whether this is a text for itself (a title, a style file): the token stays."""
        if self._expander.nesting == 1:
            return False
        self._expander.out.append(token)
        return True

    def _start(self, environment: str) -> None:
        marks = self._marks
        if self._begin is not None:
            # The list below a heading: with it, the bibliography ends.
            self._environment = self._environment or environment
            return
        out = self._expander.out
        self._drop_what_leads_up()
        self._strip_end()
        self._expander.scope.cut(len(out))
        if marks.back is None:
            marks.back = len(out)
        self._begin, self._environment = len(out), environment

    def _command(self, token: str) -> None:
        if self._is_apart(token):
            return
        reader = self._expander.reader
        while reader.optional() is not None:
            pass
        if token != "\\listrefs":
            reader.group()
        if self._marks.begun and not self._environment:
            self._start("")
            self.end()
            self._after()

    def _after(self) -> None:
        """What follows a bibliography is a paragraph of its own."""
        reader = self._expander.reader
        following = reader.peek()
        if self._is_behind and following and following[0] not in "\\{}" and following.strip():
            reader.next()
            reader.push_text(following.lstrip())
            self._expander.out.append("\n\n")
            self._is_behind = False

    def _strip_end(self) -> None:
        """White space at the output's end goes."""
        out = self._expander.out
        if out and out[-1][0] != "\\" and (rest := out[-1].rstrip()) != out[-1]:
            out[-1:] = [rest] if rest else []

    def _open_begin(self, token: str) -> None:
        if not self._is_apart(token) and self._marks.begun:
            self._start("")
            self._expander.out.append(token)

    def _open_end(self, token: str) -> None:
        if self._begin is None:
            self._expander.out.append(token)
        elif not self._environment:
            self.end()

    def _begin_list(self, token: str) -> None:
        if self._is_apart(token):
            return
        if self._marks.begun:
            self._start(token[len("\\begin{") : -1])
            self._expander.out.append(token)

    def _end_list(self, token: str) -> None:
        if self._is_apart(token):
            return
        if self._begin is not None:
            self._expander.out.append(token)
        if token[len("\\end{") : -1] == self._environment:
            self.end()
            self._after()

    def _begin_float(self, token: str) -> None:
        """A figure in a bibliography that is typed by hand: it stays."""
        if self._begin is not None and not self._environment and self._expander.nesting == 1:
            self.end()
            self._expander.out.append("\n\n")
            self._is_behind, self._in_float = False, True
        self._expander.out.append(token)

    def _end_float(self, token: str) -> None:
        self._expander.out.append(token)
        if self._in_float and self._expander.nesting == 1:
            self._in_float = False
            self._begin = len(self._expander.out)

    def _reference(self, token: str) -> None:
        """Harvmac's `\\lref\\name{text}`: the text is an entry of the list, the name its number."""
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        name = reader.argument()
        text = None if name is None else reader.group()
        if name is None or text is None:
            reader.restore(snapshot)
            self._expander.out.append(token)
            return
        self.characters += sum(map(len, text))
        self._expander.leave("".join(name).strip(), "reference")
        if token == "\\ref":
            self._expander.out += name
        else:
            self._expander.end_removal()

    def _drop_what_leads_up(self) -> None:
        """Take the bibliography's heading, and the type and groups set for it, off the text."""
        self._drop_tail(_LEADS_UP)
        heading = _HEADING.search(self._tail())
        if heading is None or heading[1].strip().lower() not in self._titles:
            return
        if heading[0].count("{") >= heading[0].count("}"):
            self._drop_tail(_HEADING)
            self._drop_tail(_LEADS_UP)

    def _tail(self) -> str:
        # Bounds time: headings and spacing of `_LOOK_BACK` characters have fewer tokens than sixty.
        start = max(self._marks.body or self._marks.front or 0, len(self._expander.out) - 60)
        return "".join(self._expander.out[start:])[-_LOOK_BACK:]

    def _drop_tail(self, pattern: re.Pattern[str]) -> None:
        match = pattern.search(self._tail())
        if match is None or not match[0].strip():
            return
        out, size = self._expander.out, len(match[0])
        dropped: list[str] = []
        while size > 0:
            token = out.pop()
            if len(token) > size:
                out.append(token[:-size])
                token = token[-size:]
            size -= len(token)
            dropped.append(token)
        self.opened.add(reversed(dropped))

    def _gone_with_argument(self, token: str) -> None:
        self._expander.reader.optional()
        self._expander.reader.group()
        self._expander.end_removal()
