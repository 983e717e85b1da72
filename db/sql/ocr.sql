-- name: document_to_recognise(job_id) -> one
-- Reads the document that a job is about, as far as its file must be found again.
SELECT d.id, d.filename, d.sha256, d.pages_version, d.deleted_at IS NOT NULL AS deleted
FROM document_jobs j
JOIN documents d ON d.id = j.document_id
WHERE j.id = $1;

-- name: pages_to_recognise(document_id, version, recogniser, most) -> many
-- Lists the first pages that nobody could read and that this recogniser has not tried.
SELECT number
FROM document_pages
WHERE document_id = $1 AND version = $2 AND origin = 'unread' AND recognised_by IS DISTINCT FROM $3
ORDER BY number
LIMIT $4;

-- name: request_embedding(document_id) -> none
-- First statement of whoever has changed pages of a reading and wants them found: a job that waits will see them, one
-- that runs may have read them before and is told to follow itself (embed_again_if_newer). Whoever embeds takes its
-- job's row first and the document after it; in the other order the two would wait for one another.
SELECT embed_again($1);

-- name: save_recognised_page(document_id, version, number, text, lines, origin, note, recogniser) -> none
-- Writes what was made out, or why nothing was; a page of a reading that is no more is left alone.
UPDATE document_pages
SET text = $4, lines = $5::text::jsonb, origin = $6, note = $7, recognised_by = $8
WHERE document_id = $1 AND version = $2 AND number = $3 AND origin = 'unread';

-- name: enqueue_unread(recogniser) -> none
-- Enqueues the documents with pages that nobody could read and that this recogniser has not tried.
INSERT INTO document_jobs (document_id, stage, urgency)
SELECT d.id, 'ocr', 200
FROM documents d
WHERE d.unread_pages <> '{}'
  AND d.deleted_at IS NULL
  AND (d.media_type = 'application/pdf' OR d.media_type LIKE 'image/%')
  AND EXISTS (SELECT FROM document_pages p
              WHERE p.document_id = d.id AND p.version = d.pages_version AND p.origin = 'unread'
                AND p.recognised_by IS DISTINCT FROM $1)
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;
