-- What all processes know together about the model servers.

-- name: breaker_states(role, open_s) -> many
-- Reads how the breakers stand, of one role or, with NULL, of all that ever failed. `wait_s` counts from the opening or
-- the last probe, whichever came later: a probe that died without a word is replaced after the same time.
SELECT role, failures, opened_at, last_error, updated_at,
       coalesce(greatest(0, extract(epoch FROM greatest(opened_at, probe_at) - now()) + $2), 0)::float8 AS wait_s
FROM model_breakers
WHERE ($1::text IS NULL OR role = $1)
ORDER BY role;

-- name: breaker_take_probe(role, open_s) -> value
-- Lets exactly one caller through an open breaker whose time has come. A second one waits for the first one's row lock
-- and then looks at the row anew: its own now() is older than that probe, so it finds the time not come.
UPDATE model_breakers
SET probe_at = now(), updated_at = now()
WHERE role = $1
  AND opened_at IS NOT NULL
  AND extract(epoch FROM now() - greatest(opened_at, probe_at)) >= $2::float8
RETURNING true;

-- name: breaker_reset(role) -> none
-- Closes the breaker. Where nothing was counted no row fits, and nothing is written.
UPDATE model_breakers
SET failures = 0, opened_at = NULL, probe_at = NULL, updated_at = now()
WHERE role = $1
  AND failures > 0;

-- name: breaker_count(role, limit, error) -> value
-- Counts a failure; true when it opened the breaker, or opened it again after a probe. A call that began before the
-- opening and fails late does not make the pause longer.
INSERT INTO model_breakers AS b (role, failures, opened_at, last_error)
VALUES ($1, 1, CASE WHEN $2::integer <= 1 THEN now() END, $3)
ON CONFLICT (role) DO UPDATE
SET failures = b.failures + 1,
    opened_at = CASE WHEN b.opened_at IS NOT NULL AND b.probe_at IS NULL THEN b.opened_at
                     WHEN b.opened_at IS NOT NULL OR b.failures + 1 >= $2 THEN now() END,
    probe_at = NULL,
    last_error = excluded.last_error,
    updated_at = now()
RETURNING coalesce(opened_at = now(), false);
