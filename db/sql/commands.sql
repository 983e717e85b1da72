-- name: insert_inbox_paths(paths, collection, user_id) -> many
-- Enqueues files, many in one statement; gives the rows of those that were not waiting or being read already.
INSERT INTO inbox (path, collection, user_id)
SELECT path, $2, $3
FROM unnest($1::text[]) AS path
ON CONFLICT (user_id, path) WHERE status IN ('pending', 'processing') DO NOTHING
RETURNING id, path;

-- name: active_inbox_of_paths(paths, user_id) -> many
-- Gives the rows by which files are waiting or being read.
SELECT id, path
FROM inbox
WHERE path = ANY ($1::text[]) AND user_id = $2 AND status IN ('pending', 'processing');

-- name: files_progress(firsts, lasts) -> one
-- Counts how far files of the inbox have come, given by stretches of ids: a file has arrived when it can be found, which
-- is when it is embedded. `now` names one that is being worked on, else one that waits.
WITH files AS (
    SELECT i.id, i.status, coalesce(i.path, i.filename) AS name,
           i.completed_at IS NULL AS unread,
           coalesce(e.status IN ('pending', 'processing'), false) AS unembedded,
           i.status = 'failed' OR coalesce(e.status = 'failed', false) AS failed
    FROM unnest($1::bigint[], $2::bigint[]) AS stretch(first, last)
    JOIN inbox i ON i.id BETWEEN stretch.first AND stretch.last
    LEFT JOIN LATERAL (
        SELECT j.status
        FROM document_jobs j
        WHERE i.status = 'completed' AND j.document_id = i.document_id AND j.stage = 'embed'
        ORDER BY j.id DESC
        LIMIT 1
    ) AS e ON true
)
SELECT count(*) FILTER (WHERE NOT unread AND NOT unembedded AND NOT failed AND status <> 'skipped') AS done,
       count(*) FILTER (WHERE unread OR unembedded) AS waiting,
       count(*) FILTER (WHERE failed) AS failed,
       count(*) FILTER (WHERE status = 'skipped') AS skipped,
       count(*) FILTER (WHERE NOT unread) AS read,
       coalesce(min(name) FILTER (WHERE status = 'processing'), min(name) FILTER (WHERE unembedded),
                min(name) FILTER (WHERE unread), '') AS now
FROM files;

-- name: ended_files(firsts, lasts) -> many
-- Says how files of the inbox have ended; of one that was read and could not be embedded, why that was.
SELECT i.id, coalesce(i.path, i.filename) AS name,
       CASE WHEN e.status = 'failed' THEN e.status ELSE i.status END AS status,
       CASE WHEN e.status = 'failed' THEN e.error_code ELSE i.error_code END AS error_code,
       CASE WHEN e.status = 'failed' THEN e.error_message ELSE i.error_message END AS error_message,
       i.document_id
FROM unnest($1::bigint[], $2::bigint[]) AS stretch(first, last)
JOIN inbox i ON i.id BETWEEN stretch.first AND stretch.last
LEFT JOIN LATERAL (
    SELECT j.status, j.error_code, j.error_message
    FROM document_jobs j
    WHERE i.status = 'completed' AND j.document_id = i.document_id AND j.stage = 'embed'
    ORDER BY j.id DESC
    LIMIT 1
) AS e ON true
ORDER BY i.id;

-- name: failed_files(code, ids, newest_only, most) -> many
-- Lists files that could not be read, newest first, and what became of each since: `later_status` is that of the newest
-- row for the same path or, for an upload, the same content; NULL where this one is the last word. A finished upload has
-- its content in its document.
-- Rows are sorted and not joined by path: the planner, who mostly knows of few failed rows, would make a loop of it.
-- IS TRUE makes a hash table of the subquery, for the same reason.
WITH tries AS (
    SELECT i.id, i.status, i.error_code,
           first_value(i.id) OVER newest_first AS later_id,
           first_value(i.status) OVER newest_first AS later_status
    FROM inbox i
    LEFT JOIN documents d ON d.id = i.document_id AND i.path IS NULL AND i.content IS NULL
    WHERE (coalesce(i.path, i.sha256, d.sha256) IN (
        SELECT coalesce(f.path, f.sha256) FROM inbox f
        WHERE f.status = 'failed' AND ($1::text IS NULL OR f.error_code = $1) AND ($2::bigint[] IS NULL OR f.id = ANY ($2))
    )) IS TRUE
    WINDOW newest_first AS (PARTITION BY i.user_id, coalesce(i.path, i.sha256, d.sha256) ORDER BY i.id DESC)
)
SELECT i.id, i.stage, coalesce(i.path, i.filename, '') AS name,
       coalesce(i.filename, regexp_replace(i.path, '^.*/', '')) AS filename, i.document_id, i.attempts, i.error_code,
       i.error_message, i.created_at, i.completed_at,
       nullif(t.later_id, t.id) AS later_id,
       CASE WHEN t.later_id <> t.id THEN t.later_status END AS later_status
FROM tries t
JOIN inbox i ON i.id = t.id
WHERE t.status = 'failed'
  AND ($1::text IS NULL OR t.error_code = $1)
  AND ($2::bigint[] IS NULL OR t.id = ANY ($2))
  AND (NOT $3::boolean OR t.later_id = t.id)
ORDER BY i.completed_at DESC, i.id DESC
LIMIT $4;

-- name: failed_document_jobs(stage, code, ids, newest_only, most) -> many
-- Lists failed stages of living documents by the document's title, newest first, and what became of each since, as
-- failed_files.
SELECT j.id, j.stage, d.title AS name, d.filename, j.document_id, j.attempts, j.error_code, j.error_message,
       j.created_at, j.completed_at, n.id AS later_id, n.status AS later_status
FROM document_jobs j
JOIN documents d ON d.id = j.document_id AND d.deleted_at IS NULL
LEFT JOIN LATERAL (
    SELECT l.id, l.status
    FROM document_jobs l
    WHERE l.document_id = j.document_id AND l.stage = j.stage AND l.id > j.id
    ORDER BY l.id DESC
    LIMIT 1
) AS n ON true
WHERE j.status = 'failed'
  AND ($1::text IS NULL OR j.stage = $1)
  AND ($2::text IS NULL OR j.error_code = $2)
  AND ($3::bigint[] IS NULL OR j.id = ANY ($3))
  AND (NOT $4::boolean OR n.id IS NULL)
ORDER BY j.completed_at DESC, j.id DESC
LIMIT $5;

-- name: failed_asks(code, ids, newest_only, most) -> many
-- Lists questions that could not be answered, by their beginning, newest first, as failed_files; a newer try names the
-- one before it.
WITH tries AS (
    SELECT id AS of, NULL::bigint AS later_id
    FROM asks
    WHERE status = 'failed' AND ($1::text IS NULL OR error_code = $1) AND ($2::bigint[] IS NULL OR id = ANY ($2))
    UNION ALL
    SELECT (payload ->> 'retry_of')::bigint, id FROM asks WHERE payload ? 'retry_of'
), newest AS (
    SELECT of, max(later_id) AS later_id FROM tries GROUP BY of HAVING bool_or(later_id IS NULL)
)
SELECT a.id, a.stage, left(a.question, 200) AS name, NULL::text AS filename, NULL::bigint AS document_id,
       a.attempts, a.error_code, a.error_message, a.created_at, a.completed_at, n.later_id, l.status AS later_status
FROM newest n
JOIN asks a ON a.id = n.of
LEFT JOIN asks l ON l.id = n.later_id
WHERE NOT $3::boolean OR n.later_id IS NULL
ORDER BY a.completed_at DESC, a.id DESC
LIMIT $4;

-- name: failed_digests(code, ids, newest_only, most) -> many
-- Lists digests that could not be made, by their day, newest first, as failed_files; a later one has made up for it.
SELECT d.id, d.stage, to_char(d.slot, 'YYYY-MM-DD HH24:MI TZ') AS name, NULL::text AS filename,
       NULL::bigint AS document_id, d.attempts, d.error_code, d.error_message, d.created_at, d.completed_at, n.id AS later_id, n.status AS later_status
FROM digests d
LEFT JOIN LATERAL (
    SELECT l.id, l.status
    FROM digests l
    WHERE l.user_id = d.user_id AND l.slot > d.slot
    ORDER BY l.status = 'failed', l.slot DESC
    LIMIT 1
) AS n ON true
WHERE d.status = 'failed'
  AND ($1::text IS NULL OR d.error_code = $1)
  AND ($2::bigint[] IS NULL OR d.id = ANY ($2))
  AND (NOT $3::boolean OR n.id IS NULL)
ORDER BY d.completed_at DESC, d.id DESC
LIMIT $4;

-- name: retry_files(ids) -> many
-- Enqueues failed files again, each as a new row, unless somebody else has just done it. For many at once: whoever calls
-- has looked, by failed_files, which of them are the last word.
INSERT INTO inbox (path, filename, content, collection, material_type, jurisdiction, published_date, license, user_id,
                   document_id, payload)
SELECT path, filename, content, collection, material_type, jurisdiction, published_date, license, user_id,
       document_id, jsonb_build_object('retry_of', id)
FROM inbox f
WHERE id = ANY ($1::bigint[])
  AND status = 'failed'
  AND num_nonnulls(path, content) = 1
  AND (id::text IN (SELECT payload ->> 'retry_of' FROM inbox WHERE payload ? 'retry_of')) IS NOT TRUE
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id;

-- name: standing_of_rows(ids) -> many
-- Says how rows of a queue stand that are not failed, for whoever named them.
SELECT id, stage, status FROM a_queue WHERE id = ANY ($1::bigint[]) AND status <> 'failed';

-- name: server_facts() -> one
-- Tells what doctor wants to know of the server.
SELECT current_setting('server_version') AS server_version,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector_version,
       pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM documents WHERE deleted_at IS NULL) AS documents,
       (SELECT count(*) FROM corpus_chunks) AS chunks,
       (SELECT extract(epoch FROM max(now() - xact_start))::float8 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()) AS oldest_transaction_s;
