"""The shapes of questions: what may be asked, and where an answer may be looked for."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from services.search.filters import KINDS
from services.web.wire import Labels, Question, Shape, Year


def _known_kinds(given: str | list[str] | None) -> str | list[str] | None:
    if not set([given] if isinstance(given, str) else given or ()) <= set(KINDS):
        raise ValueError(f"kinds are {', '.join(KINDS)}")
    return given


class FiltersIn(Shape):
    """What may be searched; a list means any of them."""

    material_type: Labels | None = None
    jurisdiction: Labels | None = None
    collection: Labels | None = None
    year: Year | None = None
    kind: Annotated[Labels | None, AfterValidator(_known_kinds)] = None
    quotable: bool | None = None

    def stored(self) -> dict[str, Any]:
        """Give the filters as the row of an ask keeps them."""
        return self.model_dump(exclude_none=True)


def _none_given(given: Any) -> Any:
    return {} if given is None else given


FiltersOrNone = Annotated[FiltersIn, BeforeValidator(_none_given, json_schema_input_type=FiltersIn | None)]
"""Filters that may be left out, or be null: both say that nothing is filtered."""


class AskIn(Shape):
    """A question; with `stream` the reply is a stream of events."""

    question: Question
    filters: FiltersOrNone = FiltersIn()
    debug: bool = False
    stream: bool = False
