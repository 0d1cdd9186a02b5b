"""Ways in which copies of a text differ, and template pages; every one takes its own randomness."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WORD = re.compile(r"\w+")
WORD_AND_GAP = re.compile(r"\w+\W*")
# What recognition of printed text confuses; both ways.
CONFUSED = ("l1", "O0", "o0", "ec", "hb", "nu", "S5", "ij", "ft", "ag", ("rn", "m"), ("cl", "d"))


@dataclass(frozen=True)
class Editor:
    """Edits with a share of what they may need from other texts.

    words: to substitute and insert. navigation: lines to wrap around.
    """

    words: Sequence[str]
    navigation: Sequence[str]
    choice: random.Random

    def edits(self) -> dict[str, Callable[[str], str]]:
        """By kind, what makes a derived text."""
        return {
            "word_edits": self.word_edits,
            "sentence_edits": self.sentence_edits,
            "boilerplate": self.boilerplate,
            "truncation": self.truncation,
            "reformatting": self.reformatting,
            "ocr_noise": self.ocr_noise,
            "sentence_shuffle": self.sentence_shuffle,
            "exact_copy": str,
        }

    def word_edits(self, text: str) -> str:
        """Every word is substituted, dropped or followed by another, at one of several rates."""
        rate = self.choice.choice((0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06))

        def edit(match: re.Match[str]) -> str:
            if self.choice.random() >= rate:
                return match.group()
            other = self.choice.choice(self.words)
            return self.choice.choice((other, other, "", f"{match.group()} {other}"))

        return WORD.sub(edit, text)

    def sentence_edits(self, text: str) -> str:
        """Sentences are left out, said twice, or replaced by words from elsewhere."""
        rate = self.choice.choice((0.02, 0.05, 0.1, 0.15, 0.2))
        parts = []
        for sentence in split_sentences(text):
            if self.choice.random() >= rate:
                parts.append(sentence)
            elif self.choice.random() < 0.5:
                count = len(WORD.findall(sentence))
                parts.append(" ".join(self.choice.choices(self.words, k=count)) + ". ")
            elif self.choice.random() < 0.5:
                parts += [sentence, sentence]
        return "".join(parts)

    def boilerplate(self, text: str) -> str:
        """Lines of real web pages before and after, of 2 to 50 % of the text's length."""
        wanted = self.choice.uniform(0.02, 0.5) * len(text)
        before: list[str] = []
        after: list[str] = []
        while wanted > 0:
            lines = self.choice.choice(self.navigation)[: max(20, int(wanted))]
            self.choice.choice((before, after)).append(lines)
            wanted -= len(lines)
        return "\n".join([*before, text, *after])

    def truncation(self, text: str) -> str:
        """50 to 99 % of the text: its beginning, its end, or all but a gap."""
        kept = int(self.choice.uniform(0.5, 0.99) * len(text))
        start = self.choice.randrange(kept)
        return self.choice.choice(
            (text[:kept], text[-kept:], text[:start] + text[start + len(text) - kept :])
        )

    def reformatting(self, text: str) -> str:
        """Other case, punctuation, whitespace or line breaks; two such changes."""
        changes: tuple[Callable[[str], str], ...] = (
            str.upper,
            str.lower,
            str.title,
            lambda t: re.sub(r"[^\w\s]", "", t),
            lambda t: re.sub(r"[^\w\s]", " ", t),
            lambda t: re.sub(r"\s+", " ", t),
            lambda t: re.sub(r"\n", "\r\n\r\n", t),
            lambda t: t.replace('"', "\u201d").replace("'", "\u2019").replace("-", "\u2013"),
            lambda t: textwrap.fill(t, 72, break_on_hyphens=False),
            self._hyphenate,
        )
        for change in self.choice.sample(changes, 2):
            text = change(text)
        return text

    def _hyphenate(self, text: str) -> str:
        """Some long words are broken at a line's end, as in text from PDF."""
        return re.sub(
            r"(\w{4})(\w{4})",
            lambda m: f"{m[1]}-\n{m[2]}" if self.choice.random() < 0.01 else m[0],
            text,
        )

    def ocr_noise(self, text: str) -> str:
        """Characters are taken for others, lost or parted by a space, at one of several rates."""
        rate = self.choice.choice((0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008))
        taken_for = {pair[i]: pair[1 - i] for pair in CONFUSED for i in (0, 1)}
        pieces, done = [], 0
        for position in range(len(text)):
            if position < done or self.choice.random() >= rate:
                continue
            pieces.append(text[done:position])
            seen = text[position : position + 2]
            seen = seen if seen in taken_for else seen[:1]
            pieces.append(taken_for.get(seen) or self.choice.choice(("", f"{seen} ", "~")))
            done = position + len(seen)
        return "".join([*pieces, text[done:]])

    def sentence_shuffle(self, text: str) -> str:
        """Runs of 1 to 12 sentences in another order."""
        sentences, runs = split_sentences(text), []
        while sentences:
            length = self.choice.randint(1, 12)
            runs.append("".join(sentences[:length]))
            del sentences[:length]
        self.choice.shuffle(runs)
        return "".join(runs)

    def template_pages(self, frame: str, fillers: Sequence[str], count: int) -> list[str]:
        """Pages that share a frame and nothing else: Jaccard of two pages is below 0.7.

        The frame's words keep their order; runs of them give way to as many words of each page's
        own text. Of a page's words 45 to 82 % are the frame's: f / (2 - f) is 0.29 to 0.69, but
        more where words repeat.
        """
        words = WORD_AND_GAP.findall(frame)
        slots = self.choice.randint(2, 6)
        run = len(words) // slots
        own = int(run * (1 - self.choice.uniform(0.45, 0.82)))
        pages = []
        for filler in self.choice.sample(fillers, count):
            data = WORD_AND_GAP.findall(filler)
            pieces = []
            for slot in range(slots):
                pieces += words[slot * run : (slot + 1) * run - own]
                pieces += [*data[slot * own : (slot + 1) * own], "\n"]
            pages.append("".join(pieces))
        return pages


def split_sentences(text: str) -> list[str]:
    """Sentences or lines, each with the space behind it; joined they are the text."""
    return re.split(r"(?<=[.!?;]\s)|(?<=\n)", text)
