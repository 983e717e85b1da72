"""What is told of hits: never another order, no query for nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from db.pool import Database
from services.kit.settings import SearchSettings
from services.search.decorate import Decorated, count_facets, decorate, reason
from services.search.filters import Filters
from services.search.highlight import mark, sought
from services.search.hit import Hit
from services.search.retrieve import search
from tests.fakes.corpus import put_document, put_section

pytestmark = pytest.mark.anyio

QUESTION = "안전밸브 제12조의2 작동 압력"
TODAY = datetime(2024, 6, 1, 12, tzinfo=UTC)


class Counted(Database):
    """A pool that notes what is asked."""

    def __init__(self, pool: Database) -> None:
        self.inner, self.asked = pool, list[str]()

    async def many(self, row, name, **values):  # type: ignore[no-untyped-def]
        self.asked.append(name)
        return await self.inner.many(row, name, **values)


async def hits_of(pool: Database) -> list[Hit]:
    return await search(pool, QUESTION, Filters(), 10, SearchSettings())


def by_title(decorated: Sequence[Decorated]) -> dict[str, Decorated]:
    return {each.hit.title: each for each in decorated}


async def test_decorate__keeps_hits_and_order(db: psycopg.Connection, pool: Database) -> None:
    for place in range(5):
        put_document(db, [f"안전밸브 {'작동 ' * place}"], f"문서{place}")
    hits = await hits_of(pool)
    assert [each.hit for each in await decorate(pool, QUESTION, hits)] == hits
    assert [each.hit for each in await decorate(pool, QUESTION, hits[::-1])] == hits[::-1]


async def test_decorate__asks_about_laws_only_where_there_are_some(db: psycopg.Connection, pool: Database) -> None:
    put_document(db, ["안전밸브"], material_type="manual")
    counted = Counted(pool)
    assert await decorate(counted, QUESTION, []) == []
    assert counted.asked == []
    await decorate(counted, QUESTION, await hits_of(pool))
    assert counted.asked == []
    put_document(db, ["안전밸브"], material_type="law")
    await decorate(counted, QUESTION, await hits_of(pool))
    assert counted.asked == ["law_statuses"]


async def test_decorate__tells_version_section_and_places(db: psycopg.Connection, pool: Database) -> None:
    law = {"material_type": "law", "jurisdiction": "KR", "series": "가스법"}
    put_document(db, ["제12조의2 안전밸브의 작동"], "옛 법", effective_date="2020-01-01", **law)
    new = put_document(db, ["제12조의2 안전밸브의 압력"], "새 법", effective_date="2024-01-01", **law)
    put_section(db, new, "제2장 > 제12조의2")
    put_document(db, ["밸브 안내"], "안내", material_type="manual")
    decorated = await decorate(pool, QUESTION, await hits_of(pool), now=TODAY)
    told = by_title(decorated)
    assert {title: each.version_status for title, each in told.items()} == {
        "옛 법": "superseded", "새 법": "current", "안내": None,
    }  # fmt: skip
    assert {title: each.hit.section for title, each in told.items()} == {
        "옛 법": "", "새 법": "제2장 > 제12조의2", "안내": "",
    }  # fmt: skip
    new_law = told["새 법"]
    assert [new_law.hit.text[start:end] for start, end in new_law.highlights] == ["제12조의2", "안전밸브", "압력"]
    assert new_law.match_reason.endswith("article 12조의2")
    assert count_facets(decorated) == {
        "material_type": {"law": 2, "manual": 1},
        "jurisdiction": {"KR": 2},
        "version_status": {"superseded": 1, "current": 1},
    }


def hit(text: str, *legs: str) -> Hit:
    return replace(Hit(1, 1, "t", 1, 0, 1, text, 1, None, None, None, False), legs=dict.fromkeys(legs, 0.5))


@pytest.mark.parametrize(
    ("question", "found", "expected"),
    [
        ("안전밸브", hit("안전밸브", "lexical"), "lex"),
        ("안전밸브", hit("안전밸브", "lexical", "chunks"), "lex+vec"),
        ("안전밸브", hit("다른 말", "chunks", "documents"), "vec+doc"),
        ("1.2 MPa", hit("압력은 1.2 MPa", "lexical"), "lex, number 1.2"),
        ("1,234원", hit("모두 1234", "lexical"), "lex, number 1234"),
        ("제5조", hit("제5조(목적)", "lexical"), "lex, article 5조"),
        ("제5조", hit("제6조(목적) 5", "lexical"), "lex, number 5"),
        ("5", hit("15", "lexical"), "lex"),
    ],
)
def test_reason__names_the_legs_and_what_is_there_exactly(question: str, found: Hit, expected: str) -> None:
    assert reason(found, mark(sought(question), found.text).terms) == expected


def test_reason__names_the_merge_of_wordings() -> None:
    assert reason(hit("밸브", "lexical"), {"밸브"}, "ml_ko+en") == "lex, ml_ko+en"
