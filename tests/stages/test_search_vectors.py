"""Search by words and by vectors together, with an embedder that answers, is late, is away, or is another's."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import psycopg
import pytest

from db.gate import Priority
from db.search_rows import SampleChunk
from db.vector_rows import EmbedderRow
from services.kit.model_settings import CallSettings
from services.kit.settings import SearchSettings, Settings, load_settings
from services.search import embed_query
from services.search.embed_query import Why, embed_question, new_memory
from services.search.filters import Filters
from services.search.helpers import Helpers
from services.search.retrieve import Found, find
from services.search.weights import MOST_SHARE, UNMEASURED, measure_due
from services.tools import Tools
from services.wiring import open_tools
from tests.fakes.model_server import ModelServer, serving
from tests.stages.conftest import Drain, all_rows, only
from tests.stages.test_ingest import upload
from tests.waiting import eventually

pytestmark = pytest.mark.anyio

MILL = b"The old mill by the river was built of oak and stone."
BOAT = b"Boats of the harbour are painted blue every spring."
M = EmbedderRow(1, "m", 64)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with serving() as server:
        yield server


def served(settings: Settings, model: ModelServer, name: str = "m", **search: Any) -> Settings:
    return load_settings(
        home=settings.home,
        database_url=settings.database_url,
        models={"embed": {"base_url": model.url, "model": name}},
        calls=CallSettings(attempts=1, backoff_s=0.01, breaker_failures=3),
        search=SearchSettings(**search),
    )


@pytest.fixture
async def embedded(
    drain: Drain, db: psycopg.Connection, settings: Settings, model: ModelServer
) -> AsyncIterator[Tools]:
    """Two documents with vectors, and the tools of a process that searches them."""
    upload(db, "mill.txt", MILL)
    upload(db, "boat.txt", BOAT)
    async with open_tools(served(settings, model), "tests") as tools:
        await drain("ingest", "embed", "vectors", with_tools=tools)
        db.execute("SELECT fold_term_stats()")
        model.state.calls.clear()
        yield tools


async def found_by(tools: Tools, question: str, **filters: Any) -> Found:
    return await find(tools.db, question, Filters(**filters), 10, tools.settings.search, Helpers(tools.models))


async def test_search__fuses_words_and_vectors_and_tells_what_each_added(
    embedded: Tools, db: psycopg.Connection, model: ModelServer
) -> None:
    found = await found_by(embedded, "old mill of oak")
    assert [hit.title for hit in found.hits] == ["mill", "boat"]
    assert set(found.hits[0].legs) == {"lexical", "chunks"}
    assert found.hits[0].score == pytest.approx(1.0)
    assert set(found.hits[1].legs) == {"chunks"}
    assert found.weights == UNMEASURED
    assert found.notes["vectors"] == Why.USED
    (call,) = model.calls
    assert (call.role, call.klass, call.label) == ("embed", "foreground", "question")
    assert only(db, "SELECT count(*) FROM document_vectors") == {"count": 2}


async def test_search__by_vectors_finds_what_no_word_names(embedded: Tools) -> None:
    assert (await find(embedded.db, "millstones", Filters(), 10, embedded.settings.search)).hits == []
    assert (await found_by(embedded, "millstones")).hits[0].title == "mill"


async def test_search__asks_the_embedder_once_for_the_same_question(embedded: Tools, model: ModelServer) -> None:
    first, second = await found_by(embedded, "old mill"), await found_by(embedded, "old mill")
    assert len(model.calls) == 1
    assert [hit.chunk_id for hit in first.hits] == [hit.chunk_id for hit in second.hits]
    assert (first.notes["embed_cached"], second.notes["embed_cached"]) == (False, True)


async def test_search__answers_by_words_when_the_embedder_is_late(
    embedded: Tools, settings: Settings, model: ModelServer
) -> None:
    model.script({"say": {"hold": "late"}})
    slow = served(settings, model, embed_wait_s=0.5)
    async with open_tools(slow, "tests") as tools:
        for reason in (Why.LATE, Why.LATE, Why.LATE, Why.CIRCUIT_OPEN):
            found = await found_by(tools, "old mill")
            assert [hit.title for hit in found.hits] == ["mill"]
            assert found.notes["vectors"] == reason
    assert len(model.calls) == 3


async def test_search__answers_by_words_when_the_embedder_is_away(embedded: Tools, model: ModelServer) -> None:
    await model.close()
    found = await found_by(embedded, "old mill")
    assert [hit.title for hit in found.hits] == ["mill"]
    assert found.notes["vectors"] == Why.AWAY
    await model.open()


async def test_search__waiting_at_the_gate_is_no_failure_of_the_server(
    embedded: Tools, settings: Settings, model: ModelServer, db: psycopg.Connection
) -> None:
    model.script({"when": {"text": "first"}, "say": {"hold": "busy"}}, {"say": {}})
    async with (
        open_tools(served(settings, model, embed_wait_s=0.2), "tests") as tools,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(embed_question, "first", M, Helpers(tools.models), 30.0)
        await eventually(lambda: len(model.calls) == 1)
        assert (await found_by(tools, "old mill")).notes["vectors"] == Why.LATE
        model.release("busy")
    assert all_rows(db, "SELECT 1 FROM model_breakers") == []
    assert len(model.calls) == 1


async def test_search__leaves_vectors_of_another_embedder_out_unless_its_server_lists_that_one(
    embedded: Tools, settings: Settings, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_query, "LISTED_S", 0.0)
    async with open_tools(served(settings, model, "another"), "tests") as tools:
        model.script({"say": {}}, models=["another"])
        assert (await found_by(tools, "old mill")).notes["vectors"] == Why.OF_ANOTHER
        model.script({"say": {}}, models=["another", "m"])
        found = await found_by(tools, "old mill")
    assert (found.notes["vectors"], found.notes["embedder"]) == (Why.USED, "m")
    assert [call.body["model"] for call in model.calls] == ["m"]


async def test_search__leaves_vectors_of_another_length_out(embedded: Tools, model: ModelServer) -> None:
    model.say(dim=32)
    assert (await found_by(embedded, "old mill")).notes["vectors"] == Why.OTHER_LENGTH


async def test_search__does_not_ask_for_a_vector_that_is_worth_nothing(
    embedded: Tools, model: ModelServer, db: psycopg.Connection
) -> None:
    db.execute("INSERT INTO leg_weights VALUES (1, 'ko', 0, 0, 100, 1, 0.02, 2)")
    assert (await found_by(embedded, "오래된 물레방아")).notes["vectors"] == Why.WORTHLESS
    assert model.calls == []
    assert (await found_by(embedded, "old mill")).notes["vectors"] == Why.USED


async def test_search__by_rank_is_a_setting(embedded: Tools, settings: Settings, model: ModelServer) -> None:
    async with open_tools(served(settings, model, fusion="rank", rank_k=9), "tests") as tools:
        found = await found_by(tools, "old mill")
    assert found.hits[0].score == pytest.approx(1.0 / 10)


async def test_filters__hold_in_every_leg(embedded: Tools, db: psycopg.Connection) -> None:
    db.execute("UPDATE documents SET jurisdiction = 'KR' WHERE title = 'boat'")
    db.execute("INSERT INTO leg_weights VALUES (1, 'en', 0.3, 0.1, 100, 1, 1, 2)")
    found = await found_by(embedded, "old mill", jurisdictions=("KR",))
    assert [hit.title for hit in found.hits] == ["boat"]
    assert {name: len(hits) for name, hits in found.legs.items()} == {"lexical": 0, "chunks": 1, "documents": 1}
    assert (await found_by(embedded, "old mill", user_id=2)).hits == []


# -- the memory of questions -------------------------------------------------------------------------------------------


async def test_vectors_of_questions__are_forgotten_after_a_day_and_past_five_hundred(
    embedded: Tools, model: ModelServer
) -> None:
    now = [0.0]
    memory, helpers = new_memory(lambda: now[0]), Helpers(embedded.models)

    async def asked(question: str, by: EmbedderRow = M) -> bool:
        return (await embed_question(question, by, helpers, 5.0, memory)).cached

    assert [await asked("q"), await asked("q")] == [False, True]
    now[0] = 86_399.0
    assert await asked("q")
    now[0] = 86_401.0
    assert not await asked("q")
    for number in range(499):
        await asked(f"q{number}")
    assert await asked("q")
    assert not await asked("one more")
    assert not await asked("q0")
    assert len(memory.vectors) == 500
    model.script({"say": {}}, models=["m", "n"])
    assert not await asked("q", EmbedderRow(1, "n", 64))


async def test_question__is_asked_in_the_class_of_whoever_waits(embedded: Tools, model: ModelServer) -> None:
    helpers = Helpers(embedded.models, Priority.BACKGROUND)
    await embed_question("q", M, helpers, 5.0)
    assert model.calls[0].klass == "background"


# -- what the legs are worth -------------------------------------------------------------------------------------------

WORDS = [
    "oak",
    "river",
    "stone",
    "mill",
    "bridge",
    "tower",
    "garden",
    "winter",
    "copper",
    "harbour",
    "lantern",
    "orchard",
]


def chapters(count: int) -> bytes:
    """Write a file of chunks that each have inner sentences of their own."""
    parts = []
    for number in range(count):
        first, second, third = (WORDS[(number * step + step) % 12] + str(number) for step in (1, 5, 7))
        parts.append(
            f"Part {number} begins with a general remark about the matter. The {first} of the {second} was measured "
            f"beside the {third} in year {number}. " + "It is said so in the books of the town. " * 6
        )
    return "\n\n".join(parts).encode()


async def test_weights__are_measured_once_and_again_when_the_corpus_has_grown_by_half(
    drain: Drain, db: psycopg.Connection, settings: Settings, model: ModelServer
) -> None:
    async with open_tools(served(settings, model), "tests") as tools:
        upload(db, "a.txt", chapters(80))
        await drain("ingest", "embed", with_tools=tools)
        db.execute("SELECT fold_term_stats()")
        await measure_due(tools)
        assert all_rows(db, "SELECT 1 FROM leg_weights") == []
        await drain("vectors", with_tools=tools)
        model.state.calls.clear()
        await measure_due(tools)
        rows = {row["language"]: row for row in all_rows(db, "SELECT * FROM leg_weights")}
        assert set(rows) == {"ko", "en", "mixed"}
        assert rows["en"]["questions"] >= 30
        assert rows["en"]["lexical_found"] > 0.9
        assert 0 < rows["en"]["chunk_weight"] + rows["en"]["document_weight"] <= MOST_SHARE + 0.001
        assert (rows["ko"]["questions"], rows["ko"]["chunk_weight"]) == (0, pytest.approx(0.2))
        assert {call.klass for call in model.calls} == {"background"}
        asked = len(model.calls)
        await measure_due(tools)
        assert len(model.calls) == asked
        db.execute("UPDATE leg_weights SET chunks = chunks / 2")
        await measure_due(tools)
        assert len(model.calls) > asked


async def test_sample__is_from_all_over_the_corpus_and_the_same_twice(
    drain: Drain, db: psycopg.Connection, settings: Settings, model: ModelServer
) -> None:
    async with open_tools(served(settings, model), "tests") as tools:
        upload(db, "a.txt", chapters(80))
        await drain("ingest", "embed", "vectors", with_tools=tools)
        (ids,) = all_rows(db, "SELECT min(id) AS first, max(id) AS last, count(*) AS many FROM chunks")
        embedder = only(db, "SELECT id FROM embedders")["id"]
        most = ids["many"] // 2
        sample = await tools.db.many(SampleChunk, "sample_chunks", embedder=embedder, most=most)
        again = await tools.db.many(SampleChunk, "sample_chunks", embedder=embedder, most=most)
        assert sample == again
        assert most * 0.6 < len(sample) <= most
        quarter = (ids["last"] - ids["first"]) / 4
        assert {int((chunk.id - ids["first"]) / quarter) for chunk in sample} >= {0, 1, 2, 3}


async def test_weights__are_nothing_for_vectors_that_find_nothing(
    drain: Drain, db: psycopg.Connection, settings: Settings, model: ModelServer
) -> None:
    async with open_tools(served(settings, model), "tests") as tools:
        upload(db, "a.txt", chapters(80))
        await drain("ingest", "embed", "vectors", with_tools=tools)
        db.execute("SELECT fold_term_stats()")
        db.execute(
            "UPDATE chunk_vectors v SET embedding = o.embedding FROM chunk_vectors o "
            "WHERE o.chunk_id = (SELECT min(chunk_id) FROM chunk_vectors)"
        )
        await measure_due(tools)
        row = only(db, "SELECT chunk_weight, chunk_found FROM leg_weights WHERE language = 'en'")
        assert row["chunk_found"] < 0.25
        assert row["chunk_weight"] == 0
        found = await found_by(tools, "the copper tower")
        assert found.notes["vectors"] == Why.WORTHLESS
