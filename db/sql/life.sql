-- name: point_path(path, document_id, size_bytes, modified_ns, filename) -> none
-- Notes which document lies at a path, under which name, and the size and time by which a change is seen.
WITH heeded AS (
    DELETE FROM ignored_files WHERE path = $1
)
INSERT INTO document_files AS f (path, document_id, size_bytes, modified_ns, filename)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (path) DO UPDATE
SET document_id = excluded.document_id, size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns,
    filename = excluded.filename, seen_at = now();

-- name: known_files(prefix) -> many
-- Lists what is known below a folder, by the text that every path there starts with; also files of documents that a
-- person deleted or purged, which as they are do not come back.
SELECT path, size_bytes, modified_ns FROM document_files WHERE starts_with(path, $1)
UNION ALL
SELECT i.path, i.size_bytes, i.modified_ns FROM ignored_files i
WHERE starts_with(i.path, $1) AND NOT EXISTS (SELECT 1 FROM document_files f WHERE f.path = i.path);

-- name: forget_path(path) -> value
-- A watched file is gone: forgets the path; true when its document was deleted with it.
SELECT forget_path($1);

-- name: hold_document(id) -> none
-- Keeps a document alive until the transaction ends; a Conflict when it was deleted meanwhile.
SELECT hold_document($1);

-- name: hold_deleted_document(id) -> none
-- Keeps a document deleted until the transaction ends; a Conflict when it was restored or purged meanwhile.
SELECT hold_deleted_document($1);

-- name: delete_document(id) -> value
-- Takes a document out of everything until it is restored; false when there is none.
SELECT delete_document($1);

-- name: let_go_document(id) -> value
-- As delete_document, for one whose file is gone: it comes back with its file.
SELECT delete_document($1, 'file_gone');

-- name: restore_document(id) -> one
-- Brings a deleted document back and says how that went (migration 0008); no row where there is no document.
SELECT document_id, verdict FROM restore_document($1) WHERE document_id IS NOT NULL;

-- name: purge_document(id) -> value
-- Removes a document for good, deleted before or not; false when there is none.
SELECT purge_document($1);

-- name: purge_expired(days, most) -> value
-- Purges documents that were deleted more than so many days ago, at the most so many; gives their count.
SELECT purge_expired(make_interval(days => $1), $2);

-- name: embed_if_alive(id) -> none
-- For the end of a job that found its document deleted: when it was restored meanwhile, it is embedded after all.
INSERT INTO document_jobs (document_id, stage)
SELECT id, 'embed' FROM documents WHERE id = $1 AND deleted_at IS NULL
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: set_document_fields(id, fields) -> value
-- Sets fields for a person, null clears one; gives the document's number, NULL where there is none alive. A licence
-- that says nothing of restriction leaves that as it is: by its new name alone a bought book is not free to quote.
SELECT set_document_fields($1, CASE
    WHEN jsonb_typeof($2::jsonb -> 'license') = 'object' AND NOT ($2::jsonb -> 'license') ? 'restricted'
        THEN jsonb_set($2::jsonb, '{license,restricted}', coalesce(
            (SELECT to_jsonb(is_restricted(extract_meta)) FROM documents WHERE id = document_number($1)), 'false'))
    ELSE $2::jsonb END);

-- name: note_law_version(id, series, effective_date, number) -> none
-- Fills in which version of which law a document is, where that is not known; only for laws.
UPDATE documents
SET series = coalesce(series, $2), effective_date = coalesce(effective_date, $3),
    extract_meta = CASE WHEN $4::text IS NULL THEN extract_meta
                        ELSE jsonb_build_object('law_number', $4::text) || extract_meta END
WHERE id = $1 AND material_type = 'law';

-- name: law_statuses(ids, now) -> many
-- Says of laws which of their versions they are, on the day of a moment by the database's clock: NULL for its own now.
SELECT id AS document_id,
       law_version_status(user_id, material_type, series, effective_date, coalesce($2::timestamptz, now())::date)
           AS version_status
FROM documents
WHERE id = ANY ($1::bigint[]) AND material_type = 'law' AND deleted_at IS NULL;

-- name: deleted_document(id) -> one
-- Gives a document that can be restored or purged.
SELECT id, title, filename, collection, media_type, size_bytes, page_count, material_type, jurisdiction,
       published_date, extract_meta, created_at, updated_at, deleted_at, deleted_why
FROM documents
WHERE id = document_number($1) AND deleted_at IS NOT NULL;

-- name: list_deleted_documents(user_id, material_type, collection, before, most) -> many
-- Lists the documents that can be restored, newest first.
SELECT id, title, filename, collection, media_type, size_bytes, page_count, material_type, jurisdiction,
       published_date, extract_meta, created_at, updated_at, deleted_at, deleted_why
FROM documents
WHERE user_id = $1
  AND deleted_at IS NOT NULL
  AND ($2::text IS NULL OR material_type = $2)
  AND ($3::text IS NULL OR collection = $3)
  AND ($4::bigint IS NULL OR id < $4)
ORDER BY id DESC
LIMIT $5;
