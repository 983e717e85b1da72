"""What a validation says, without the library's own beginnings."""

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from services.kit.problem import words_of
from services.web.ask_wire import AskIn, FiltersIn
from services.web.wire import shown


def _refuse(given: str) -> str:
    raise ValueError(f"{given} is not to be")


def _deny(given: str) -> str:
    raise AssertionError(given)


class Refusing(BaseModel):
    word: Annotated[str, AfterValidator(_refuse)] = ""
    other: Annotated[str, AfterValidator(_deny)] = ""


def test_words__are_those_of_whoever_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        Refusing(word="Value error, this", other="that")
    assert [words_of(each) for each in caught.value.errors()] == ["Value error, this is not to be", "that"]


def test_shown__names_the_place_and_the_words() -> None:
    with pytest.raises(ValidationError) as caught:
        AskIn.model_validate({"question": " ", "filters": {"kind": "song"}})
    said = shown(caught.value.errors())
    assert said.startswith("question: must not be empty; filters.kind: kinds are pdf")


def test_filters__of_null_equal_absent_ones() -> None:
    absent = AskIn.model_validate({"question": "q"})
    assert AskIn.model_validate({"question": "q", "filters": None}) == absent
    assert absent.filters == FiltersIn()
    assert AskIn.model_json_schema()["properties"]["filters"]["anyOf"][-1] == {"type": "null"}
