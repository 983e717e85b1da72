-- name: database_now() -> value
-- The clock that all hosts share.
SELECT now();

-- name: enqueue_digests(slot) -> none
-- Enqueues the digest of an hour for every user. One that was made for that hour, or by hand since, is enough.
INSERT INTO digests (user_id, slot)
SELECT u.id, $1
FROM users u
WHERE NOT EXISTS (SELECT 1 FROM digests d WHERE d.user_id = u.id AND d.slot >= $1)
ON CONFLICT (user_id, slot) DO NOTHING;

-- name: insert_digest(user_id) -> value
-- Enqueues a digest of what came in until this moment.
INSERT INTO digests (user_id) VALUES ($1) RETURNING id;

-- name: digest_row(id) -> one
-- Reads what a digest is about. It begins where the last good one ended, or a day before the first; from `reach` on it
-- also takes in what was not told of then, because it could not be read yet.
SELECT d.id, d.user_id, d.slot, b.since,
       greatest(b.since - interval '7 days', b.beginning) AS reach,
       extract(epoch FROM now() - d.slot)::float8 AS age_s
FROM digests d
CROSS JOIN LATERAL (
    SELECT coalesce(max(p.slot) FILTER (WHERE p.status IN ('completed', 'skipped')), d.slot - interval '1 day') AS since,
           coalesce(min(coalesce(p.since, p.slot - interval '1 day')), d.slot - interval '1 day') AS beginning
    FROM digests p
    WHERE p.user_id = d.user_id AND p.slot < d.slot
) AS b
WHERE d.id = $1;

-- name: undigested_documents(user_id, reach, slot) -> many
-- Lists what came in and no digest has told of, newest first. Digests do not tell of digests.
SELECT d.id, is_restricted(d.extract_meta) AS restricted
FROM documents d
WHERE d.user_id = $1
  AND d.created_at > $2
  AND d.created_at <= $3
  AND d.deleted_at IS NULL
  AND d.corpus_version > 0
  AND d.material_type IS DISTINCT FROM 'digest'
  AND NOT EXISTS (SELECT 1 FROM digested_documents told WHERE told.document_id = d.id)
ORDER BY d.created_at DESC, d.id DESC;

-- name: documents_to_digest(ids, chars) -> many
-- Reads what a digest says of documents: their labels, their summary, and the head of the first page that has text.
-- What is restricted is not read, whoever asks.
SELECT d.id, d.title, d.collection, d.material_type, d.language, d.published_date, d.created_at,
       left(d.ai_summary, $2) AS summary, coalesce(p.number, 1) AS page, coalesce(left(p.text, $2), '') AS head
FROM documents d
LEFT JOIN LATERAL (
    SELECT number, text
    FROM document_pages
    WHERE document_id = d.id AND version = d.corpus_version AND text ~ '\S'
    ORDER BY number
    LIMIT 1
) AS p ON true
WHERE d.id = ANY ($1::bigint[]) AND d.deleted_at IS NULL AND NOT is_restricted(d.extract_meta)
ORDER BY d.created_at DESC, d.id DESC;

-- name: quotable_documents(ids) -> many
-- Gives those of some documents that are still there and may still be quoted.
SELECT id, false AS restricted
FROM documents
WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL AND NOT is_restricted(extract_meta);

-- name: save_digest(id, filename, content, collection, since, told, documents, restricted, prompt_version, model) -> none
-- Puts a digest into the inbox, with a document's number set aside for it, and notes what it tells of.
WITH posted AS (
    INSERT INTO inbox (filename, content, collection, material_type, user_id, document_id)
    SELECT $2, $3, $4, 'digest', user_id, nextval(pg_get_serial_sequence('documents', 'id'))
    FROM digests WHERE id = $1
    RETURNING id, document_id
), noted AS (
    INSERT INTO digested_documents (document_id, digest_id)
    SELECT d.id, $1 FROM documents d WHERE d.id = ANY ($6::bigint[])
    ON CONFLICT (document_id) DO NOTHING
)
UPDATE digests
SET inbox_id = posted.id, document_id = posted.document_id, since = $5, documents = $7, restricted = $8,
    prompt_version = $9, model = $10
FROM posted
WHERE digests.id = $1;

-- name: note_empty_digest(id, since, restricted) -> none
-- Notes since when nothing came in.
UPDATE digests SET since = $2, documents = 0, restricted = $3 WHERE id = $1;

-- name: list_digests(user_id, most) -> many
-- Lists the last digests, newest first, for the person who asks for them.
SELECT id, slot, since, status, documents, restricted, document_id, model, error_code, error_message, run_at
FROM digests
WHERE user_id = $1
ORDER BY slot DESC
LIMIT $2;

-- name: retry_digests(ids, code) -> many
-- Makes one new digest, until now, where the last one failed: none has told of what that would have told of.
INSERT INTO digests (user_id, slot, payload)
SELECT user_id, now(), jsonb_build_object('retry_of', max(id))
FROM digests f
WHERE status = 'failed'
  AND ($1::bigint[] IS NULL OR id = ANY ($1))
  AND ($2::text IS NULL OR error_code = $2)
  AND NOT EXISTS (SELECT 1 FROM digests later
                  WHERE later.user_id = f.user_id AND later.slot > f.slot AND later.status <> 'failed')
GROUP BY user_id
ON CONFLICT DO NOTHING
RETURNING id;
