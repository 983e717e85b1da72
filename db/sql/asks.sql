-- name: insert_ask(question, user_id, priority, filters) -> value
INSERT INTO asks (question, user_id, priority, filters) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: insert_attended_ask(question, user_id, filters) -> value
-- Puts a question for a person who listens for the answer: cancelled when nobody does any more.
INSERT INTO asks (question, user_id, priority, filters, attended) VALUES ($1, $2, 'foreground', $3, true) RETURNING id;

-- name: ask_question(id) -> one
-- Reads what was asked; `anew` where somebody wants the same question worked out again; `trace` is what an earlier
-- attempt left.
SELECT id, question, user_id, priority, mode, filters, coalesce(payload ? 'again_of', false) AS anew, trace
FROM asks
WHERE id = $1;

-- name: ask_row(id) -> one
-- Reads an ask as its asker sees it.
SELECT id, question, user_id, priority, mode, filters, status, answer, completeness, refused, refuse_reason, confidence,
       citations, trace, prompt_version, model, error_code, error_message, created_at, started_at, completed_at
FROM asks
WHERE id = $1;

-- name: save_answer(id, answer, completeness, refused, refuse_reason, confidence, citations, trace, prompt_version, model) -> none
UPDATE asks
SET answer = $2, completeness = $3, refused = $4, refuse_reason = $5, confidence = $6, citations = $7, trace = $8,
    prompt_version = $9, model = $10
WHERE id = $1;

-- name: publish(channel, payloads) -> none
-- Tells listeners something that need not last: no row is written.
SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload;

-- name: retry_asks(ids, code) -> many
-- Asks failed questions again, each as a new row. NULL means all.
INSERT INTO asks (question, user_id, priority, mode, filters, payload)
SELECT question, user_id, priority, mode, filters, jsonb_build_object('retry_of', id)
FROM asks f
WHERE status = 'failed'
  AND ($1::bigint[] IS NULL OR id = ANY ($1))
  AND ($2::text IS NULL OR error_code = $2)
  -- As a hash table, which IS NOT TRUE makes of it: a join would be planned as a loop over all that failed.
  AND (f.id::text IN (SELECT later.payload ->> 'retry_of' FROM asks later WHERE later.payload ? 'retry_of')) IS NOT TRUE
RETURNING id;

-- name: leave_ask_alone(id) -> none
-- Lets an ask go on without a reader: its asker was told where to look later.
UPDATE asks SET attended = false WHERE id = $1 AND attended;

-- name: hold_ask(readers, ask_id) -> value
-- Shows that this session's process reads an ask.
SELECT pg_advisory_lock_shared($1::integer, ask_lock($2));

-- name: drop_ask(readers, ask_id) -> value
-- Takes that back.
SELECT pg_advisory_unlock_shared($1::integer, ask_lock($2));

-- name: abandon_ask(readers, ask_id) -> value
-- Takes that back, and cancels an attended ask that no other session reads; says whether it did.
SELECT abandon_ask($1, $2);

-- name: cancel_ask(id) -> value
-- Calls an ask off for the one who put it; says whether there was something to call off.
SELECT cancel_ask($1);

-- name: cancelled_asks(worker) -> many
-- Lists what a worker has in hand that was cancelled meanwhile.
SELECT id FROM asks WHERE status = 'processing' AND worker = $1 AND cancelled_at IS NOT NULL;

-- name: asks_in_line(most) -> many
-- Lists the asks that are being worked on and, behind them, those that wait, in the order of claiming; `most` of the
-- latter. Reads the partial indexes of the queue only.
(SELECT id, priority, status FROM asks WHERE status = 'processing')
UNION ALL
(SELECT id, priority, status
 FROM asks
 WHERE stage = 'synthesis' AND status = 'pending' AND run_at IS NULL
 ORDER BY urgency, id
 LIMIT $1);
