-- name: look_up_answer(key) -> one
-- Gives what a model answered, as long as each of its citations holds, and counts the use. The count need not reach the
-- disk before the ask goes on.
WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE answer_cache AS c
SET uses = c.uses + 1
WHERE c.key = $1 AND c.expire_at > now() AND (SELECT count(*) FROM relaxed) = 1
  AND NOT EXISTS (SELECT 1 FROM changed_citations(c.citations))
RETURNING c.ask_id, c.result, c.model, c.prompt_version;

-- name: keep_answer(key, user_id, ask_id, result, citations, model, prompt_version, ttl_s, most) -> none
-- Keeps an answer for `ttl_s`, and lets go of what expired and of the oldest beyond `most`. Two asks of one question at
-- a time each keep theirs; the later one stays.
WITH gone AS (
    DELETE FROM answer_cache
    WHERE key IN (SELECT key
                  FROM answer_cache
                  WHERE key <> $1
                    AND (expire_at <= now()
                         OR (expire_at, key) <= (SELECT expire_at, key
                                                 FROM answer_cache
                                                 WHERE key <> $1
                                                 ORDER BY expire_at DESC, key DESC
                                                 LIMIT 1 OFFSET $9 - 1))
                  ORDER BY expire_at, key
                  FOR UPDATE SKIP LOCKED)
)
INSERT INTO answer_cache AS c (key, user_id, ask_id, result, citations, model, prompt_version, expire_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
ON CONFLICT (key) DO UPDATE
SET ask_id = excluded.ask_id, result = excluded.result, citations = excluded.citations, model = excluded.model,
    prompt_version = excluded.prompt_version, created_at = now(), expire_at = excluded.expire_at, uses = 0;

-- name: forget_expired_answers(most) -> none
-- Lets go of answers that expired: the text of a document is not kept for longer than is said.
DELETE FROM answer_cache
WHERE key IN (SELECT key FROM answer_cache WHERE expire_at <= now() ORDER BY expire_at, key LIMIT $1
              FOR UPDATE SKIP LOCKED);

-- name: changed_since(ask_id) -> many
-- Lists the documents that an ask cites, and of which a citation no longer holds.
SELECT c.document_id, c.title, c.what FROM asks a, changed_citations(a.citations) AS c WHERE a.id = $1;
