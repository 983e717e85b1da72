"""`seodang eval`: an index beside the user's documents, figures that are the same twice, and what changed."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psycopg
import pytest

from db.databases import databases_beside, drop_database, note_database
from db.eval_rows import ListedRun
from db.locks import SEODANG, Lock
from db.plain import plain
from services.command import eval_corpus
from services.command.eval import Asked, Evaluation, evaluate
from services.command.eval_show import show_run, show_runs
from services.command.place import Place
from services.evaluate.choose import named
from services.evaluate.probe import Options
from services.evaluate.sets import SetError, read_sets
from services.kit.errors import SeodangError
from services.kit.settings import Settings, load_settings
from tests.corridors.whole import environment_of, free_port, seodang
from tests.fakes.evaluation_sets import KOREAN, two_sets, write_set
from tests.fakes.model_server import RemoteServer, in_process

pytestmark = pytest.mark.slow


@pytest.fixture
def place(settings: Settings, dsn: str) -> Iterator[Place]:
    with plain(dsn) as db:
        yield Place(settings, dsn, db)
    for each in databases_beside(dsn, eval_corpus.PREFIX):
        drop_database(dsn, each.name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_sets(tmp_path / "sets")


def asked(folder: Path, names: str | None = None, sample: int | None = None, ask: bool = False) -> Asked:
    sets = read_sets(folder)
    return Asked(sets, named(sets, names), sample, Options(), ask)


def corpora(place: Place) -> list[str]:
    return [each.name for each in databases_beside(place.dsn, eval_corpus.PREFIX)]


def without_times(found: Evaluation) -> object:
    return asdict(found)["figures"]


def test_evaluate__finds_what_can_be_found_by_leg_set_language_and_tag(place: Place, folder: Path) -> None:
    found = evaluate(place, asked(folder))
    fused = found.figures["fused"]
    assert fused["all"] == {"n": 5, "R@1": 0.8, "R@5": 0.8, "R@10": 0.8, "MRR@10": 0.8, "nDCG@10": 0.8}
    assert fused["set:house-en"]["R@1"] == fused["language:en"]["R@1"] == fused["tag:multiple choice"]["R@1"] == 1.0
    assert fused["tag:synonym"] == {"n": 1, "R@1": 0, "R@5": 0, "R@10": 0, "MRR@10": 0, "nDCG@10": 0}
    assert found.figures["lexical"]["all"]["n"] == 5
    assert found.latency["fused"]["all"]["n"] == found.latency["lexical"]["all"]["n"] == 5
    assert found.latency["fused"]["all"]["p95_ms"] >= found.latency["fused"]["all"]["p50_ms"] > 0
    assert found.change is None


def test_evaluate__leaves_the_users_documents_alone(place: Place, folder: Path, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO inbox (filename, content) VALUES ('mine.md', '순환 펌프의 소비 전력은 몇 kW인가요?')")
    place.drain(("ingest", "embed"))
    tables = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM inbox), (SELECT count(*) FROM chunks)"
    before = db.execute(tables).fetchone()
    found = evaluate(place, asked(folder, "house-ko"))
    assert found.figures["fused"]["all"]["R@1"] == 0.6667  # mine would have been first
    assert db.execute(tables).fetchone() == before


def test_evaluate__twice_gives_the_same_figures_from_the_same_index(place: Place, folder: Path) -> None:
    first = evaluate(place, asked(folder))
    made = corpora(place)
    again = evaluate(place, asked(folder))
    assert without_times(again) == without_times(first)
    assert corpora(place) == made
    assert again.change is not None
    assert (again.change.run, again.change.lost, again.change.won) == (first.run, [], [])


def test_evaluate__is_compared_with_the_last_run_of_the_same_sets_and_options(place: Place, folder: Path) -> None:
    first = evaluate(place, asked(folder))
    assert evaluate(place, asked(folder, "house-ko")).change is None
    assert evaluate(place, asked(folder, sample=1)).change is None
    place.db.connection.execute(
        """UPDATE eval_runs SET results = jsonb_set(results, '{ranks,house-ko,house-ko-2}', '[1, 1]'),
                                figures = jsonb_set(figures, '{fused,all,R@1}', '1.0') WHERE id = %s""",
        (first.run,),
    )
    change = evaluate(place, asked(folder)).change
    assert change is not None
    assert (change.run, change.lost, change.won) == (first.run, ["house-ko/house-ko-2"], [])
    assert change.deltas["fused"]["all"]["R@1"] == -0.2


def test_evaluate__asks_some_sets_in_the_index_of_all(place: Place, folder: Path) -> None:
    found = evaluate(place, asked(folder, "house-en", sample=1))
    assert found.figures["fused"]["all"]["n"] == 1
    assert sorted(found.sets) == ["house-en", "house-ko"]
    with plain(eval_corpus.address_of(place.dsn, corpora(place)[0])) as db:
        assert db.connection.execute("SELECT count(*) FROM documents").fetchone() == (5,)


def test_index__that_was_broken_off_is_made_anew(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(eval_corpus, "CORRIDOR", ("ingest",))
        broken.setattr(eval_corpus, "_check", lambda files: exec("raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            evaluate(place, asked(folder))
    assert len(corpora(place)) == 1
    assert evaluate(place, asked(folder)).figures["fused"]["all"]["R@1"] == 0.8
    assert len(corpora(place)) == 1


def test_index__the_oldest_goes_when_there_are_too_many(place: Place, folder: Path, tmp_path: Path) -> None:
    evaluate(place, asked(folder))
    (first,) = corpora(place)
    note_database(place.dsn, first, json.dumps({"used_at": "2001-01-01T00:00:00"}))
    question = {"text": "소비 전력?", "gold": ["pump"]}
    for name in ("one", "two"):
        evaluate(place, asked(write_set(tmp_path / name, KOREAN, [question])))
    assert len(corpora(place)) == eval_corpus.KEPT
    assert first not in corpora(place)


def test_index__with_a_document_that_cannot_be_read_is_refused(place: Place, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "bad", {**KOREAN, "blank": " "}, [{"text": "펌프?", "gold": ["pump"]}])
    with pytest.raises(SeodangError, match=r"1 of 4 documents could not be read; the first is blank\.md"):
        evaluate(place, asked(folder))


def test_evaluate__of_sets_without_an_answerable_question_says_so(place: Place, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "none", KOREAN, [{"text": "?", "kind": "withheld"}])
    with pytest.raises(SetError, match="there is nothing to look for"):
        evaluate(place, asked(folder))
    assert corpora(place) == []


def test_evaluate__is_refused_while_another_runs(place: Place, folder: Path, db: psycopg.Connection) -> None:
    db.execute("SELECT pg_advisory_lock(%s, %s)", (SEODANG, Lock.EVALUATION))
    with pytest.raises(SeodangError, match="Another evaluation runs"):
        evaluate(place, asked(folder))


def test_run__is_stored_with_what_it_was_made_by(place: Place, folder: Path, db: psycopg.Connection) -> None:
    found = evaluate(place, asked(folder))
    columns = "sets, options, settings, prompt_versions, models, chunker, schema_version, results, finished_at"
    row = db.execute(f"SELECT {columns} FROM eval_runs WHERE id = %s", (found.run,)).fetchone()
    assert row is not None
    sets, options, settings, prompts, models, chunker, schema, results, finished_at = row
    assert sorted(sets) == ["house-en", "house-ko"]
    assert len(sets["house-ko"]["corpus_sha256"]) == 64
    assert options == {
        "sets": ["house-en", "house-ko"],
        "sample": None,
        "analyze": False,
        "rerank": False,
        "ask": False,
        "ask_sample": None,
    }
    assert settings["search"]["candidate_rows"] == place.settings.search.candidate_rows
    assert prompts["synthesize"].startswith("synthesize-")
    assert models == {}
    assert chunker == eval_corpus.CHUNKER
    assert schema == eval_corpus.schema_version()
    assert results["ranks"]["house-ko"] == {"house-ko-0": [1, 1], "house-ko-1": [1, 1], "house-ko-2": [0, 0]}
    assert finished_at > found.started_at


def test_run__is_printed_with_what_changed(
    place: Place, folder: Path, capsys: pytest.CaptureFixture[str], db: psycopg.Connection
) -> None:
    first = evaluate(place, asked(folder))
    show_run(first.run, first.figures, first.latency, first.change)
    assert "There is no former run of these sets with these options" in capsys.readouterr().out
    db.execute("UPDATE eval_runs SET results = jsonb_set(results, '{ranks,house-ko,house-ko-2}', '[3, 3]'), "
               "figures = jsonb_set(figures, '{fused,all,R@10}', '1.0')")  # fmt: skip
    again = evaluate(place, asked(folder))
    show_run(again.run, again.figures, again.latency, again.change)
    said = capsys.readouterr().out
    assert f"Run {again.run}: 5 questions searched for, 5 of them timed" in said
    assert "0.8000 (-0.2000)" in said
    assert "1 no longer found: house-ko/house-ko-2" in said
    show_runs(place.db.many(ListedRun, "list_eval_runs", most=10))
    assert "house-en, house-ko" in capsys.readouterr().out


def test_evaluate__asks_every_kind_and_says_what_was_right_or_refused(place: Place, folder: Path) -> None:
    found = evaluate(place, asked(folder, ask=True))
    assert found.figures["fused"]["all"]["n"] == 5  # asking changes nothing of what is searched for
    answerable = found.figures["ask:answerable"]
    assert (answerable["all"]["n"], answerable["all"]["failed"], answerable["all"]["calls"]) == (5, 0, 0)
    assert answerable["set:house-en"]["right"] == 0.5  # nobody wrote «twelve»
    assert answerable["set:house-en"]["in_cited"] == 0.5
    assert answerable["set:house-en"]["cited_gold"] == 1.0
    assert answerable["all"]["by: builtin:extractive"] == 1.0
    assert "right" not in answerable["tag:synonym"]
    refusals = found.figures["ask"]
    assert refusals["all"]["recall"] == refusals["language:en"]["auroc: adversarial"] == 1.0
    assert refusals["all"]["auroc: withheld"] >= 0.9  # nothing was found for «elevator», as for what is not there
    assert found.latency["ask"]["all"]["n"] == 8
    assert found.latency["ask:withheld"]["set:house-ko"]["p50_ms"] > 0


def test_evaluate__asks_twice_to_the_same_end_and_leaves_no_row_of_an_ask(
    place: Place, folder: Path, db: psycopg.Connection
) -> None:
    first = evaluate(place, asked(folder, ask=True))
    db.execute("UPDATE eval_runs SET results = jsonb_set(results, '{asks,ended,house-ko,house-ko-3,0}', 'false')")
    again = evaluate(place, asked(folder, ask=True))
    assert without_times(again) == without_times(first)
    assert again.change is not None
    assert (again.change.asks_lost, again.change.asks_won) == ([], ["house-ko/house-ko-3"])
    with plain(eval_corpus.address_of(place.dsn, corpora(place)[0])) as corpus:
        assert corpus.connection.execute("SELECT count(*) FROM asks").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM asks").fetchone() == (0,)


@pytest.fixture(scope="module")
def model_server() -> Iterator[RemoteServer]:
    with in_process() as server:
        yield server


@pytest.fixture
def model(model_server: RemoteServer) -> RemoteServer:
    model_server.reset()
    return model_server


def with_model(place: Place, *roles: str, url: str) -> Place:
    models = {role: {"base_url": url, "model": "m"} for role in roles}
    given = {"home": place.settings.home, "database_url": place.settings.database_url}
    return replace(place, settings=load_settings(**given, models=models, calls={"attempts": 1, "backoff_s": 0.01}))


def test_evaluate__with_an_embedder_shows_its_leg(place: Place, folder: Path, model: RemoteServer) -> None:
    plain_run = evaluate(place, asked(folder))
    found = evaluate(with_model(place, "embed", url=model.url), asked(folder))
    assert corpora(place) == corpora(with_model(place, url=model.url))
    assert len(corpora(place)) == 1
    assert found.figures["lexical"] == plain_run.figures["lexical"]
    assert found.figures["chunks"]["all"]["n"] == 5
    assert found.latency["chunks"]["all"]["n"] == 5


def test_evaluate__asks_the_model_that_is_set_in_the_last_class(
    place: Place, folder: Path, model: RemoteServer
) -> None:
    model.script({"when": {"label": "* eval:*"}, "say": {"status": 500}})
    found = evaluate(with_model(place, "primary", url=model.url), asked(folder, "house-ko", ask=True))
    assert found.figures["ask:answerable"]["all"]["failed"] > 0
    assert {call.klass for call in model.calls} == {"background"}
    assert "synthesis eval:house-ko/house-ko-0" in {call.label for call in model.calls}


def test_evaluate__without_the_embedder_that_is_set_says_so(place: Place, folder: Path) -> None:
    away = with_model(place, "embed", url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SeodangError, match="Not all vectors were made, the embedder is away"):
        evaluate(away, asked(folder))


def test_evaluate__analyses_each_question_before_it_is_searched(
    place: Place, folder: Path, model: RemoteServer
) -> None:
    reply = {
        "language": "ko",
        "queries": [
            {"language": "ko", "text": "승강기의 정원은 열세 명", "weight": 0.6},
            {"language": "en", "text": "lift capacity", "weight": 0.4},
        ],
        "confidence": 0.95,
    }
    model.script({"when": {"label": "analyze question:*"}, "say": {"text": json.dumps(reply, ensure_ascii=False)}})
    sets = read_sets(folder)
    analysed = Asked(sets, named(sets, "house-ko"), None, Options(analyze=True), ask=False)
    found = evaluate(with_model(place, "primary", url=model.url), analysed)
    assert found.figures["fused"]["tag:synonym"]["R@10"] == 1.0  # found in the analyser's words, not in its own
    assert found.figures["lexical"]["tag:synonym"]["R@10"] == 0.0
    assert len([call for call in model.calls if call.label.startswith("analyze")]) == 3


@pytest.mark.timeout(240)
def test_cli__runs_lists_and_says_what_is_wrong(tmp_path: Path, folder: Path) -> None:
    environment = environment_of(tmp_path / "home", free_port())
    options = ("--sets", "house-ko", "--rerank", "false", "--ask-sample", "1", "--json")
    done = seodang(environment, "eval", "run", str(folder), *options)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["figures"]["fused"]["set:house-ko"]["R@1"] == 0.6667
    assert "searching: 100 %" in done.stderr
    assert "asking: 100 %" in done.stderr
    assert (found["options"]["ask"], found["options"]["ask_sample"]) == (True, 1)
    assert found["figures"]["ask:answerable"]["set:house-ko"]["n"] == 1
    (listed,) = json.loads(seodang(environment, "eval", "list", "--json").stdout)["runs"]
    assert (listed["id"], listed["asked"], listed["figures"]["n"]) == (found["run"], ["house-ko"], 3)
    nothing = seodang(environment, "eval", "run", str(tmp_path / "home"), "--json")
    assert nothing.returncode == 1
    assert "There is no evaluation set in" in json.loads(nothing.stdout)["error"]["message"]
