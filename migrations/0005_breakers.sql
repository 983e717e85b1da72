-- Why: a model server that fails again and again is left alone for a while, by every process alike.
-- Locks: none that matter, everything is new. Takes: milliseconds.

-- One row per role that has failed at least once. `failures` counts those in a row; `opened_at` says since when nobody
-- calls, `probe_at` when the last call that may try was let through.
CREATE TABLE model_breakers (
    role        text PRIMARY KEY,
    failures    integer NOT NULL DEFAULT 0,
    opened_at   timestamptz,
    probe_at    timestamptz,
    last_error  text,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_breakers_failures_positive CHECK (failures >= 0),
    CONSTRAINT model_breakers_open_has_failed CHECK (opened_at IS NULL OR failures > 0),
    CONSTRAINT model_breakers_probe_when_open CHECK (probe_at IS NULL OR opened_at IS NOT NULL)
) WITH (fillfactor = 50); -- no column that changes is indexed, and a change finds room on its page
