-- name: look_up_reply(key) -> one
-- Gives what a model said of a question, and counts the use. The count need not reach the disk before the search goes on.
WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE question_cache AS c
SET uses = c.uses + 1, used_at = now()
WHERE c.key = $1 AND c.expire_at > now() AND (SELECT count(*) FROM relaxed) = 1
RETURNING c.reply, extract(epoch FROM c.expire_at - now())::float8 AS lives_s;

-- name: reply_is_cached(key) -> value
-- Says whether an entry is there and has not expired, without counting it as a use.
SELECT EXISTS (SELECT 1 FROM question_cache WHERE key = $1 AND expire_at > now());

-- name: enqueue_analysis(user_id, question, most_waiting, pause_s) -> none
-- Enqueues a question for the analyser, once. Not while `most_waiting` wait already, nor within `pause_s` of a time when
-- nothing came of it.
WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
INSERT INTO query_analyses (user_id, question)
SELECT $1, $2
FROM relaxed
WHERE (SELECT count(*)
       FROM (SELECT 1 FROM query_analyses WHERE stage = 'analyze' AND status = 'pending' AND run_at IS NULL LIMIT $3)
           AS waiting) < $3
  AND NOT EXISTS (SELECT 1
                  FROM query_analyses q
                  WHERE q.user_id = $1 AND md5(q.question) = md5($2) AND q.status IN ('failed', 'skipped')
                    AND q.completed_at > now() - make_interval(secs => $4))
ON CONFLICT DO NOTHING;

-- name: enqueue_frequent(most, model, prompt_version, ttl_s) -> none
-- Enqueues the expired ones among the questions that were asked most often and lately; each once per expiry.
INSERT INTO query_analyses (user_id, question)
SELECT f.user_id, f.question
FROM (SELECT user_id, question, expire_at
      FROM question_cache
      WHERE kind = 'analysis' AND model = $2 AND prompt_version = $3 AND uses > 1
        AND used_at > now() - make_interval(secs => $4)
      ORDER BY uses DESC, key
      LIMIT $1) AS f
WHERE f.expire_at <= now()
  AND NOT EXISTS (SELECT 1
                  FROM query_analyses q
                  WHERE q.user_id = f.user_id AND md5(q.question) = md5(f.question) AND q.created_at > f.expire_at)
ON CONFLICT DO NOTHING;

-- name: question_to_analyze(id) -> one
-- Reads the question of a row.
SELECT user_id, question, extract(epoch FROM now() - created_at)::float8 AS age_s
FROM query_analyses
WHERE id = $1;

-- name: save_reply(key, kind, user_id, question, reply, model, prompt_version, ttl_s, most) -> none
-- Keeps what a model said of a question for `ttl_s`, and lets go of the oldest beyond `most` entries and of what expired
-- a lifetime ago. An entry that is made anew keeps half of its uses, so that old fame fades.
WITH gone AS (
    DELETE FROM question_cache
    WHERE key IN (SELECT key
                  FROM question_cache
                  WHERE key <> $1
                    AND (expire_at < now() - make_interval(secs => $8)
                         OR (expire_at, key) <= (SELECT expire_at, key
                                                 FROM question_cache
                                                 WHERE key <> $1
                                                 ORDER BY expire_at DESC, key DESC
                                                 LIMIT 1 OFFSET $9 - 1))
                  ORDER BY expire_at, key
                  FOR UPDATE SKIP LOCKED)
)
INSERT INTO question_cache AS c (key, kind, user_id, question, reply, model, prompt_version, expire_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
ON CONFLICT (key) DO UPDATE
SET reply = excluded.reply, created_at = now(), expire_at = excluded.expire_at, uses = c.uses / 2;

-- name: trim_analyzed(most) -> none
-- Lets go of finished rows of the queue beyond the last `most`: a question is nobody's business for ever.
DELETE FROM query_analyses
WHERE completed_at IS NOT NULL
  AND id <= (SELECT id FROM query_analyses ORDER BY id DESC LIMIT 1 OFFSET $1);

-- name: failed_analyses(code, ids, newest_only, most) -> many
-- Lists questions that could not be analysed, by their beginning, newest first, as failed_files.
SELECT a.id, a.stage, left(a.question, 200) AS name, NULL::text AS filename, NULL::bigint AS document_id, a.attempts,
       a.error_code, a.error_message, a.created_at, a.completed_at, n.id AS later_id, n.status AS later_status
FROM query_analyses a
LEFT JOIN LATERAL (
    SELECT l.id, l.status
    FROM query_analyses l
    WHERE l.user_id = a.user_id AND md5(l.question) = md5(a.question) AND l.id > a.id
    ORDER BY l.id DESC
    LIMIT 1
) AS n ON true
WHERE a.status = 'failed'
  AND ($1::text IS NULL OR a.error_code = $1)
  AND ($2::bigint[] IS NULL OR a.id = ANY ($2))
  AND (NOT $3::boolean OR n.id IS NULL)
ORDER BY a.completed_at DESC, a.id DESC
LIMIT $4;

-- name: retry_analyses(ids, code) -> many
-- Enqueues questions whose last analysis failed again, each as a new row.
INSERT INTO query_analyses (user_id, question, payload)
SELECT user_id, question, jsonb_build_object('retry_of', id)
FROM query_analyses f
WHERE status = 'failed'
  AND ($1::bigint[] IS NULL OR id = ANY ($1))
  AND ($2::text IS NULL OR error_code = $2)
  AND NOT EXISTS (SELECT 1 FROM query_analyses later
                  WHERE later.user_id = f.user_id AND md5(later.question) = md5(f.question) AND later.id > f.id)
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id;
