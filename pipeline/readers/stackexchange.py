"""Read a site's `Posts.xml` as threads: one record for each row, one document for each question.

A question with its answers is a document whose payload is described in
`filters.stackexchange.posts`. An answer in it counts as skipped (`answer_of_question`), as do posts
of other types, each under its own name; rows that cannot be used are `BadRecord`s. So the records
of a unit are the rows of its file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import orjson

from filters.document import Document
from pipeline.readers.post_rows import BadRow, Row, read_rows
from pipeline.readers.records import BadRecord, Records, SkippedRecord
from pipeline.readers.thread_join import PostStore, StoredPost, Thread

# https://meta.stackexchange.com/questions/2677, PostTypes.
OTHER_TYPES = {
    3: "orphaned_tag_wiki",
    4: "tag_wiki_excerpt",
    5: "tag_wiki",
    6: "moderator_nomination",
    7: "wiki_placeholder",
    8: "privilege_wiki",
    9: "article",
    10: "help_article",
    12: "collection",
    13: "moderator_questionnaire",
    14: "announcement",
    15: "discussion",
    17: "article_collection",
}
_QUESTION, _ANSWER = 1, 2


def read_posts(stream: BinaryIO, *, site: str, maximum_row_bytes: int, join_bytes: int) -> Records:
    """Yield one record per row: first what is no post of a thread, then the threads by id.

    Args:
        stream: decompressed XML, from `open_dump`.
        site: host name; ids and addresses are made from it.
        maximum_row_bytes: a longer row is rejected without being held.
        join_bytes: posts held in memory while questions meet their answers; a thread that is
            larger is rejected.

    Yields:
        Documents with the payload as `raw`; `BadRecord`s with the reasons of `read_rows`, and
        `question_missing`, `duplicate_id`, `thread_too_large`.
    """
    with PostStore(join_bytes) as store:
        for row in read_rows(stream, maximum_row_bytes):
            if isinstance(row, BadRow):
                yield BadRecord(f"{site}@{row.offset}", "", row.reason, row.detail, row.lost)
                continue
            try:
                kind = row.number("PostTypeId")
                if kind in (_QUESTION, _ANSWER):
                    store.add(_store(row, kind))
                    continue
            except ValueError as problem:
                yield BadRecord(f"{site}@{row.offset}", "", "malformed_row", str(problem))
                continue
            if kind == 0:
                yield BadRecord(f"{site}@{row.offset}", "", "malformed_row", "no PostTypeId")
            else:
                yield SkippedRecord(OTHER_TYPES.get(kind, "other_post_type"))
        for thread in store.threads():
            yield from _read_thread(thread, site)


def _store(row: Row, kind: int) -> StoredPost:
    """A question or answer as it is put aside.

    Raises:
        ValueError: an id or a number is missing or none.
    """
    number = row.identifier("Id")
    post = {
        "id": number,
        "score": row.number("Score"),
        "body": row.text("Body").replace("\r", ""),
        "date": row.text("CreationDate"),
        "author": row.text("OwnerUserId") or row.text("OwnerDisplayName"),
        "licence": row.text("ContentLicense"),
        "deleted": row.text("DeletionDate"),
    }
    if kind == _ANSWER:
        return StoredPost(row.identifier("ParentId"), True, number, orjson.dumps(post))
    post |= {
        "title": row.text("Title"),
        "tags": row.text("Tags"),
        "accepted": row.number("AcceptedAnswerId"),
        "closed": row.text("ClosedDate"),
        "locked": row.text("LockedDate"),
    }
    return StoredPost(number, False, number, orjson.dumps(post))


def _read_thread(thread: Thread, site: str) -> Records:
    posts = list(_usable(thread, site))
    contents = []
    for post in posts:
        if isinstance(post, BadRecord):
            yield post
        else:
            contents.append(post.content)
    if contents:
        raw = b"[" + b",".join(contents) + b"]"
        identifier = f"{site}/{thread.question}"
        url = f"https://{site}/questions/{thread.question}"
        yield Document(identifier, "stackexchange", "", {"url": url}, raw=raw)
        for _ in contents[1:]:
            yield SkippedRecord("answer_of_question")


def _usable(thread: Thread, site: str) -> Iterator[StoredPost | BadRecord]:
    """The posts that make the document, and the reasons of the others."""
    has_question = not thread.posts[0].is_answer
    previous = None
    for post in thread.posts:
        reason = ""
        if thread.too_large:
            reason = "thread_too_large"
        elif not has_question:
            reason = "question_missing"
        elif (post.is_answer, post.id) == previous:
            reason = "duplicate_id"
        previous = post.is_answer, post.id
        if reason:
            kind, path = ("answer", "a") if post.is_answer else ("question", "questions")
            yield BadRecord(
                f"{site}/{post.question}/{post.id}" if post.is_answer else f"{site}/{post.id}",
                f"https://{site}/{path}/{post.id}",
                reason,
                f"{kind} {post.id} of question {post.question}",
            )
        else:
            yield post
