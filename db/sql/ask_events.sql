-- name: save_ask_trace(id, trace) -> none
-- Keeps what an ask did that came to no answer.
UPDATE asks SET trace = $2 WHERE id = $1;

-- name: note_ask_so_far(id, claim, trace) -> none
-- Keeps what an attempt has done so far, while it has the row. That need not reach the disk before the ask goes on.
WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE asks
SET trace = $3
WHERE id = $1 AND claim = $2 AND status = 'processing' AND (SELECT count(*) FROM relaxed) = 1;

-- name: ask_again(id) -> value
-- Asks a question again as a new row, for a person; gives its number, NULL where there is no such ask.
INSERT INTO asks (question, user_id, priority, mode, filters, payload)
SELECT question, user_id, 'foreground', mode, filters, jsonb_build_object('again_of', id)
FROM asks
WHERE id = $1
RETURNING id;

-- name: forget_ask_events(days, most) -> none
-- Lets go of figures of over `days` days, the oldest first.
DELETE FROM ask_events
WHERE id IN (SELECT id
             FROM ask_events
             WHERE created_at < now() - make_interval(days => $1)
             ORDER BY created_at
             LIMIT $2
             FOR UPDATE SKIP LOCKED);

-- name: forget_asks(days, most) -> none
-- Lets go of finished questions and answers of over `days` days. It looks at the `most` oldest rows only, by their
-- number: no index on the time of the end, which every ask would have to pay for.
DELETE FROM asks
WHERE id = ANY (ARRAY(
    SELECT id
    FROM asks
    WHERE id <= (SELECT max(id) FROM (SELECT id FROM asks ORDER BY id LIMIT $2) AS oldest)
      AND completed_at < now() - make_interval(days => $1)
    FOR UPDATE SKIP LOCKED));
