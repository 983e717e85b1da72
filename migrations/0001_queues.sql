-- Why: the one job machinery that every queue table gets, and the register of worker processes.
-- Locks: none that matter, everything is new. Takes: milliseconds.

CREATE EXTENSION IF NOT EXISTS vector;

-- One row per running daemon process. Its id is the number of a session-level advisory lock which that process
-- holds (db/locks.py): a free lock means a dead process, seen without waiting for any time-out.
CREATE TABLE workers (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stage       text NOT NULL,
    host        text NOT NULL,
    pid         integer NOT NULL,
    lease_s     double precision NOT NULL CONSTRAINT workers_lease_positive CHECK (lease_s > 0),
    started_at  timestamptz NOT NULL DEFAULT now(),
    beat_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50); -- a beat changes no indexed column, and finds room on its page

-- Wakes the daemons that listen on "seodang_<table>". The payload is empty on purpose: Postgres then folds all
-- notifications of one transaction into one, and "look now" is all that a daemon needs to hear.
CREATE FUNCTION queue_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('seodang_' || TG_TABLE_NAME, '');
    RETURN NULL;
END $$;

-- Turns a domain table with an "id bigint" into a queue: job columns, rules, indexes, storage, trigger.
CREATE FUNCTION queue_install(queue regclass, default_stage text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($ddl$
        ALTER TABLE %1$s
            ADD COLUMN stage         text NOT NULL %2$s,
            ADD COLUMN status        varchar(20) NOT NULL DEFAULT 'pending',
            ADD COLUMN urgency       smallint NOT NULL DEFAULT 100,
            ADD COLUMN attempts      smallint NOT NULL DEFAULT 0,
            ADD COLUMN max_attempts  smallint NOT NULL DEFAULT 2,
            ADD COLUMN crashes       smallint NOT NULL DEFAULT 0,
            ADD COLUMN claim         bigint NOT NULL DEFAULT 0,
            ADD COLUMN worker        integer,
            ADD COLUMN error_code    varchar(40),
            ADD COLUMN error_message text,
            ADD COLUMN payload       jsonb,
            ADD COLUMN created_at    timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN run_at        timestamptz,
            ADD COLUMN started_at    timestamptz,
            ADD COLUMN completed_at  timestamptz,
            ADD CONSTRAINT %3$I CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'skipped')),
            ADD CONSTRAINT %4$I CHECK ((status IN ('completed', 'failed', 'skipped')) = (completed_at IS NOT NULL)),
            ADD CONSTRAINT %5$I CHECK (attempts >= 0 AND max_attempts >= 1),
            -- Pages are filled: a claim changes status, which the partial indexes name, so the new version of a row
            -- could not stay on its page for free, and room left there was measured to cost a tenth of the rate.
            SET (fillfactor = 100, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
                 autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)
        $ddl$, queue,
        CASE WHEN default_stage IS NULL THEN '' ELSE format('DEFAULT %L', default_stage) END,
        queue || '_status_known', queue || '_final_has_completed_at', queue || '_attempts_in_bounds');
    -- What may be claimed now, in the order of claiming: a claim reads exactly the head of this index, whatever
    -- the number of waiting or finished rows.
    EXECUTE format('CREATE INDEX %I ON %s (stage, urgency, id) WHERE status = ''pending'' AND run_at IS NULL',
                   queue || '_ready', queue);
    EXECUTE format('CREATE INDEX %I ON %s (run_at) WHERE status = ''pending'' AND run_at IS NOT NULL',
                   queue || '_delayed', queue);
    EXECUTE format('CREATE INDEX %I ON %s (worker) WHERE status = ''processing''', queue || '_processing', queue);
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION queue_announce()',
                   queue || '_announce', queue);
END $$;

-- History that was moved out of the queue tables (setting queue.archive_after_days).
CREATE TABLE queue_archive (
    queue        text NOT NULL,
    id           bigint NOT NULL,
    job          jsonb NOT NULL,
    archived_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (queue, id)
);
