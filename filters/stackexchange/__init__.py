"""Stack Exchange threads: which are kept, in what order their answers stand, and as what text."""

from filters.stackexchange.html_text import post_text
from filters.stackexchange.posts import SITE_LICENCES, post_licence
from filters.stackexchange.rules import (
    QuestionFilter,
    QuestionSettings,
    ScoreFilter,
    ScoreSettings,
)
from filters.stackexchange.thread import ThreadText

__all__ = [
    "SITE_LICENCES",
    "QuestionFilter",
    "QuestionSettings",
    "ScoreFilter",
    "ScoreSettings",
    "ThreadText",
    "post_licence",
    "post_text",
]
