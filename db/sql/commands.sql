-- name: unfinished_files(ids) -> many
-- Says how far files of the inbox have come: reading, then embedding; a row that is not listed has arrived.
SELECT i.id, coalesce(i.path, i.filename) AS name, i.status, i.error_code, i.error_message
FROM inbox i
WHERE i.id = ANY ($1::bigint[])
  AND (i.completed_at IS NULL
       OR EXISTS (SELECT 1 FROM document_jobs j
                  WHERE j.document_id = i.document_id AND j.stage = 'embed' AND j.completed_at IS NULL));

-- name: ended_files(ids) -> many
-- Says how the reading of files ended.
SELECT i.id, coalesce(i.path, i.filename) AS name, i.status, i.error_code, i.error_message, i.document_id
FROM inbox i
WHERE i.id = ANY ($1::bigint[])
ORDER BY i.id;

-- name: active_inbox_of_path(path, user_id) -> value
SELECT id FROM inbox WHERE path = $1 AND user_id = $2 AND status IN ('pending', 'processing');

-- name: server_facts() -> one
-- Tells what doctor wants to know of the server.
SELECT current_setting('server_version') AS server_version,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector_version,
       pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM documents WHERE deleted_at IS NULL) AS documents,
       (SELECT count(*) FROM corpus_chunks) AS chunks,
       (SELECT extract(epoch FROM max(now() - xact_start))::float8 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()) AS oldest_transaction_s;
