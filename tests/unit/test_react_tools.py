"""What a model may narrow, how what it found is numbered, and in which order it is shown."""

import json
from datetime import date
from typing import Any

import pytest

from services.answer.react_cards import cards
from services.answer.react_tools import ARGUMENTS, SEARCH, Found, arguments_of, narrowed
from services.answer.result import Citation
from services.kit.errors import RequestError
from services.model.errors import ReplyMisshapen
from services.model.reply import ToolCall
from services.search.filters import Filters
from services.search.hit import Hit

ALL = Filters(user_id=7)


def hit(chunk_id: int, text: str = "", restricted: bool = False) -> Hit:
    words = text or f"passage number {chunk_id} says this"
    return Hit(chunk_id, 3, "지침", 2, 10, 10 + len(words), words, 1.5, None, None, date(2024, 1, 1), restricted)


def test_narrowed__by_what_the_model_wishes_where_the_asker_left_it_open() -> None:
    wished = Filters(collections=("law",), year=2024, kinds=("pdf",), user_id=8, quotable=False)
    assert narrowed(ALL, wished) == Filters(collections=("law",), year=2024, kinds=("pdf",), user_id=7)


def test_narrowed__never_beyond_what_the_asker_asked_for() -> None:
    asked = Filters(collections=("hr", "law"), year=2020, quotable=True, without_types=("digest",))
    assert narrowed(asked, Filters(collections=("law", "news"), year=2024)).collections == ("law",)
    assert narrowed(asked, Filters(collections=("news",))).collections == ("hr", "law")
    assert narrowed(asked, Filters(year=2024)) == asked


def test_found__keeps_each_passage_once_under_its_number() -> None:
    found = Found()
    first = found.add([hit(1), hit(2)], limit=5)
    second_hits = [hit(2), hit(3)]
    second = found.add(second_hits, limit=5)
    assert [(each.n, each.chunk_id) for each in first + second] == [(1, 1), (2, 2), (3, 3)]
    assert found.again(second_hits, second) == [2]


def test_found__shows_the_first_passage_in_any_case_and_others_where_there_is_room() -> None:
    found = Found()
    assert [each.chunk_id for each in found.add([hit(1), hit(2)], limit=5, room=1)] == [1]
    assert found.add([hit(3)], limit=5, room=1) == []
    assert [each.n for each in found.add([hit(4)], limit=5, room=500)] == [2]


def test_found__takes_nothing_restricted() -> None:
    assert Found().add([hit(1, restricted=True)], limit=5) == []


def test_cards__follow_the_markers_then_come_the_others() -> None:
    found = Found()
    found.add([hit(1), hit(2), hit(3)], limit=5)
    cited = [Citation(1, 3, 3, "지침", 2, "number 3", 18, 26)]
    shown = cards(found.evidence, cited)
    assert [(each["n"], each["chunk_id"], each["cited"]) for each in shown] == [
        (1, 3, True),
        (2, 1, False),
        (3, 2, False),
    ]
    assert (shown[0]["quote"], shown[0]["start"], shown[0]["end"]) == ("number 3", 18, 26)
    assert shown[1]["url"] == "/api/documents/3/pages/2?start=10&end=36#quote"
    assert shown[1]["quote"] == "passage number 1 says this"


def written(arguments: object) -> ToolCall:
    return ToolCall("1", "search", arguments if isinstance(arguments, str) else json.dumps(arguments))


MEANT: tuple[tuple[object, dict[str, Any]], ...] = (
    ({"query": "pump"}, {"query": "pump"}),
    ({"Query": "pump", " YEAR ": 2024}, {"query": "pump", "year": 2024}),
    ({"query": ["pump"], "year": ["2024"]}, {"query": "pump", "year": "2024"}),
    ({"query": "pump", "kind": "PDF"}, {"query": "pump", "kind": ["pdf"]}),
    ({"query": "pump", "kind": ["PDF", "Word "]}, {"query": "pump", "kind": ["pdf", "word"]}),
    ({"query": "pump", "bogus": None, "collection": "", "kind": []}, {"query": "pump"}),
    ("{'query': 'pump', 'year': None,}", {"query": "pump"}),
    ("", {}),
)


@pytest.mark.parametrize(("arguments", "meant"), MEANT)
def test_arguments__are_read_as_the_model_means_them(arguments: object, meant: dict[str, Any]) -> None:
    assert arguments_of(written(arguments)) == meant


@pytest.mark.parametrize("more", [{"bogus": 1}, {"filters": {"year": 2024}}, {"quotable": False}, {"user_id": 2}])
def test_arguments__that_nobody_knows_are_declined_with_the_names_of_those_that_are(more: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as caught:
        arguments_of(written({"query": "pump", **more}))
    assert next(iter(more)) in str(caught.value)
    assert all(name in str(caught.value) for name in ARGUMENTS)


def test_arguments__are_those_that_the_model_is_told_of() -> None:
    assert set(SEARCH.parameters["properties"]) == set(ARGUMENTS)


def test_arguments__that_are_no_object_are_refused() -> None:
    for text in ("pump", "[1]", '{"query": '):
        with pytest.raises(ReplyMisshapen):
            arguments_of(written(text))
