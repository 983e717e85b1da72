-- Why: a question that nobody waits for any more is called off: its call to the model ends, and the model is free.
-- Locks: asks against readers and writers, for the moment of a change in the catalogue. Takes: milliseconds.

-- `attended`: put by somebody who listens for the answer; cancelled when nobody does any more. The facade sets it for
-- those who wait at it; a row of anybody else's INSERT is nobody's to cancel, unless its owner says so: cancel_ask().
ALTER TABLE asks
    ADD COLUMN attended boolean NOT NULL DEFAULT false,
    ADD COLUMN cancelled_at timestamptz;

-- A cancelled ask is never made ready again: what would give it back (its daemon stops, or died, or wants another try)
-- ends it.
CREATE FUNCTION asks_end_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := 'skipped';
    NEW.completed_at := now();
    NEW.worker := NULL;
    NEW.run_at := NULL;
    NEW.error_code := 'cancelled';
    NEW.error_message := 'Nobody waited for the answer any more. Ask again.';
    RETURN NEW;
END $$;
CREATE TRIGGER asks_cancelled BEFORE UPDATE OF status ON asks FOR EACH ROW
    WHEN (NEW.status = 'pending' AND NEW.cancelled_at IS NOT NULL)
    EXECUTE FUNCTION asks_end_cancelled();

-- Calls an ask off: one that waits ends at once, one that is being worked on as soon as its daemon has let go of the
-- model, both as skipped with the code 'cancelled'. Says whether there was something to call off.
CREATE FUNCTION cancel_ask(ask bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    now_is text;
BEGIN
    -- `status` is named so that its triggers fire: they do not see what another trigger changes.
    UPDATE asks SET cancelled_at = now(), status = status
    WHERE id = ask AND status IN ('pending', 'processing') AND cancelled_at IS NULL
    RETURNING status INTO now_is;
    IF now_is = 'processing' THEN
        PERFORM pg_notify('seodang_asks', ask::text);
    END IF;
    RETURN now_is IS NOT NULL;
END $$;

-- The second integer of an ask's lock. Two asks 2^31 apart share one, which keeps the one while the other is read.
CREATE FUNCTION ask_lock(ask bigint) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN (ask & 2147483647)::integer;

-- For a session that holds the lock of an ask, shared, as one of its readers: lets go of it, and cancels the ask if it is
-- attended and no other session reads it. A session's own lock does not keep it from the exclusive one, which is held
-- until the commit, so that who comes to read meanwhile finds the row as it is then.
CREATE FUNCTION abandon_ask(readers integer, ask bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    cancelled boolean := false;
BEGIN
    IF pg_try_advisory_xact_lock(readers, ask_lock(ask)) THEN
        cancelled := coalesce((SELECT cancel_ask(id) FROM asks
                               WHERE id = ask AND attended AND priority = 'foreground'), false);
    END IF;
    PERFORM pg_advisory_unlock_shared(readers, ask_lock(ask));
    RETURN cancelled;
END $$;
