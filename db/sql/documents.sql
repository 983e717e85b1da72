-- name: document_at_path(path, user_id) -> one
-- Finds the document whose file lies, or lay, at a path, and at how many other places it lies: paths, or an upload.
SELECT d.id, d.sha256, d.pages_version, d.deleted_at IS NOT NULL AS deleted,
       d.deleted_at IS NOT NULL AND d.deleted_why IS DISTINCT FROM 'file_gone' AS deleted_by_person,
       (SELECT count(*) FROM document_files o WHERE o.document_id = d.id AND o.path <> f.path)
     + (SELECT count(*) FROM stored_files s WHERE s.sha256 = d.sha256) AS other_places
FROM document_files f
JOIN documents d ON d.id = f.document_id
WHERE f.path = $1 AND d.user_id = $2;

-- name: document_of_content(sha256, user_id) -> one
-- Finds the document with that content; a living one goes before a deleted one.
SELECT id, sha256, pages_version, deleted_at IS NOT NULL AS deleted,
       deleted_at IS NOT NULL AND deleted_why IS DISTINCT FROM 'file_gone' AS deleted_by_person,
       0::bigint AS other_places
FROM documents
WHERE sha256 = $1 AND user_id = $2
ORDER BY deleted_at IS NOT NULL, id DESC
LIMIT 1;

-- name: new_document_id() -> value
SELECT nextval(pg_get_serial_sequence('documents', 'id'));

-- name: save_document(id, user_id, collection, title, filename, media_type, sha256, size_bytes, page_count, pages_version, material_type, jurisdiction, published_date, extract_meta, series) -> none
-- Writes a document that is new, changed, or back from deletion. Its pages come under a version of their own; what
-- search serves stays as it was until they are embedded. What a person set stays; the version of a law is that of the
-- new text.
INSERT INTO documents AS d (id, user_id, collection, title, filename, media_type, sha256, size_bytes, page_count,
                            pages_version, material_type, jurisdiction, published_date, extract_meta, series)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (id) DO UPDATE
SET collection = CASE WHEN 'collection' = ANY (d.person_set) OR excluded.collection = 'default' THEN d.collection
                      ELSE excluded.collection END,
    title = CASE WHEN 'title' = ANY (d.person_set) THEN d.title ELSE excluded.title END,
    filename = excluded.filename,
    media_type = excluded.media_type, sha256 = excluded.sha256, size_bytes = excluded.size_bytes,
    page_count = excluded.page_count, pages_version = excluded.pages_version,
    material_type = CASE WHEN 'material_type' = ANY (d.person_set) THEN d.material_type
                         ELSE coalesce(excluded.material_type, d.material_type) END,
    jurisdiction = CASE WHEN 'jurisdiction' = ANY (d.person_set) THEN d.jurisdiction
                        ELSE coalesce(excluded.jurisdiction, d.jurisdiction) END,
    published_date = CASE WHEN 'published_date' = ANY (d.person_set) THEN d.published_date
                          ELSE coalesce(excluded.published_date, d.published_date) END,
    extract_meta = CASE WHEN 'license' = ANY (d.person_set) THEN excluded.extract_meta || d.extract_meta
                        ELSE d.extract_meta || excluded.extract_meta END - 'law_number',
    series = CASE WHEN 'series' = ANY (d.person_set) THEN d.series ELSE excluded.series END,
    effective_date = CASE WHEN 'effective_date' = ANY (d.person_set) THEN d.effective_date END,
    updated_at = now(), deleted_at = NULL, deleted_why = NULL;

-- name: fill_document_fields(id, material_type, jurisdiction, published_date, extract_meta, series) -> none
-- The same content came again: what the newcomer knows fills what was empty, and changes nothing; but what lies at a
-- restricted place is restricted, also after a move, unless a person said otherwise.
UPDATE documents
SET material_type = coalesce(material_type, $2), jurisdiction = coalesce(jurisdiction, $3),
    published_date = coalesce(published_date, $4),
    extract_meta = CASE
        WHEN is_restricted($5::jsonb) AND NOT 'license' = ANY (person_set)
            THEN extract_meta
                 || jsonb_build_object('license', coalesce(extract_meta -> 'license', '{}') || ($5::jsonb -> 'license'))
        ELSE $5::jsonb || extract_meta END,
    series = coalesce(series, $6)
WHERE id = $1
  AND (material_type IS NULL OR jurisdiction IS NULL OR published_date IS NULL OR NOT extract_meta @> $5::jsonb
       OR series IS NULL);

-- name: insert_page(document_id, version, number, label, text, lines, origin, note, headings) -> none
INSERT INTO document_pages (document_id, version, number, label, text, lines, origin, note, headings)
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9::text::jsonb);

-- name: save_extracted_text(id, version) -> none
-- Joins the pages inside the server, a form feed between two, and notes those that have not been read; a document that
-- has changed or was deleted meanwhile is left alone.
UPDATE documents
SET (extracted_text, unread_pages) = (
        SELECT string_agg(text, E'\f' ORDER BY number),
               coalesce(array_agg(number ORDER BY number) FILTER (WHERE origin = 'unread'), '{}')
        FROM document_pages WHERE document_id = $1 AND version = $2),
    updated_at = now()
WHERE id = $1 AND pages_version = $2 AND deleted_at IS NULL;

-- name: refused_files(prefix) -> many
-- Lists the files below a folder whose last reading failed for good, with the size and time they had then.
SELECT DISTINCT ON (path) path, (payload ->> 'size_bytes')::bigint AS size_bytes,
       (payload ->> 'modified_ns')::bigint AS modified_ns
FROM inbox
WHERE starts_with(path, $1) AND path IS NOT NULL AND status = 'failed' AND payload ? 'modified_ns'
ORDER BY path, id DESC;

-- name: enqueue_document_job(subject, stage) -> none
-- Enqueues a stage of a document; one that waits or runs already is enough.
INSERT INTO document_jobs (document_id, stage)
VALUES ($1, $2)
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: retry_document_jobs(stage, ids, code) -> many
-- Enqueues failed jobs of documents again, each as a new row. NULL means all.
INSERT INTO document_jobs (document_id, stage, payload)
SELECT DISTINCT ON (document_id, stage) document_id, stage, jsonb_build_object('retry_of', id)
FROM document_jobs f
WHERE status = 'failed'
  AND ($1::text IS NULL OR stage = $1)
  AND ($2::bigint[] IS NULL OR id = ANY ($2))
  AND ($3::text IS NULL OR error_code = $3)
  AND NOT EXISTS (SELECT 1 FROM document_jobs later
                  WHERE later.id > f.id AND later.document_id = f.document_id AND later.stage = f.stage)
ORDER BY document_id, stage, id DESC
ON CONFLICT DO NOTHING
RETURNING id;

-- name: documents_of_jobs(ids) -> many
-- Reads the documents that a batch of jobs is about.
SELECT j.id AS job_id, d.id, d.title, d.pages_version, d.corpus_version, d.media_type, d.language,
       d.deleted_at IS NOT NULL AS deleted
FROM document_jobs j
JOIN documents d ON d.id = j.document_id
WHERE j.id = ANY ($1::bigint[]);

-- name: pages_between(document_id, version, first, last) -> many
SELECT number, text, headings
FROM document_pages
WHERE document_id = $1 AND version = $2 AND number BETWEEN $3 AND $4
ORDER BY number;

-- name: head_of_document(id, chars) -> value
SELECT left(extracted_text, $2) FROM documents WHERE id = $1;

-- name: document(id) -> one
-- Gives a living document as callers see it, also by a number that was told before its content was known.
SELECT id, user_id, collection, title, filename, media_type, sha256, size_bytes, page_count, pages_version,
       corpus_version, language, material_type, jurisdiction, published_date, extract_meta, ai_summary, created_at,
       updated_at, series, effective_date,
       law_version_status(user_id, material_type, series, effective_date, current_date) AS version_status,
       reading, unread_pages
FROM documents
WHERE id = coalesce((SELECT a.document_id FROM document_aliases a WHERE a.id = $1), $1) AND deleted_at IS NULL;

-- name: list_documents(user_id, material_type, hidden, collection, before, most) -> many
-- Lists living documents, newest first; kinds in `hidden` are left out unless a kind is asked for.
SELECT id, user_id, collection, title, filename, media_type, sha256, size_bytes, page_count, pages_version,
       corpus_version, language, material_type, jurisdiction, published_date, extract_meta, ai_summary, created_at,
       updated_at, series, effective_date,
       law_version_status(user_id, material_type, series, effective_date, current_date) AS version_status,
       reading, unread_pages
FROM documents
WHERE user_id = $1
  AND deleted_at IS NULL
  AND CASE WHEN $2::text IS NULL THEN coalesce(material_type, '') <> ALL ($3::text[]) ELSE material_type = $2 END
  AND ($4::text IS NULL OR collection = $4)
  AND ($5::bigint IS NULL OR id < $5)
ORDER BY id DESC
LIMIT $6;

-- name: document_page(document_id, number) -> one
-- Gives a page as search serves it: of the version in the corpus, or of the first reading before there is one.
SELECT p.number, p.label, p.text, p.lines, d.title, d.page_count, p.origin, p.note
FROM documents d
JOIN document_pages p ON p.document_id = d.id AND p.version = coalesce(nullif(d.corpus_version, 0), d.pages_version)
WHERE d.id = $1 AND p.number = $2 AND d.deleted_at IS NULL;

-- name: document_paths(document_id) -> many
SELECT path, size_bytes, modified_ns FROM document_files WHERE document_id = $1 ORDER BY seen_at DESC, path;
