-- The verbs of a job: nothing else moves a row of a queue. "a_queue" stands for one of the tables in db/queue.py:
-- the same text serves them all, and only names from that closed list are ever put in its place.

-- name: queue_claim(stage, worker, most, after_urgency, after_id, ceiling) -> many
-- Takes up to `most` ready rows from the head of the order, after the position the caller remembers, and none that
-- is less urgent than `ceiling`. The row lock lives as long as this statement: work is done without it.
-- Its commit need not reach the disk before the work begins: a claim lost with the server's power is a row that is
-- pending again, which is what it should be.
-- The ids become a value, ARRAY(…), before the update begins: joined instead, the planner may scan the table, and a
-- LIMIT below a join may run more than once.
WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE a_queue AS q
SET status = 'processing', worker = $2, claim = q.claim + 1, attempts = q.attempts + 1,
    started_at = now(), error_code = NULL, error_message = NULL
WHERE q.id = ANY (ARRAY(
    SELECT id
    FROM a_queue
    WHERE stage = $1
      AND status = 'pending'
      AND run_at IS NULL
      AND (urgency, id) > ($4::smallint, $5::bigint)
      AND urgency <= $6::smallint
      AND (SELECT count(*) FROM relaxed) = 1
    ORDER BY urgency, id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
))
RETURNING q.urgency, q.id, q.claim, q.attempts, q.max_attempts,
          date_part('epoch', now() - q.created_at) * 1000 AS queue_ms;

-- name: queue_end(ids, claims, statuses, codes, messages, delays_s, refunds, payloads) -> many
-- Ends or gives back the rows whose claim is still the caller's; returns their ids. A row that is missing from the
-- result was lost to somebody else, and whatever was to be written with it must not be.
UPDATE a_queue AS q
SET status = e.status,
    worker = NULL,
    error_code = e.code,
    error_message = e.message,
    attempts = q.attempts - e.refund,
    run_at = now() + make_interval(secs => e.delay_s),
    completed_at = CASE WHEN e.status = 'pending' THEN NULL ELSE now() END,
    payload = CASE WHEN e.payload IS NULL THEN q.payload ELSE coalesce(q.payload, '{}') || e.payload END
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::smallint[], $8::jsonb[])
     AS e(id, claim, status, code, message, delay_s, refund, payload)
WHERE q.id = e.id
  AND q.claim = e.claim
  AND q.status = 'processing'
RETURNING q.id;

-- name: queue_turn(ids, claims, stage, worker, most, after_urgency, after_id, ceiling) -> many
-- Completes a batch that has nothing to write and claims the next one, in one round trip and one commit.
-- `claim` is NULL in the rows that name a given id which was lost to somebody else: mostly there is none.
-- Nothing is written here but the end, so the worker's number with the claims of its batch is fence enough, and spares
-- a join that the planner, who expects one row, would turn into a loop. IS TRUE keeps it at the primary key: the index
-- of what is processing is full of the dead entries of the batches before.
WITH ended AS (
    UPDATE a_queue AS q
    SET status = 'completed', worker = NULL, completed_at = now()
    WHERE q.id = ANY ($1::bigint[])
      AND q.claim = ANY ($2::bigint[])
      AND (q.worker = $4) IS TRUE
      AND (q.status = 'processing') IS TRUE
    RETURNING q.id
), claimed AS (
    UPDATE a_queue AS q
    SET status = 'processing', worker = $4, claim = q.claim + 1, attempts = q.attempts + 1,
        started_at = now(), error_code = NULL, error_message = NULL
    WHERE q.id = ANY (ARRAY(
        SELECT id
        FROM a_queue
        WHERE stage = $3
          AND status = 'pending'
          AND run_at IS NULL
          AND (urgency, id) > ($6::smallint, $7::bigint)
          AND urgency <= $8::smallint
        ORDER BY urgency, id
        LIMIT $5
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING q.urgency, q.id, q.claim, q.attempts, q.max_attempts,
              date_part('epoch', now() - q.created_at) * 1000 AS queue_ms
)
SELECT NULL::smallint AS urgency, e.id, NULL::bigint AS claim, NULL::smallint AS attempts,
       NULL::smallint AS max_attempts, NULL::float8 AS queue_ms
FROM unnest($1::bigint[]) AS e(id)
WHERE e.id NOT IN (SELECT ended.id FROM ended)
UNION ALL
SELECT urgency, id, claim, attempts, max_attempts, queue_ms
FROM claimed;

-- name: queue_rescue(stage, worker_locks, max_crashes, stale_s, me) -> many
-- Gives back the rows of workers that are gone (their session lock is free), that hang (no sign of life for their
-- lease), or that never said who they are (`stale_s` after the start). A crash costs no attempt: a row is not to
-- blame for the power cut. `me` is alive, whatever its last beat says: after a night with the lid closed the rows of
-- the one who asks look like those of a hung worker. One that was in hand at `max_crashes` crashes is ended, so that it cannot kill for ever.
UPDATE a_queue AS q
SET status = CASE WHEN q.crashes + 1 >= $3 THEN 'failed' ELSE 'pending' END,
    completed_at = CASE WHEN q.crashes + 1 >= $3 THEN now() END,
    crashes = q.crashes + 1,
    attempts = greatest(q.attempts - 1, 0),
    worker = NULL,
    error_code = CASE WHEN q.crashes + 1 >= $3 THEN 'unknown' END,
    error_message = CASE WHEN q.crashes + 1 >= $3
        THEN 'WorkerDied: the process that held this row died or hung ' || $3 || ' times' END
-- IS TRUE keeps the stage from being an index condition: a plan made while the table was empty would else read
-- "one active row" of document_jobs, which holds all that waits, and not the few rows that are being worked on.
WHERE (q.stage = $1) IS TRUE
  AND q.status = 'processing'
  AND q.worker IS DISTINCT FROM $5::integer
  AND CASE
      WHEN q.worker IS NULL THEN q.started_at IS NULL OR q.started_at < now() - make_interval(secs => $4)
      ELSE NOT EXISTS (SELECT 1 FROM pg_locks l
                       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                         AND l.classid = $2::oid AND l.objid = q.worker::oid
                         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        OR EXISTS (SELECT 1 FROM workers w
                   WHERE w.id = q.worker AND w.beat_at < now() - make_interval(secs => w.lease_s))
      END
RETURNING q.id, q.status;

-- name: queue_promote(stage) -> value
-- Makes put-off rows ready whose time has come; says after how many seconds the next one is due (NULL: none waits).
-- IS TRUE: see queue_rescue; only put-off rows are to be read.
WITH due AS (
    UPDATE a_queue
    SET run_at = NULL
    WHERE (stage = $1) IS TRUE AND status = 'pending' AND run_at <= now()
    RETURNING id
)
SELECT CASE WHEN EXISTS (SELECT 1 FROM due) THEN 0
            ELSE extract(epoch FROM min(run_at) - now())::float8 END
FROM a_queue
WHERE (stage = $1) IS TRUE AND status = 'pending' AND run_at > now();

-- name: queue_archive(queue, days, most) -> value
-- Moves finished rows of over `days` days out of the queue, oldest first; says how many.
WITH old AS (
    SELECT id
    FROM a_queue
    WHERE status IN ('completed', 'failed', 'skipped')
      AND completed_at < now() - make_interval(days => $2)
    ORDER BY id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM a_queue AS q USING old WHERE q.id = old.id RETURNING q.*
), kept AS (
    INSERT INTO queue_archive (queue, id, job)
    SELECT $1, gone.id, to_jsonb(gone) - 'content' FROM gone
    ON CONFLICT (queue, id) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept;

-- name: queue_active(stage) -> many
-- Counts what waits and what is worked on, with the age of the oldest; reads partial indexes only, never history.
SELECT stage, 'pending' AS status, count(*) AS count,
       extract(epoch FROM now() - min(created_at))::float8 AS oldest_seconds
FROM a_queue
WHERE status = 'pending' AND ($1::text IS NULL OR stage = $1)
GROUP BY stage
UNION ALL
SELECT stage, 'processing', count(*), extract(epoch FROM now() - min(started_at))::float8
FROM a_queue
WHERE status = 'processing' AND ($1::text IS NULL OR stage = $1)
GROUP BY stage;

-- name: ring(channel) -> none
-- Wakes the daemons of a queue whose rows were given back: an UPDATE has no trigger for that.
SELECT pg_notify($1, '');
