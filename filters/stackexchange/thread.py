"""A thread as text: the question, then its answers, the best first (LLaMA, section 2.1).

Q: How do I keep a pot from drying out?

It stands by the window, ...

A:

Water it from below ...

A:

...
"""

from __future__ import annotations

from filters.document import Document, Rejected
from filters.stackexchange.html_text import post_text
from filters.stackexchange.posts import Post, load_posts, post_licence, question_tags
from filters.stackexchange.rules import leave_out, ranked


class ThreadText:
    """Set `text`, and what attribution needs as metadata.

    Answers stand by score, highest first; of equal ones the accepted first, then the earlier. A
    post whose HTML holds no text is left out. Reason: `empty`.
    """

    name = "text"

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        question, answers = load_posts(document)
        title = " ".join(question["title"].split())
        asked = "\n\n".join(filter(None, (title, post_text(question["body"]))))
        texts = [(post, post_text(post["body"])) for post in ranked(question, answers)]
        answered = [(post, text) for post, text in texts if text]
        leave_out(document, len(answers) - len(answered))
        document.signals["question_score"] = question["score"]
        document.signals["answers"] = len(answered)
        if not asked:
            leave_out(document, len(answered))
            document.signals["answers"] = 0
            return Rejected("empty", "no text in title and body")
        document.text = "".join([f"Q: {asked}", *(f"\n\nA:\n\n{text}" for _, text in answered)])
        document.raw = b""
        document.metadata |= _metadata(title, question, [post for post, _ in answered])
        return document


def _metadata(title: str, question: Post, answers: list[Post]) -> dict[str, object]:
    posts = [question, *answers]
    return {
        "title": title,
        "timestamp": question["date"],
        "licence": " AND ".join(sorted({post_licence(post) for post in posts})),
        "tags": question_tags(question),
        "closed": question["closed"] or None,
        "accepted_answer_id": question["accepted"] or None,
        "answer_ids": [post["id"] for post in answers],
        "answer_scores": [post["score"] for post in answers],
        "authors": [post["author"] for post in posts],
    }
