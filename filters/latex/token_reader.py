"""The input stack of an expander: token lists, the newest on top, and arguments read across them.

What is read here costs: `spent` counts the tokens that were looked at to find where an argument
ends, so that a caller can bound the work that a hostile text asks for.
"""

from __future__ import annotations

from typing import TypeAlias

Snapshot: TypeAlias = tuple[list[str], int, int, list[tuple[list[str], int, int]]]


# In the unit of `spent`; bounds time: what a mark ends is a few paragraphs at most, and what never
# ends would else be read to the end of the paper at every call.
_LONGEST_ARGUMENT = 40_000


class TokenReader:
    """Tokens to be read, as a stack of lists.

    Attributes:
        tokens, position: the list on top and what is read next in it. Lists are never changed.
        depth: how many macros deep the list on top is; 0 for source text.
        spent: work done to find where arguments end, in tokens.
    """

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0
        self.spent = 0
        self._below: list[tuple[list[str], int, int]] = []

    def push(self, tokens: list[str], depth: int) -> None:
        """Put tokens in front of what is still to be read."""
        if self.position < len(self.tokens):
            self._below.append((self.tokens, self.position, self.depth))
        self.tokens, self.position, self.depth = tokens, 0, depth

    def pop(self) -> bool:
        """Go on with the list below; False if there is none."""
        if not self._below:
            return False
        self.tokens, self.position, self.depth = self._below.pop()
        return True

    def clear(self) -> None:
        """Read nothing more."""
        self.tokens, self.position = [], 0
        self._below.clear()

    def snapshot(self) -> Snapshot:
        """Where reading stands, for `restore`."""
        return self.tokens, self.position, self.depth, self._below.copy()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where reading stood."""
        self.tokens, self.position, self.depth, below = snapshot
        self._below = below.copy()

    def next(self) -> str | None:
        """The next token, None at the end."""
        while self.position >= len(self.tokens):
            if not self.pop():
                return None
        token = self.tokens[self.position]
        self.position += 1
        # One at a time is dearer than in slices.
        self.spent += 8
        return token

    def peek(self) -> str:
        """The next token without reading it; empty at the end."""
        while self.position >= len(self.tokens):
            if not self.pop():
                return ""
        return self.tokens[self.position]

    def skip_to_end(self, mark: str) -> None:
        """Read nothing more of a file that ends in the token `mark`, or is the last."""
        while self.depth or self.tokens[-1:] != [mark]:
            if not self.pop():
                self.position = len(self.tokens)
                return
        self.position = len(self.tokens) - 1

    def push_text(self, text: str) -> None:
        """Put the rest of a text token back."""
        if text:
            self.push([text], self.depth)

    def skip_space(self) -> bool:
        """Pass over white space; False, and nothing passed, where a paragraph ends there."""
        while token := self.peek():
            rest = token.lstrip()
            if rest == token:
                return True
            if "\n" in token[: len(token) - len(rest)].partition("\n")[2]:
                return False
            self.next()
            self.push_text(rest)
        return True

    def skip_line_end(self) -> None:
        """Pass over white space up to and with one newline, if there is nothing else before it."""
        token = self.peek()
        line, newline, rest = token.partition("\n")
        if newline and not line.strip():
            self.next()
            self.push_text(rest)

    def skip_text(self, text: str) -> bool:
        """Pass over white space and `text` if it comes next; False, and nothing passed, if not."""
        snapshot = self.snapshot()
        if self.skip_space() and (token := self.peek()).startswith(text):
            self.next()
            self.push_text(token[len(text) :])
            return True
        self.restore(snapshot)
        return False

    def argument(self) -> list[str] | None:
        """The content of the next group, or the next token; None where there is neither."""
        if not self.skip_space():
            return None
        token = self.next()
        if token is None or token == "}":
            return None
        if token == "{":
            return self.rest_of_group()
        if token[0] == "\\":
            return [token]
        self.push_text(token[1:])
        return [token[0]]

    def group(self) -> list[str] | None:
        """The content of the next group; None, and nothing read, if something else comes next."""
        snapshot = self.snapshot()
        if self.skip_space() and self.peek() == "{":
            self.next()
            content = self.rest_of_group()
            if content is not None:
                return content
        self.restore(snapshot)
        return None

    def rest_of_group(self) -> list[str] | None:
        """Read up to the brace that closes a group just opened; None if none does."""
        content: list[str] = []
        level = 1
        while True:
            tokens, start = self.tokens, self.position
            try:
                end = tokens.index("}", start)
            except ValueError:
                content += tokens[start:]
                level += tokens[start:].count("{")
                self.spent += len(tokens) - start
                self.position = len(tokens)
                if not self.pop():
                    return None
                continue
            piece = tokens[start:end]
            level += piece.count("{") - 1
            content += piece
            self.position = end + 1
            self.spent += end + 1 - start
            if level == 0:
                return content
            content.append("}")

    def optional(self) -> list[str] | None:
        """The content of `[...]`; None, and nothing read, if it does not come next."""
        return self.between("[", "]")

    def between(self, begin: str, end: str) -> list[str] | None:
        """What stands between two characters; None, and nothing read, if they do not come next."""
        if self.peek().lstrip()[:1] not in ("", begin):
            return None
        snapshot = self.snapshot()
        if self.skip_space() and self.peek().startswith(begin):
            token = self.next() or ""
            self.push_text(token[1:])
            content = self.until_text(end)
            if content is not None:
                return content
        self.restore(snapshot)
        return None

    def until_text(self, mark: str) -> list[str] | None:
        """Read up to and with `mark` outside groups; None if it does not come."""
        content: list[str] = []
        furthest = self.spent + _LONGEST_ARGUMENT
        while (token := self.next()) is not None:
            if token == "{":
                inner = self.rest_of_group()
                if inner is None:
                    return None
                content += ["{", *inner, "}"]
            elif token == "}":
                return None
            elif token[0] != "\\" and (found := token.find(mark)) >= 0:
                if found:
                    content.append(token[:found])
                self.push_text(token[found + len(mark) :])
                return content
            elif token == mark:
                return content
            else:
                content.append(token)
            if self.spent > furthest:
                return None
        return None
