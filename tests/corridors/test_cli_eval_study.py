"""`seodang eval run --study true`: multiple-choice sets are explained in the evaluation's own database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.databases import databases_beside, drop_database
from db.plain import plain
from services.command import eval_corpus
from services.command.eval_study import StudyRun, evaluate_study, landed_wrong, show_study
from services.command.place import Place
from services.evaluate.sets import SetError, read_sets
from services.kit.settings import Settings
from tests.fakes.evaluation_sets import ENGLISH, KOREAN, write_set
from tests.fakes.model_server import RemoteServer, in_process
from tests.stages.conftest import only
from tests.stages.study_notes import reply, served_by

pytestmark = pytest.mark.slow
QUESTIONS: Sequence[Mapping[str, Any]] = [
    {"text": "안전밸브의 작동 압력은?", "gold": ["valve"], "choices": ["1.2 MPa", "분기마다", "열세 명"], "correct": 0},
    {"text": "승강기의 정원은?", "gold": ["lift"], "choices": ["네 명", "열세 명"], "correct": 1},
    {"text": "주차장은 어디인가?", "kind": "withheld", "choices": ["지하 주차 구역", "옥상 정원"], "correct": 0},
    {"text": "펌프는 몇 kW인가?", "gold": ["pump"]},
]


@pytest.fixture
def place(settings: Settings, dsn: str) -> Iterator[Place]:
    with plain(dsn) as db:
        yield Place(settings, dsn, db)
    for each in databases_beside(dsn, eval_corpus.PREFIX):
        drop_database(dsn, each.name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_set(tmp_path / "sets" / "study-ko", KOREAN, QUESTIONS)
    write_set(tmp_path / "sets" / "plain-en", ENGLISH, [{"text": "What does it burn?", "gold": ["boiler"]}], "en")
    return tmp_path / "sets"


def run(place: Place, folder: Path, sample: int | None = None) -> StudyRun:
    sets = read_sets(folder)
    return evaluate_study(place, sets, sets, sample, {"prompt_versions": {}, "models": {}})


def test_study__explains_by_the_built_in_rules_and_says_how_it_ended(
    place: Place, folder: Path, db: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(place, folder)
    everything = found.figures["all"]
    assert (everything["n"], everything["open"], everything["failed"], everything["elsewhere"]) == (3, 0, 0, 0)
    assert everything["ready"] + everything["guard_fail"] + everything["skipped"] == pytest.approx(1, abs=1e-3)
    assert everything["ready"] >= 0.3333
    assert (everything["cites"], everything["gold"], everything["fits_other"]) == (1, 1, 0)
    assert found.figures["tag:withheld"]["ready"] == 0
    assert not landed_wrong(found)
    stored = only(db, "SELECT options, figures, results FROM eval_runs")
    assert stored["options"] == {"sets": ["study-ko"], "sample": None, "study": True}
    assert stored["figures"]["study"]["all"] == everything
    assert set(stored["results"]["study"]["study-ko"]) == {"study-ko-0", "study-ko-1", "study-ko-2"}
    assert only(db, "SELECT count(*) AS n FROM study_topics")["n"] == 0
    show_study(found)
    assert "set:study-ko" in capsys.readouterr().out


def test_study__again_gives_the_same(place: Place, folder: Path) -> None:
    assert run(place, folder).figures == run(place, folder).figures


@pytest.fixture(scope="module")
def model() -> Iterator[RemoteServer]:
    with in_process() as server:
        yield server


def test_study__counts_the_models_guard_failures(
    model: RemoteServer, settings: Settings, place: Place, folder: Path
) -> None:
    model.say(text=reply(answer_choice=1, explanation_md="지침에 그렇게 나옵니다.", confidence="high"))
    found = run(replace(place, settings=served_by(settings, model.url)), folder)
    everything = found.figures["all"]
    assert (everything["ready"], everything["guard_fail"], everything["elsewhere"]) == (0.6667, 0.3333, 0)


def test_study__of_sets_without_choices_is_refused(place: Place, folder: Path) -> None:
    with pytest.raises(SetError, match="choices"):
        run(place, folder / "plain-en")
