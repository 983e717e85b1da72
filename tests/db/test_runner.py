"""The one loop, in process, against a real queue: what wakes it, what it survives, how it ends rows and itself."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import psycopg
import pytest
from structlog.testing import capture_logs

from db.jobs import Job
from services.kit import runner as runner_module
from services.kit import shift as shift_module
from services.kit.errors import DocumentError, JobError
from services.kit.outcome import NOTHING_MORE, Completed, Failed, Outcome, Retry, Skipped, Write
from services.kit.stage import ANY_URGENCY, FOREGROUND, Stage
from tests.db.errands import row
from tests.db.running import done, drain, each, kill, living, put_ask, running, stage_of, status
from tests.fakes.tcp_proxy import proxied
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


class Bench:
    """A stage whose jobs stay in hand until the test lets them go."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.let_go = anyio.Event()

    async def work(self, job: Job) -> Outcome:
        self.begun.append(job.id)
        await self.let_go.wait()
        return NOTHING_MORE


def answer(ask_id: int, text: str) -> Write:
    """A write of the product's own, of which there must be exactly one."""
    names = ("completeness", "refused", "refuse_reason", "confidence", "citations", "trace", "prompt_version", "model")
    return Write.once("save_answer", id=ask_id, answer=text, **dict.fromkeys(names))


def page(number: int) -> Write:
    """A write that only one can make for a document."""
    page = {"document_id": 1, "version": 1, "number": number, "label": "1", "text": "x", "lines": None}
    return Write.once("insert_page", **page, origin="text", note="", headings=None)


@pytest.fixture
def document(db: psycopg.Connection) -> int:
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes) VALUES ('a', 'a', 'a', %s, 1)",
        ["a" * 64],
    )
    return 1


# -- wake-ups ----------------------------------------------------------------------------------------------------------


async def test_runner__works_a_row_as_soon_as_it_is_committed(dsn: str, db: psycopg.Connection) -> None:
    async with running(dsn, each(done)):
        await eventually(lambda: living(db, "synthesis:listen"))
        for _ in range(3):
            job_id = put_ask(db)
            await eventually(lambda job_id=job_id: status(db, job_id) == "completed")


async def test_runner__finds_by_itself_within_the_look_time_what_nobody_announced(
    dsn: str, db: psycopg.Connection
) -> None:
    db.execute("ALTER TABLE asks DISABLE TRIGGER asks_announce")
    async with running(dsn, each(done), look_s=0.2):
        await eventually(lambda: living(db, "synthesis:listen"))
        for _ in range(2):
            job_id = put_ask(db)
            await eventually(lambda job_id=job_id: status(db, job_id) == "completed", within_s=3)


async def test_runner__whose_ears_were_cut_off_reconnects_and_looks(dsn: str, db: psycopg.Connection) -> None:
    async with running(dsn, each(done)):
        await eventually(lambda: living(db, "synthesis:listen"))
        kill(db, "synthesis:listen")
        unheard = put_ask(db)
        await eventually(lambda: status(db, unheard) == "completed")
        await eventually(lambda: living(db, "synthesis:listen"))
        heard = put_ask(db)
        await eventually(lambda: status(db, heard) == "completed")


async def test_runner__takes_up_what_was_put_off_when_its_time_comes(dsn: str, db: psycopg.Connection) -> None:
    attempts: list[float] = []

    async def later(_: Job) -> Outcome:
        attempts.append(perf_counter())
        return NOTHING_MORE if len(attempts) == 2 else Retry("model_unavailable", after_s=0.3, counted=False)

    async with running(dsn, each(later)):
        job_id = put_ask(db)
        await eventually(lambda: status(db, job_id) == "completed")
    assert attempts[1] - attempts[0] > 0.25
    assert row(db, job_id, "asks")["attempts"] == 1


# -- the row in hand ---------------------------------------------------------------------------------------------------


async def test_runner__shows_a_row_in_hand_to_everybody(dsn: str, db: psycopg.Connection) -> None:
    bench, job_id = Bench(), put_ask(db)
    async with running(dsn, each(bench.work)):
        await eventually(lambda: bench.begun)
        now = row(db, job_id, "asks")
        assert (now["status"], now["attempts"]) == ("processing", 1)
        assert now["started_at"] is not None
        assert db.execute("SELECT stage FROM workers WHERE id = %s", [now["worker"]]).fetchone() == ("synthesis",)
        locked = (
            "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        )
        assert db.execute(locked).fetchone() is None
        bench.let_go.set()
        await eventually(lambda: status(db, job_id) == "completed")


async def test_runner__whose_session_is_killed_in_mid_job_does_it_once(dsn: str, db: psycopg.Connection) -> None:
    begun: list[int] = []

    async def work(job: Job) -> Outcome:
        begun.append(job.claim)
        if len(begun) == 1:
            await anyio.sleep_forever()
        return Completed((answer(job.id, f"by claim {job.claim}"),))

    job_id = put_ask(db)
    async with running(dsn, each(work)):
        await eventually(lambda: begun)
        kill(db)
        await eventually(lambda: status(db, job_id) == "completed")
    now = row(db, job_id, "asks")
    assert begun == [1, 2]
    assert (now["answer"], now["attempts"], now["crashes"]) == ("by claim 2", 1, 1)


async def test_runner__that_lost_its_claim_writes_nothing(dsn: str, db: psycopg.Connection) -> None:
    bench = Bench()

    async def work(job: Job) -> Outcome:
        await bench.work(job)
        return Completed((answer(job.id, "too late"),), payload={"late": True})

    job_id = put_ask(db)
    with capture_logs() as logs:
        async with running(dsn, each(work)):
            await eventually(lambda: bench.begun)
            db.execute("UPDATE asks SET claim = claim + 1")
            before = row(db, job_id, "asks")
            bench.let_go.set()
            await eventually(lambda: any(line["event"] == "claim_lost" for line in logs))
    assert row(db, job_id, "asks") == before
    assert not any(line["event"] == "job_crashed" for line in logs)


async def test_runner__does_not_take_its_own_rows_for_those_of_a_hung_worker(dsn: str, db: psycopg.Connection) -> None:
    bench, job_id = Bench(), put_ask(db)
    async with running(dsn, each(bench.work)):
        await eventually(lambda: bench.begun)
        # What a process finds that slept with its lid closed: the clock went on, its heart did not.
        db.execute("UPDATE workers SET beat_at = now() - interval '1 hour'")
        db.execute("INSERT INTO asks (question, run_at) VALUES ('due', '-infinity')")
        await eventually(lambda: db.execute("SELECT 1 FROM asks WHERE run_at IS NULL AND question = 'due'").fetchone())
        bench.let_go.set()
        await eventually(lambda: status(db, job_id) == "completed")
    assert (bench.begun.count(job_id), row(db, job_id, "asks")["crashes"]) == (1, 0)


async def test_runner__beats_while_a_job_takes_long(dsn: str, db: psycopg.Connection) -> None:
    bench = Bench()
    put_ask(db)
    async with running(dsn, each(bench.work, lease_s=0.4)):
        await eventually(lambda: bench.begun)
        first = db.execute("SELECT beat_at FROM workers").fetchone()
        await eventually(lambda: db.execute("SELECT beat_at FROM workers").fetchone() > first)
        bench.let_go.set()


# -- endings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (ValueError("no JSON in it"), "unknown", "ValueError: no JSON in it"),
        (JobError("llm_timeout", "30 s are over"), "llm_timeout", "JobError: 30 s are over"),
        (ValueError("half \udcff a character, and \0"), "unknown", "ValueError: half ? a character, and "),
    ],
)
async def test_runner__names_an_exception_and_stops_after_the_last_attempt(
    raised: Exception, code: str, message: str, dsn: str, db: psycopg.Connection
) -> None:
    calls: list[int] = []

    async def work(job: Job) -> Outcome:
        calls.append(job.attempts)
        raise raised

    job_id = put_ask(db)
    async with running(dsn, each(work)):
        await eventually(lambda: status(db, job_id) == "failed")
    now = row(db, job_id, "asks")
    assert calls == [1, 2]
    assert (now["error_code"], now["error_message"], now["attempts"]) == (code, message, 2)


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        (Failed("guard_fail", "two strong findings"), ("failed", "guard_fail", "two strong findings")),
        (Skipped("evidence_missing"), ("skipped", "evidence_missing", None)),
        (DocumentError("encrypted", "It has a password."), ("failed", "encrypted", "It has a password.")),
    ],
)
async def test_runner__ends_at_once_what_another_try_cannot_help(
    outcome: Outcome | DocumentError, ending: tuple[str, str, str | None], dsn: str, db: psycopg.Connection
) -> None:
    async def work(_: Job) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    job_id = put_ask(db)
    await drain(dsn, each(work))
    now = row(db, job_id, "asks")
    assert (now["status"], now["error_code"], now["error_message"]) == ending
    assert now["attempts"] == 1


async def test_runner__completes_the_others_of_a_batch_with_one_poisoned_job(dsn: str, db: psycopg.Connection) -> None:
    jobs = [put_ask(db, "poison" if number == 2 else "food") for number in range(5)]

    async def run(batch: Sequence[Job], _: Any) -> Sequence[Outcome]:
        if jobs[2] in {job.id for job in batch}:
            raise RuntimeError("not this one")
        return [Completed((answer(job.id, "eaten"),)) for job in batch]

    async with running(dsn, stage_of(run, batch=16)):
        await eventually(lambda: status(db, jobs[2]) == "failed")
    rows = [row(db, job_id, "asks") for job_id in jobs]
    assert [each["status"] for each in rows] == ["completed", "completed", "failed", "completed", "completed"]
    assert [each["attempts"] for each in rows] == [1, 1, 2, 1, 1]
    assert rows[2]["error_message"] == "RuntimeError: not this one"


@pytest.mark.usefixtures("document")
async def test_runner__saves_the_others_of_a_batch_when_one_cannot_be_saved(dsn: str, db: psycopg.Connection) -> None:
    jobs = [put_ask(db) for _ in range(3)]

    async def run(batch: Sequence[Job], _: Any) -> Sequence[Outcome]:
        wrong = Write.once("save_extracted_text", id=jobs[1], version="no number")
        return [Completed((wrong if job.id == jobs[1] else answer(job.id, "kept"),)) for job in batch]

    async with running(dsn, stage_of(run, batch=16)):
        await eventually(lambda: status(db, jobs[1]) == "failed")
    assert [row(db, job_id, "asks")["answer"] for job_id in jobs] == ["kept", None, "kept"]
    assert row(db, jobs[1], "asks")["error_message"].startswith("Refused: DataError")


@pytest.mark.usefixtures("document")
async def test_runner__works_a_job_again_that_lost_a_race_on_a_unique_rule(dsn: str, db: psycopg.Connection) -> None:
    calls: list[int] = []

    async def work(job: Job) -> Outcome:
        calls.append(job.attempts)
        return Completed((page(1 if len(calls) < 3 else 2), answer(job.id, f"at call {len(calls)}")))

    db.execute("INSERT INTO document_pages (document_id, version, number, label, text) VALUES (1, 1, 1, '1', 'x')")
    job_id = put_ask(db)
    await drain(dsn, each(work))
    now = row(db, job_id, "asks")
    assert (now["status"], now["answer"], now["attempts"]) == ("completed", "at call 3", 1)
    assert calls == [1, 1, 1]


@pytest.mark.slow
async def test_runner__saves_again_what_a_deadlock_undid(dsn: str, db: psycopg.Connection, document: int) -> None:
    db.execute(
        "INSERT INTO documents (title, filename, media_type, sha256, size_bytes) VALUES ('b', 'b', 'b', %s, 1)",
        ["b" * 64],
    )
    worked: list[int] = []

    async def work(job: Job) -> Outcome:
        worked.append(job.id)
        return Completed((Write.once("lock_document", id=document), Write.once("lock_document", id=document + 1)))

    with psycopg.connect(dsn) as other:
        other.execute("SET deadlock_timeout = '20s'")  # so that it is not this one that the server undoes
        other.execute("SELECT FROM documents WHERE id = %s FOR UPDATE", [document + 1])
        job_id = put_ask(db)
        async with running(dsn, each(work)):
            await eventually(lambda: db.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is not None)
            await anyio.to_thread.run_sync(
                lambda: other.execute("SELECT FROM documents WHERE id = %s FOR UPDATE", [document])
            )
            other.commit()
            await eventually(lambda: status(db, job_id) == "completed")
    assert worked == [job_id]
    assert row(db, job_id, "asks")["attempts"] == 1


@pytest.mark.usefixtures("document")
async def test_runner__does_not_race_for_ever(dsn: str, db: psycopg.Connection) -> None:
    async def work(_: Job) -> Outcome:
        return Completed((page(1),))

    db.execute("INSERT INTO document_pages (document_id, version, number, label, text) VALUES (1, 1, 1, '1', 'x')")
    job_id = put_ask(db)
    async with running(dsn, each(work)):
        await eventually(lambda: status(db, job_id) == "failed")
    now = row(db, job_id, "asks")
    assert (now["error_code"], now["attempts"]) == ("unknown", 2)
    assert now["error_message"].startswith("Conflict: document_pages_pkey")


@pytest.mark.usefixtures("document")
async def test_runner__survives_a_refusal_after_a_lost_race(dsn: str, db: psycopg.Connection) -> None:
    calls: list[int] = []

    async def work(job: Job) -> Outcome:
        calls.append(job.attempts)
        return Completed((page(1) if len(calls) % 2 else Write.once("drop_chunks", document_id="no number", kept=[]),))

    db.execute("INSERT INTO document_pages (document_id, version, number, label, text) VALUES (1, 1, 1, '1', 'x')")
    job_id = put_ask(db)
    async with running(dsn, each(work)):
        await eventually(lambda: status(db, job_id) == "failed")
    now = row(db, job_id, "asks")
    assert (now["attempts"], now["crashes"]) == (2, 0)
    assert now["error_message"].startswith("Refused: DataError")


async def test_runner__hands_on_the_subject_in_the_transaction_of_the_end(
    dsn: str, db: psycopg.Connection, document: int
) -> None:
    async def work(_: Job) -> Outcome:
        return Completed(subject=document)

    job_id = put_ask(db)
    await drain(dsn, each(work, then=("embed", "classify")))
    rows = db.execute("SELECT stage, document_id, created_at FROM document_jobs ORDER BY stage DESC").fetchall()
    ended = row(db, job_id, "asks")["completed_at"]
    assert rows == [("embed", document, ended), ("classify", document, ended)]


async def test_runner__that_cannot_hand_on_does_not_complete(dsn: str, db: psycopg.Connection) -> None:
    async def work(_: Job) -> Outcome:
        return Completed(subject=404)

    job_id = put_ask(db)
    async with running(dsn, each(work, then=("embed",))):
        await eventually(lambda: status(db, job_id) == "failed")
    assert "document_jobs_document_id_fkey" in row(db, job_id, "asks")["error_message"]


async def test_runner__ends_batches_with_nothing_to_write_in_turn(dsn: str, db: psycopg.Connection) -> None:
    db.execute("INSERT INTO asks (question) SELECT 'q' FROM generate_series(1, 100)")
    sizes: list[int] = []

    async def run(batch: Sequence[Job], _: Any) -> Sequence[Outcome]:
        sizes.append(len(batch))
        return [NOTHING_MORE] * len(batch)

    runner = await drain(dsn, stage_of(run, batch=16))
    assert sizes == [16] * 6 + [4]
    assert runner.completed == 100
    assert db.execute("SELECT DISTINCT status FROM asks").fetchall() == [("completed",)]


# -- lanes and neighbours ----------------------------------------------------------------------------------------------


async def test_runner__answers_a_person_while_a_slow_background_job_is_in_hand(
    dsn: str, db: psycopg.Connection
) -> None:
    bench = Bench()
    slow, waiting = put_ask(db, "slow"), put_ask(db, "slow too")

    async def work(job: Job) -> Outcome:
        return await (bench.work(job) if job.id in (slow, waiting) else done(job))

    async with running(dsn, each(work, lanes=(ANY_URGENCY, FOREGROUND))):
        await eventually(lambda: bench.begun == [slow])
        person = put_ask(db, "now", "foreground")
        await eventually(lambda: status(db, person) == "completed")
        assert (status(db, slow), status(db, waiting)) == ("processing", "pending")
        bench.let_go.set()
        await eventually(lambda: status(db, waiting) == "completed")


async def test_runners__side_by_side_work_each_row_once(dsn: str, db: psycopg.Connection) -> None:
    worked: list[int] = []

    async def run(batch: Sequence[Job], _: Any) -> Sequence[Outcome]:
        worked.extend(job.id for job in batch)
        await anyio.lowlevel.checkpoint()
        return [NOTHING_MORE] * len(batch)

    stage = stage_of(run, batch=3)
    async with running(dsn, stage), running(dsn, stage), running(dsn, stage):
        db.execute("INSERT INTO asks (question) SELECT 'q' FROM generate_series(1, 200)")
        left = "SELECT count(*) FROM asks WHERE status <> 'completed'"
        await eventually(lambda: db.execute(left).fetchone() == (0,))
    assert sorted(worked) == list(range(1, 201))


async def test_runner__does_its_upkeep_when_nothing_is_to_do(dsn: str, db: psycopg.Connection, document: int) -> None:
    db.execute("INSERT INTO chunks (document_id, chunk_index, text, terms) VALUES (%s, 0, 'x', '{7}')", [document])
    db.execute(
        "INSERT INTO asks (question, status, completed_at) VALUES ('old', 'completed', now() - interval '9 days')"
    )
    db.execute("INSERT INTO workers (stage, host, pid, lease_s) VALUES ('synthesis', 'gone', 1, 60)")
    async with running(dsn, each(done, upkeep=("fold_term_stats",)), archive_after_days=7):
        await eventually(lambda: db.execute("SELECT count(*) FROM term_stats").fetchone() == (2,))
        await eventually(lambda: db.execute("SELECT count(*) FROM queue_archive").fetchone() == (1,))
        assert db.execute("SELECT count(*) FROM workers").fetchone() == (1,)


# -- stopping ----------------------------------------------------------------------------------------------------------


async def test_stop__ends_an_idle_runner_at_once(dsn: str, db: psycopg.Connection) -> None:
    async with running(dsn, each(done), grace_s=60, within_s=10) as runner:
        await eventually(lambda: living(db, "synthesis:listen"))
        runner.stop()
    assert db.execute("SELECT count(*) FROM workers").fetchone() == (0,)
    await eventually(lambda: living(db) + living(db, "synthesis:listen") == 0)


async def test_stop__lets_the_row_in_hand_be_finished(dsn: str, db: psycopg.Connection) -> None:
    bench, job_id = Bench(), put_ask(db)
    async with running(dsn, each(bench.work), grace_s=60, within_s=10) as runner:
        await eventually(lambda: bench.begun)
        following = put_ask(db)
        runner.stop()
        bench.let_go.set()
    assert (status(db, job_id), status(db, following)) == ("completed", "pending")


async def test_stop__said_while_the_last_row_ends_is_not_slept_over(dsn: str, db: psycopg.Connection) -> None:
    bench, job_id = Bench(), put_ask(db)
    async with running(dsn, each(bench.work), grace_s=60, within_s=10):
        await eventually(lambda: bench.begun)
        bench.let_go.set()
    assert status(db, job_id) == "completed"


async def test_stop__gives_back_after_the_grace_what_is_not_finished(dsn: str, db: psycopg.Connection) -> None:
    jobs = [put_ask(db) for _ in range(3)]
    bench = Bench()

    async def run(batch: Sequence[Job], _: Any) -> Sequence[Outcome]:
        return [await bench.work(job) for job in batch]

    async with running(dsn, stage_of(run, batch=16), grace_s=0.2, within_s=10) as runner:
        await eventually(lambda: bench.begun)
        runner.stop()
    for job_id in jobs:
        now = row(db, job_id, "asks")
        assert (now["status"], now["attempts"], now["crashes"], now["worker"]) == ("pending", 0, 0, None)
        assert now["error_code"] is None


async def test_stop__wakes_others_to_take_what_was_given_back(dsn: str, db: psycopg.Connection) -> None:
    bench, job_id = Bench(), put_ask(db)
    async with running(dsn, each(bench.work), grace_s=0.1) as leaving:
        await eventually(lambda: bench.begun)
        async with running(dsn, each(done)):
            await eventually(lambda: living(db, "synthesis:listen") == 2)
            leaving.stop()
            await eventually(lambda: status(db, job_id) == "completed")


async def test_stop__ends_a_runner_that_waits_for_its_database() -> None:
    async with running("postgresql://seodang@127.0.0.1:1/nowhere", each(done), within_s=10):
        with anyio.move_on_after(0.3):
            await anyio.sleep_forever()


async def test_until_empty__drains_everything_and_its_followers(
    dsn: str, db: psycopg.Connection, document: int
) -> None:
    for priority in ("background", "foreground", "background"):
        put_ask(db, "q", priority)

    async def work(_: Job) -> Outcome:
        return Completed(subject=document)

    async def follow(jobs: Sequence[Job], _: Any) -> Sequence[Outcome]:
        return [NOTHING_MORE for _ in jobs]

    await drain(dsn, each(work, then=("embed",), lanes=(ANY_URGENCY, FOREGROUND)))
    assert db.execute("SELECT DISTINCT status FROM asks").fetchall() == [("completed",)]
    await drain(dsn, Stage("embed", queue="document_jobs", run=follow))
    assert db.execute("SELECT stage, status FROM document_jobs").fetchall() == [("embed", "completed")]


# -- the database goes away --------------------------------------------------------------------------------------------


async def test_runner__takes_a_lost_database_for_a_pause(dsn: str, db: psycopg.Connection) -> None:
    bench, job_id = Bench(), put_ask(db)
    with capture_logs() as logs:
        async with proxied(dsn) as proxy, running(proxy.dsn, each(bench.work)):
            await eventually(lambda: bench.begun)
            proxy.close()
            await eventually(lambda: sum(line["event"] == "database_gone" for line in logs) >= 2)
            bench.let_go.set()
            await proxy.open()
            await eventually(lambda: status(db, job_id) == "completed")
            following = put_ask(db)
            await eventually(lambda: status(db, following) == "completed")
    assert bench.begun == [job_id, job_id, following]
    assert row(db, job_id, "asks")["attempts"] == 1


async def test_runner__whose_connections_are_cut_again_and_again_ends_every_row_once(
    dsn: str, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "RECONNECT_S", (0.05,))
    written: list[int] = []

    async def work(job: Job) -> Outcome:
        written.append(job.id)
        await anyio.sleep(0.005)
        return Completed((Write.once("insert_ask", question=f"effect of {job.id}", user_id=1, priority="background",
                                     filters={}),))  # fmt: skip

    db.execute("INSERT INTO asks (question, max_attempts) SELECT 'q', 1 FROM generate_series(1, 60)")
    # The effects lie in the same table, in a stage that nobody works.
    db.execute(
        "CREATE FUNCTION aside() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stage := ''x''; RETURN NEW; END'"
    )
    db.execute("CREATE TRIGGER aside BEFORE INSERT ON asks FOR EACH ROW EXECUTE FUNCTION aside()")
    left = "SELECT count(*) FROM asks WHERE stage = 'synthesis' AND status <> 'completed'"
    async with proxied(dsn) as proxy, running(proxy.dsn, each(work), max_crashes=1000):
        for cut in range(1, 4):
            await eventually(lambda cut=cut: len(written) >= 12 * cut)
            proxy.cut()
        await eventually(lambda: db.execute(left).fetchone() == (0,), within_s=25)
    effects = db.execute("SELECT count(*), count(DISTINCT question) FROM asks WHERE stage = 'x'").fetchone()
    assert effects == (60, 60)


async def test_runner__leaves_a_deaf_database_after_its_time_limit(
    dsn: str, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift_module, "STATEMENT_LIMIT_S", 0.3)
    with capture_logs() as logs:
        async with proxied(dsn) as proxy, running(proxy.dsn, each(done)):
            await eventually(lambda: living(db, "synthesis:listen"))
            proxy.deafen()
            await eventually(lambda: any(line["event"] == "database_gone" for line in logs))
            proxy.cut()
            proxy.hear()
            job_id = put_ask(db)
            await eventually(lambda: status(db, job_id) == "completed")


async def test_stop__does_not_wait_for_a_deaf_database(
    dsn: str, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each_module in (runner_module, shift_module):
        monkeypatch.setattr(each_module, "LAST_WORD_S", 0.3)
    bench = Bench()
    put_ask(db)
    async with proxied(dsn) as proxy, running(proxy.dsn, each(bench.work), grace_s=0.2, within_s=10):
        await eventually(lambda: bench.begun)
        proxy.deafen()
