-- name: jobs_of_document(document_id) -> many
-- Gives the newest job of each stage of a document: how its way into search stands.
SELECT DISTINCT ON (stage) id, stage, status, error_code, error_message
FROM document_jobs
WHERE document_id = $1
ORDER BY stage, id DESC;

-- name: arriving_files(user_id, among, most) -> many
-- Lists files that are no document yet: waiting, being read, or refused; of a file that came more than once the last
-- coming. Looks at the newest `among` rows only, by the primary key: a page that shows ten lines must not read a
-- million of them.
WITH newest AS MATERIALIZED (
    SELECT id, document_id, filename, path, sha256, status, error_code, error_message, created_at, user_id
    FROM inbox
    ORDER BY id DESC
    LIMIT $2
), latest AS (
    SELECT DISTINCT ON (coalesce(path, sha256, document_id::text), user_id)
           id, document_id, filename, path, status, error_code, error_message, created_at, user_id
    FROM newest
    ORDER BY coalesce(path, sha256, document_id::text), user_id, id DESC
)
SELECT id AS inbox_id, document_id, coalesce(filename, path) AS name, status, error_code, error_message, created_at
FROM latest
WHERE user_id = $1
  AND status IN ('pending', 'processing', 'failed')
  AND NOT EXISTS (SELECT 1 FROM newest later WHERE later.document_id = latest.document_id AND later.id > latest.id)
ORDER BY id DESC
LIMIT $3;

-- name: stored_size(sha256) -> value
-- Says how long a stored content is, in bytes, without reading it; NULL when it is not stored.
SELECT octet_length(content) FROM stored_files WHERE sha256 = $1;

-- name: stored_slice(sha256, first, length) -> value
-- Reads a part of a stored content, counted from 1; storage EXTERNAL lets the server fetch only that part.
SELECT substring(content FROM $2 FOR $3) FROM stored_files WHERE sha256 = $1;
