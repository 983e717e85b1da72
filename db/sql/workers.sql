-- name: register_worker(stage, host, pid, lease_s, worker_locks) -> value
-- Writes the worker's row and takes its lock before anybody can see the row: no moment in which it looks dead.
WITH new AS (
    INSERT INTO workers (stage, host, pid, lease_s) VALUES ($1, $2, $3, $4) RETURNING id
), locked AS MATERIALIZED (
    SELECT id, pg_advisory_lock($5, id) FROM new
)
SELECT id FROM locked;

-- name: beat_worker(worker) -> none
-- Says that the worker's loop turns.
UPDATE workers SET beat_at = now() WHERE id = $1;

-- name: leave_worker(worker) -> none
DELETE FROM workers WHERE id = $1;

-- name: bury_workers(worker_locks) -> none
-- Removes the rows of dead workers: those whose lock is free.
DELETE FROM workers w
WHERE NOT EXISTS (SELECT 1 FROM pg_locks l
                  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                    AND l.classid = $1::oid AND l.objid = w.id::oid
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()));

-- name: list_workers(worker_locks) -> many
-- Lists the daemons that are alive now, with the rows each has in hand.
SELECT w.id, w.stage, w.host, w.pid, w.started_at,
       extract(epoch FROM now() - w.beat_at)::float8 AS beat_age_s,
       (SELECT count(*) FROM inbox WHERE status = 'processing' AND worker = w.id)
     + (SELECT count(*) FROM document_jobs WHERE status = 'processing' AND worker = w.id)
     + (SELECT count(*) FROM asks WHERE status = 'processing' AND worker = w.id) AS in_hand
FROM workers w
WHERE EXISTS (SELECT 1 FROM pg_locks l
              WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                AND l.classid = $1::oid AND l.objid = w.id::oid
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY w.stage, w.id;
