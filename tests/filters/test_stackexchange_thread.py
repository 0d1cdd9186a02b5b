"""Which threads and answers are kept, and how a thread reads."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document, Filter, Rejected
from filters.stackexchange import (
    QuestionFilter,
    QuestionSettings,
    ScoreFilter,
    ScoreSettings,
    ThreadText,
    post_licence,
)


def post(number: int, score: int = 0, **more: Any) -> dict[str, Any]:
    plain = {
        "id": number,
        "score": score,
        "body": f"<p>post {number}</p>",
        "date": "2014-03-13T20:32:04.033",
        "author": f"u{number}",
        "licence": "",
        "deleted": "",
    }
    return plain | more


def question(**more: Any) -> dict[str, Any]:
    plain = {"title": "Why?", "tags": "<a><b-c>", "accepted": 0, "closed": "", "locked": ""}
    return post(1, 7, **plain) | more


def thread(asked: dict[str, Any], *answers: dict[str, Any]) -> Document:
    return Document("s/1", "stackexchange", raw=orjson.dumps([asked, *answers]))


def kept(stage: Filter, document: Document) -> Document:
    result = stage(document)
    assert isinstance(result, Document), result
    return result


def scores(**changed: Any) -> ScoreFilter:
    plain = {
        "enabled": True,
        "minimum_question": -100,
        "minimum_answer": -100,
        "keep_accepted": False,
        "maximum_answers": 100,
    }
    return ScoreFilter(ScoreSettings(**(plain | changed)))


def test_a_thread_reads_as_question_then_answers() -> None:
    document = kept(ThreadText(), thread(question(accepted=3), post(2, 5), post(3, 9)))
    assert document.text == "Q: Why?\n\npost 1\n\nA:\n\npost 3\n\nA:\n\npost 2"
    assert document.raw == b""
    assert document.metadata == {
        "title": "Why?",
        "timestamp": "2014-03-13T20:32:04.033",
        "licence": "CC-BY-SA-3.0",
        "tags": ["a", "b-c"],
        "closed": None,
        "accepted_answer_id": 3,
        "answer_ids": [3, 2],
        "answer_scores": [9, 5],
        "authors": ["u1", "u3", "u2"],
    }
    assert document.signals == {"question_score": 7, "answers": 2}


def test_scores_are_numbers_not_strings() -> None:
    """RedPajama and data-juicer compare strings: 9, 2, 100, 10."""
    answers = [post(2, 9), post(3, 2), post(4, 100), post(5, 10), post(6, -3)]
    document = kept(ThreadText(), thread(question(), *answers))
    assert document.metadata["answer_scores"] == [100, 10, 9, 2, -3]


def test_of_equal_scores_the_accepted_then_the_earlier_comes_first() -> None:
    answers = [post(5, 4), post(2, 4), post(9, 4), post(7, 6)]
    document = kept(ThreadText(), thread(question(accepted=9), *answers))
    assert document.metadata["answer_ids"] == [7, 9, 2, 5]


@given(st.lists(st.integers(-50, 2000), max_size=12), st.randoms(use_true_random=False))
def test_order_depends_on_posts_alone(values: list[int], random: Any) -> None:
    answers = [post(number, value) for number, value in enumerate(values, 2)]
    shuffled = answers.copy()
    random.shuffle(shuffled)
    first = kept(ThreadText(), thread(question(accepted=4), *answers))
    second = kept(ThreadText(), thread(question(accepted=4), *shuffled))
    assert first.text == second.text
    assert first.metadata["answer_scores"] == sorted(values, reverse=True)


def test_tags_of_both_dump_generations() -> None:
    assert kept(ThreadText(), thread(question(tags="|x|y-z|"))).metadata["tags"] == ["x", "y-z"]
    assert kept(ThreadText(), thread(question(tags=""))).metadata["tags"] == []


@pytest.mark.parametrize(
    ("date", "declared", "licence"),
    [
        ("2009-01-01T00:00:00", "", "CC-BY-SA-2.5"),
        ("2011-04-07T23:59:59.999", "", "CC-BY-SA-2.5"),
        ("2011-04-08T00:00:00", "", "CC-BY-SA-3.0"),
        ("2018-05-01T23:59:59", "", "CC-BY-SA-3.0"),
        ("2018-05-02T00:00:00", "", "CC-BY-SA-4.0"),
        ("2009-01-01T00:00:00", "CC BY-SA 4.0", "CC-BY-SA-4.0"),
    ],
)
def test_licence_by_declaration_then_date(date: str, declared: str, licence: str) -> None:
    assert post_licence(post(1, date=date, licence=declared)) == licence


def test_a_document_names_the_licences_of_all_its_posts() -> None:
    late = post(2, date="2020-01-01T00:00:00")
    document = kept(ThreadText(), thread(question(), late))
    assert document.metadata["licence"] == "CC-BY-SA-3.0 AND CC-BY-SA-4.0"


def test_posts_without_text_are_left_out() -> None:
    document = kept(ThreadText(), thread(question(), post(2, 5, body="<p> </p>"), post(3, 1)))
    assert document.metadata["answer_ids"] == [3]
    assert document.signals == {"question_score": 7, "answers": 1, "answers_left_out": 1}
    result = ThreadText()(thread(question(title=" ", body=""), post(2)))
    assert isinstance(result, Rejected)
    assert result.reason == "empty"


def test_low_questions_are_dropped_and_low_answers_left_out() -> None:
    result = scores(minimum_question=8)(thread(question(), post(2)))
    assert isinstance(result, Rejected)
    assert result.reason == "low_score"
    answers = [post(2, 1), post(3, 5), post(4, 3), post(5, -1)]
    some = kept(scores(minimum_answer=2), thread(question(accepted=5), *answers))
    assert kept(ThreadText(), some).metadata["answer_ids"] == [3, 4]
    assert some.signals["answers_left_out"] == 2


def test_the_piles_rule_keeps_accepted_answers_and_the_best_three() -> None:
    answers = [post(number, number) for number in range(2, 9)]
    stage = scores(minimum_answer=3, keep_accepted=True, maximum_answers=3)
    document = kept(ThreadText(), kept(stage, thread(question(accepted=2), *answers)))
    assert document.metadata["answer_ids"] == [8, 7, 6]
    few = kept(ThreadText(), kept(stage, thread(question(accepted=2), post(2, 1), post(3, 1))))
    assert few.metadata["answer_ids"] == [2]


@pytest.mark.parametrize("state", ["closed", "locked", "deleted"])
def test_states_are_dropped_where_the_recipe_says_so(state: str) -> None:
    asked = question(**{state: "2020-01-01T00:00:00"})
    everything = QuestionFilter(QuestionSettings(drop=()))
    assert isinstance(everything(thread(asked)), Document)
    result = QuestionFilter(QuestionSettings(drop=(state,)))(thread(asked, post(2)))  # type: ignore[arg-type]
    assert isinstance(result, Rejected)
    assert result.reason == state


def test_unanswered_counts_answers_that_are_left() -> None:
    stage = QuestionFilter(QuestionSettings(drop=("unanswered", "deleted")))
    assert isinstance(stage(thread(question(), post(2))), Document)
    document = thread(question(), post(2, deleted="2020-01-01"))
    result = stage(document)
    assert isinstance(result, Rejected)
    assert result.reason == "unanswered"
    assert document.signals["answers_left_out"] == 1
