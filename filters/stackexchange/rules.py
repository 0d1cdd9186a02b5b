"""Which threads and which answers are kept, where a recipe says so; LLaMA's paper keeps all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from filters.document import Document, Rejected, Settings, StageSettings, setting
from filters.stackexchange.posts import Post, load_posts, store_posts

State: TypeAlias = Literal["unanswered", "closed", "locked", "deleted"]


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(StageSettings):
    """[stackexchange.scores]: how good posts must be.

    Attributes:
        minimum_question: least score of a question; below it the thread is dropped.
        minimum_answer: least score of an answer; those below it are left out.
        keep_accepted: an accepted answer stays whatever its score, as in The Pile.
        maximum_answers: the best so many are kept.
    """

    enabled: bool = setting(False, "paper: LLaMA has no least score; those here are The Pile's")
    minimum_question: int = setting(-1_000_000, "code: The Pile has no bound, and this is none")
    minimum_answer: int = setting(3, "code: The Pile's")
    keep_accepted: bool = setting(True, "code: The Pile's")
    maximum_answers: int = setting(3, "code: The Pile's")


@dataclass(frozen=True, kw_only=True)
class QuestionSettings(Settings):
    """[stackexchange.question]: which questions are dropped.

    Attributes:
        drop: states; `unanswered` is without an answer that is kept. Of `deleted`, answers too.
    """

    drop: tuple[State, ...] = setting((), "paper: LLaMA names no question that goes")


def ranked(question: Post, answers: list[Post]) -> list[Post]:
    """Answers by score, highest first; of equal ones the accepted first, then the earlier."""
    accepted = question["accepted"]
    return sorted(answers, key=lambda post: (-post["score"], post["id"] != accepted, post["id"]))


def leave_out(document: Document, count: int) -> None:
    """Note that answers of the thread are not in the document."""
    if count:
        document.signals["answers_left_out"] = document.signals.get("answers_left_out", 0) + count


class ScoreFilter:
    """Drop questions with a low score (`low_score`), and leave low answers out."""

    name = "scores"

    def __init__(self, settings: ScoreSettings | None = None) -> None:
        self.settings = settings or ScoreSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        question, answers = load_posts(document)
        good = [
            post
            for post in ranked(question, answers)
            if post["score"] >= settings.minimum_answer
            or (settings.keep_accepted and post["id"] == question["accepted"])
        ][: settings.maximum_answers]
        document.signals["question_score"] = question["score"]
        if question["score"] < settings.minimum_question:
            leave_out(document, len(answers))
            return Rejected("low_score", f"{question['score']} < {settings.minimum_question}")
        leave_out(document, len(answers) - len(good))
        store_posts(document, question, good)
        return document


class QuestionFilter:
    """Drop questions by their state; the reason is the state."""

    name = "question"

    def __init__(self, settings: QuestionSettings | None = None) -> None:
        self.settings = settings or QuestionSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        if not self.settings.drop:
            return document
        question, answers = load_posts(document)
        drop_deleted = "deleted" in self.settings.drop
        kept = [post for post in answers if not (drop_deleted and post["deleted"])]
        leave_out(document, len(answers) - len(kept))
        states = {state: question[state] for state in ("closed", "locked", "deleted")}
        states["unanswered"] = "" if kept else "no answer"
        for state in self.settings.drop:
            if states[state]:
                leave_out(document, len(kept))
                return Rejected(state, f"{question['title']} ({states[state]})")
        store_posts(document, question, kept)
        return document
