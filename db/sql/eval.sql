-- name: hold_evaluation(space, number) -> value
-- Takes the lock of the one evaluation that may run; it goes with the session. False where another one runs.
SELECT pg_try_advisory_lock($1, $2);

-- name: insert_eval_run(started_at, sets, options, settings, prompt_versions, models, chunker, schema_version, figures, latency, results) -> value
-- Stores a run that has ended.
INSERT INTO eval_runs (started_at, sets, options, settings, prompt_versions, models, chunker, schema_version, figures,
                       latency, results)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING id;

-- name: last_eval_run(sets, options) -> one
-- Gives the last run of the same sets, by the hashes of their files, with the same options.
SELECT id, started_at, figures, latency, results
FROM eval_runs
WHERE sets = $1::jsonb AND options = $2::jsonb
ORDER BY id DESC
LIMIT 1;

-- name: list_eval_runs(most) -> many
-- Lists runs, newest first.
SELECT id, started_at, extract(epoch FROM finished_at - started_at)::float8 AS took_s,
       array(SELECT jsonb_array_elements_text(options -> 'sets')) AS asked,
       options, chunker, models, figures -> 'fused' -> 'all' AS figures, latency -> 'fused' -> 'all' AS latency
FROM eval_runs
ORDER BY id DESC
LIMIT $1;
