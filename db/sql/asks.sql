-- name: insert_ask(question, user_id, priority, filters) -> value
INSERT INTO asks (question, user_id, priority, filters) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: ask_question(id) -> one
-- Reads what was asked.
SELECT id, question, user_id, priority, mode, filters FROM asks WHERE id = $1;

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
