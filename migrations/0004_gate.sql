-- Why: the gate before the one scarce model, a ladder of advisory locks (docs/gate.md), and how it is read.
-- Locks: none that matter, everything is new. Takes: milliseconds.
--
-- The locks of an endpoint have two integers: its key, and
--     SLOT  0 … 255          exclusive: uses the model
--     RUNG  256 + class      exclusive: first of the waiters of a class; the others wait for this lock
--     LATE  512 + class      shared: renewed its wait for a rung, so that its place in the queue is not by age
--     MARK  768 + class      shared: waits for a rung, also in the instant between two waits, when it is in no queue
--     LINE  (1 + class) << 20 | count, shared: so many more wait in the memory of a process
-- A class is counted from 0, the most urgent. All are session locks: they end with whoever holds them.

-- The names and widths behind the keys, written once per process and endpoint: what views show. No lock needs them.
CREATE TABLE gate_endpoints (
    key       integer PRIMARY KEY CONSTRAINT gate_endpoints_key_positive CHECK (key > 0),
    name      text NOT NULL,
    capacity  integer NOT NULL CONSTRAINT gate_endpoints_capacity_in_bounds CHECK (capacity BETWEEN 1 AND 256)
);

-- A moment in microseconds since 1970, 13 hexadecimal digits: sorts as text until the year 2112.
CREATE FUNCTION gate_stamp(ago_ms double precision) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000 - ago_ms * 1000)::bigint), 13, '0');
END $$;

-- Says in application_name what a session of the gate does; seen by others at once, also while a statement waits.
CREATE FUNCTION gate_say(phase text, class integer, since text, label text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN set_config(
        'application_name', 'seodang:gate:' || phase || ':' || class || ':' || since || ':' || label, false);
END $$;

-- Says whether this session holds a lock.
CREATE FUNCTION gate_holds(endpoint integer, thing integer) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
          AND classid = endpoint::oid AND objid = thing::oid AND objsubid = 2)
$$;

-- Waits for a lock as long as lock_timeout allows: true when it is ours. A lock that is granted in the instant in
-- which the wait times out is kept by the session (LockErrorCleanup of the server), so after a time-out we look:
-- asking again for what we hold would count it twice, and one unlock would not free it.
CREATE FUNCTION gate_wait(endpoint integer, thing integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_lock(endpoint, thing);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN gate_holds(endpoint, thing);
END $$;

CREATE FUNCTION gate_wait_shared(endpoint integer, thing integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_lock_shared(endpoint, thing);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN gate_holds(endpoint, thing);
END $$;

-- Says whether no class above waits: nobody has its rung, and nobody is about to ask for it again.
CREATE FUNCTION gate_clear(endpoint integer, class integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    FOR rung IN 256 .. 255 + class LOOP
        IF NOT (pg_try_advisory_lock_shared(endpoint, rung) AND pg_advisory_unlock_shared(endpoint, rung)
                AND pg_try_advisory_lock(endpoint, 512 + rung) AND pg_advisory_unlock(endpoint, 512 + rung)) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Takes a slot that is free at this moment, unless somebody above waits; NULL when there is none. The look above
-- comes after the slot was taken, so that nobody can come in between.
CREATE FUNCTION gate_take(endpoint integer, class integer, capacity integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    FOR slot IN 0 .. capacity - 1 LOOP
        IF pg_try_advisory_lock(endpoint, slot) THEN
            IF gate_clear(endpoint, class) THEN
                RETURN slot;
            END IF;
            PERFORM pg_advisory_unlock(endpoint, slot);
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- The way in when nobody waits and a slot is free: gives the slot, else NULL and holds nothing. An expression of
-- PL/pgSQL costs 1 us in each transaction, so there are few; that is why the parts of gate_say() stand here again.
CREATE FUNCTION gate_try(endpoint integer, class integer, capacity integer, label text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    slot integer;
BEGIN
    IF pg_try_advisory_lock(endpoint, 256 + class) THEN
        IF pg_try_advisory_lock(endpoint, 512 + class) AND pg_advisory_unlock(endpoint, 512 + class) THEN
            slot := gate_take(endpoint, class, capacity);
        END IF;
        IF pg_advisory_unlock(endpoint, 256 + class) AND slot IS NOT NULL THEN
            PERFORM set_config('application_name', 'seodang:gate:holds:' || class || ':'
                || lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 13, '0') || ':' || label,
                false);
        END IF;
    END IF;
    RETURN slot;
END $$;

-- Says whether somebody of the class who came before `arrival` lost the place in the queue by renewing the wait, and
-- stands in the queue again. The look into pg_locks (half a millisecond) is taken only when anybody is late.
CREATE FUNCTION gate_older_waits(endpoint integer, class integer, arrival text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    queued boolean;
BEGIN
    IF pg_try_advisory_lock(endpoint, 512 + class) THEN
        RETURN NOT pg_advisory_unlock(endpoint, 512 + class);
    END IF;
    FOR look IN 1 .. 100 LOOP
        WITH locks AS MATERIALIZED (
            SELECT pid, objid, granted
            FROM pg_locks
            WHERE locktype = 'advisory' AND classid = endpoint::oid AND objsubid = 2
              AND objid IN ((256 + class)::oid, (512 + class)::oid)
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        )
        SELECT bool_or(rung.pid IS NOT NULL) INTO queued
        FROM locks late
        JOIN pg_stat_activity they ON they.pid = late.pid
        LEFT JOIN locks rung ON rung.pid = late.pid AND rung.objid = (256 + class)::oid AND NOT rung.granted
        WHERE late.objid = (512 + class)::oid AND late.granted AND late.pid <> pg_backend_pid()
          AND substring(they.application_name FROM '^seodang:gate:waits:\d+:([0-9a-f]{13}):') COLLATE "C" < arrival;
        IF queued IS NULL OR queued THEN
            RETURN coalesce(queued, false);
        END IF;
        -- It is between two waits at this very moment. A process that was stopped half-way is not waited for.
        PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN false;
END $$;

-- Step 1, when the rung is taken: waits for it, with a MARK that the caller has taken before, so that those below see
-- a waiter at every moment. `late`: this session holds LATE already. A wait lasts one slice
-- (lock_timeout of the session); the COMMIT between two slices lets go of the snapshot, which would hold back vacuum.
CREATE PROCEDURE gate_queue(endpoint integer, class integer, late boolean) LANGUAGE plpgsql AS $$
DECLARE
    freed boolean;
BEGIN
    WHILE NOT gate_wait(endpoint, 256 + class) LOOP
        IF NOT late THEN
            PERFORM pg_advisory_lock_shared(endpoint, 512 + class);
            late := true;
        END IF;
        COMMIT;
    END LOOP;
    freed := pg_advisory_unlock_shared(endpoint, 768 + class);
    IF late THEN
        freed := pg_advisory_unlock_shared(endpoint, 512 + class);
    END IF;
END $$;

-- Steps 2 to 4, for who holds the rung of a class: waits until nobody above waits, then for this slot, then looks
-- again whether somebody above came meanwhile. The rung stays locked over all slices, so no place is lost.
CREATE PROCEDURE gate_reach(endpoint integer, class integer, label text, INOUT slot integer) LANGUAGE plpgsql AS $$
DECLARE
    freed boolean;
    said text;
BEGIN
    LOOP
        FOR rung IN 256 .. 255 + class LOOP
            WHILE NOT gate_wait_shared(endpoint, rung) LOOP
                COMMIT;
            END LOOP;
            freed := pg_advisory_unlock_shared(endpoint, rung);
        END LOOP;
        WHILE NOT gate_wait(endpoint, slot) LOOP
            COMMIT;
        END LOOP;
        EXIT WHEN gate_clear(endpoint, class);
        freed := pg_advisory_unlock(endpoint, slot);
        PERFORM pg_sleep(0.001); -- whoever is above and between two waits is in the queue again after that
    END LOOP;
    said := gate_say('holds', class, gate_stamp(0), label);
END $$;

-- The whole climb. Gives the slot that is held now; or, where there are several and none is free, NULL: then this
-- session holds the rung, and its process waits with gate_reach() in one more session per slot.
-- `waited_ms`: how long this waiter has waited in a session that was lost.
CREATE PROCEDURE gate_climb(
    endpoint integer, class integer, capacity integer, waited_ms double precision, label text, INOUT slot integer
) LANGUAGE plpgsql AS $$
DECLARE
    arrival text := gate_stamp(waited_ms);
    said text;
    freed boolean;
BEGIN
    IF NOT pg_try_advisory_lock(endpoint, 256 + class) THEN
        said := gate_say('waits', class, arrival, label);
        PERFORM pg_advisory_lock_shared(endpoint, 768 + class);
        IF waited_ms > 0 THEN
            PERFORM pg_advisory_lock_shared(endpoint, 512 + class);
        END IF;
        CALL gate_queue(endpoint, class, waited_ms > 0);
    END IF;
    WHILE gate_older_waits(endpoint, class, arrival) LOOP
        -- Somebody older stands in the queue: to the tail, late from now on. The lock manager hands the rung to the
        -- next in the same instant, so the class is never seen without a waiter.
        said := gate_say('waits', class, arrival, label);
        PERFORM pg_advisory_lock_shared(endpoint, 768 + class);
        PERFORM pg_advisory_lock_shared(endpoint, 512 + class);
        freed := pg_advisory_unlock(endpoint, 256 + class);
        COMMIT; -- pg_stat_activity is read once per transaction
        CALL gate_queue(endpoint, class, true);
    END LOOP;
    slot := gate_take(endpoint, class, capacity);
    IF slot IS NULL THEN
        said := gate_say('waits', class, arrival, label);
        IF capacity > 1 THEN
            RETURN;
        END IF;
        slot := 0;
        CALL gate_reach(endpoint, class, label, slot);
    ELSE
        said := gate_say('holds', class, gate_stamp(0), label);
    END IF;
    freed := pg_advisory_unlock(endpoint, 256 + class);
END $$;

-- Tells how many wait in a process's memory, by the locks LINE of a session that has no others.
CREATE FUNCTION gate_tell(keys integer[], lines integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_unlock_all();
    PERFORM pg_advisory_lock_shared(told.key, told.line) FROM unnest(keys, lines) AS told (key, line);
END $$;

-- Who holds and who waits at this moment, for any client; it takes no lock that anybody waits for.
-- `behind`: of each class and endpoint, on the row that came last: how many more wait in the memory of processes.
CREATE VIEW gate_status AS
WITH locks AS MATERIALIZED (
    SELECT pid, classid, objid::bigint AS objid
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION
    SELECT pid, classid, 256
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), lines AS (
    SELECT classid, (objid >> 20) - 1 AS class, sum(objid & 1048575) AS behind
    FROM locks
    WHERE objid >= 1048576
    GROUP BY classid, objid >> 20
), sessions AS (
    SELECT locks.classid, activity.pid, said[1] AS state, said[2]::integer AS class, said[3] AS since, said[4] AS label
    FROM (SELECT DISTINCT pid, classid FROM locks WHERE objid < 1024) locks -- LATE and MARK, too: they renew their wait
    JOIN pg_stat_activity activity USING (pid)
    CROSS JOIN LATERAL regexp_match(
        activity.application_name, '^seodang:gate:(holds|waits):(\d{1,4}):([0-9a-f]{13}):(.*)$') said
    WHERE said IS NOT NULL
)
SELECT gate_endpoints.name AS endpoint,
       sessions.state,
       coalesce((ARRAY['foreground', 'study', 'background'])[sessions.class + 1], sessions.class::text) AS class,
       sessions.pid,
       greatest(0, extract(epoch FROM clock_timestamp())
           - ('x' || lpad(sessions.since, 16, '0'))::bit(64)::bigint / 1000000.0)::double precision AS seconds,
       sessions.label,
       CASE WHEN sessions.state = 'waits' AND row_number() OVER (
                PARTITION BY sessions.classid, sessions.class, sessions.state ORDER BY sessions.since DESC) = 1
            THEN coalesce(lines.behind, 0) ELSE 0 END::integer AS behind
FROM sessions
JOIN gate_endpoints ON gate_endpoints.key::oid = sessions.classid
LEFT JOIN lines ON lines.classid = sessions.classid AND lines.class = sessions.class
ORDER BY endpoint, sessions.state, sessions.class, sessions.since;
