-- name: gate_settle(slice) -> one
-- Sets what a session of the gate must have, whatever the database says, and tells which server process serves it.
-- A wait that ends early would lose its place, an idle session may hold the model for minutes; `slice`, as '15000ms',
-- is the longest time for which a wait holds a snapshot. transaction_timeout came with Postgres 17.
SELECT pg_backend_pid() AS pid,
       pg_is_in_recovery() AS standby,
       count(set_config(setting, wanted, false)) AS set
FROM (VALUES
    ('lock_timeout', $1::text),
    ('statement_timeout', '0'),
    ('transaction_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'),
    -- A process that waits for a lock looks only this often whether its client is still there.
    ('client_connection_check_interval', '250ms'),
    -- A host that vanishes is noticed in a minute instead of two hours.
    ('tcp_keepalives_idle', '20'),
    ('tcp_keepalives_interval', '10'),
    ('tcp_keepalives_count', '4')
) AS settings (setting, wanted)
WHERE current_setting(setting, true) IS NOT NULL;

-- name: gate_register(key, endpoint, capacity) -> none
-- Notes the name and width of an endpoint for those who read gate_status; writes only what has changed.
INSERT INTO gate_endpoints AS known (key, name, capacity)
VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, capacity = excluded.capacity
WHERE (known.name, known.capacity) IS DISTINCT FROM (excluded.name, excluded.capacity);

-- name: gate_try(key, class, capacity, label) -> value
-- Gives the number of a free slot where nobody waits who has the same right or more; else NULL, at once.
SELECT gate_try($1, $2, $3, $4);

-- name: gate_climb(key, class, capacity, waited_ms, label) -> value
-- Waits for a slot and gives its number; NULL when the session has the rung of its class and shall watch all slots.
CALL gate_climb($1, $2, $3, $4, $5, NULL);

-- name: gate_reach(key, class, label, slot) -> value
-- Waits for one slot on behalf of a session that has the rung of the class; gives its number.
CALL gate_reach($1, $2, $3, $4);

-- name: gate_leave(key, slot) -> none
-- Frees a slot; the lock manager hands it to the next while this statement runs.
SELECT pg_advisory_unlock($1, $2), set_config('application_name', 'seodang:gate', false);

-- name: gate_let_go() -> none
-- Frees whatever the session holds: a wait that was cancelled may hold rungs and slots.
SELECT pg_advisory_unlock_all(), set_config('application_name', 'seodang:gate', false);

-- name: gate_tell(keys, lines) -> none
-- Tells how many wait in this process's memory: one shared lock per endpoint and class, and none of those before.
SELECT gate_tell($1, $2);

-- name: gate_status() -> many
-- Lists who holds and who waits, by endpoint; `behind` counts those in memory.
SELECT endpoint, state, class AS priority, pid, seconds, label, behind FROM gate_status;

-- name: gate_counts() -> many
-- Counts holders and waiters of every endpoint that was ever used, those in memory included.
SELECT known.name AS endpoint,
       known.capacity,
       count(*) FILTER (WHERE now.state = 'holds')::integer AS inflight,
       coalesce(sum(1 + now.behind) FILTER (WHERE now.state = 'waits' AND now.class = 'foreground'), 0)::integer
           AS foreground,
       coalesce(sum(1 + now.behind) FILTER (WHERE now.state = 'waits' AND now.class = 'study'), 0)::integer AS study,
       coalesce(sum(1 + now.behind) FILTER (WHERE now.state = 'waits' AND now.class = 'background'), 0)::integer
           AS background
FROM gate_endpoints known
LEFT JOIN gate_status now ON now.endpoint = known.name
GROUP BY known.key, known.name, known.capacity
ORDER BY known.name;
