"""A thread's payload: the question and its answers, as the reader hands them to the filters.

JSON, one array: the question first, then its answers by id. Each post is an object with `id` and
`score` (integers), `body` (HTML), `date` (ISO 8601, UTC), `author` (user id, or the name that is
left of a deleted user), `licence` (as the dump says, or empty); the question also with `title`,
`tags` (as the dump has them), `accepted` (answer id, 0 for none), `closed` and `locked` (dates, or
empty); any post with `deleted`.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import orjson

from filters.document import Document

Post: TypeAlias = dict[str, Any]

# https://stackoverflow.com/help/licensing: by the day on which a post was contributed (UTC).
SITE_LICENCES = (
    ("2018-05-02", "CC-BY-SA-4.0"),
    ("2011-04-08", "CC-BY-SA-3.0"),
    ("", "CC-BY-SA-2.5"),
)
_TAG = re.compile(r"[^<>|]+")


def load_posts(document: Document) -> tuple[Post, list[Post]]:
    """The question and the answers of a document that is not rendered yet."""
    question, *answers = orjson.loads(document.raw)
    return question, answers


def store_posts(document: Document, question: Post, answers: list[Post]) -> None:
    """Put a thread back into its document."""
    document.raw = orjson.dumps([question, *answers])


def is_accepted(question: Post, answer: Post) -> bool:
    """Whether the asker accepted this answer."""
    return bool(answer["id"] == question["accepted"])


def post_licence(post: Post) -> str:
    """SPDX identifier of a post's licence: what the dump says, else by its date."""
    declared = str(post["licence"]).strip()
    if declared:
        return declared.replace(" ", "-")
    return next(licence for first, licence in SITE_LICENCES if post["date"] >= first)


def question_tags(question: Post) -> list[str]:
    """Tags in either of the dumps' two forms, `<a><b>` until 2023 and `|a|b|` since."""
    return _TAG.findall(question["tags"])
