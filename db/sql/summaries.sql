-- What a document is and what it says in short (stages classify and deep). A "text version" names one reading of the
-- file as it stands: the reading's number and the bytes of its text, which a page that is recognised later changes.

-- name: documents_to_summarise(ids) -> many
-- Reads the documents that a batch of jobs is about, and why the job was made. octet_length() of a stored text costs
-- nothing: it is read off the place where the text is kept.
SELECT j.id AS job_id, j.payload, d.id, d.title, d.filename, d.material_type, d.jurisdiction, d.published_date, d.ai_meta,
       d.pages_version || ':' || coalesce(octet_length(d.extracted_text), 0) AS text_version,
       coalesce(octet_length(d.extracted_text), 0) AS bytes,
       d.deleted_at IS NOT NULL AS deleted
FROM document_jobs j
JOIN documents d ON d.id = j.document_id
WHERE j.id = ANY ($1::bigint[]);

-- name: chars_of_document(id) -> value
-- Counts the characters of a document's text; the server has to unpack all of it.
SELECT coalesce(length(extracted_text), 0) FROM documents WHERE id = $1;

-- name: slices_of_document(id, starts, lengths) -> many
-- Reads some stretches of a document's text, counted from 0: the rest of a long one never leaves the server.
SELECT substr(d.extracted_text, wanted.start + 1, wanted.length) AS text
FROM documents d
CROSS JOIN unnest($2::integer[], $3::integer[]) WITH ORDINALITY AS wanted(start, length, place)
WHERE d.id = $1 AND d.extracted_text IS NOT NULL
ORDER BY wanted.place;

-- name: classify_document(id, text_version, language, material_type, jurisdiction, published_date) -> none
-- Fills in what is still empty; what a folder rule, a person or the caller set stays, also where a person left a field
-- empty. Of a text that is no longer the document's nothing is written.
UPDATE documents
SET language = coalesce($3, language),
    material_type = CASE WHEN 'material_type' = ANY (person_set) THEN material_type ELSE coalesce(material_type, $4) END,
    jurisdiction = CASE WHEN 'jurisdiction' = ANY (person_set) THEN jurisdiction ELSE coalesce(jurisdiction, $5) END,
    published_date = CASE WHEN 'published_date' = ANY (person_set) THEN published_date
                          ELSE coalesce(published_date, $6) END
WHERE id = $1
  AND deleted_at IS NULL
  AND pages_version || ':' || coalesce(octet_length(extracted_text), 0) = $2;

-- name: save_summary(id, text_version, rank, summary, meta) -> none
-- Stores a summary of rank 0 (by rules), 1 (of one sentence, by a model) or 2 (deep). A better one of the same text
-- stays the document's summary; what the model found is noted beside it all the same. What was noted of a former text
-- goes.
UPDATE documents
SET ai_summary = CASE
        WHEN ai_meta ->> 'text_version' = $2
         AND $3 < CASE WHEN ai_meta ? 'deep' THEN 2 WHEN ai_meta ? 'triage' THEN 1 ELSE 0 END THEN ai_summary
        ELSE $4 END,
    ai_meta = CASE
        WHEN ai_meta ->> 'text_version' IS DISTINCT FROM $2 THEN $5::jsonb
        WHEN $3 < CASE WHEN ai_meta ? 'deep' THEN 2 WHEN ai_meta ? 'triage' THEN 1 ELSE 0 END
            THEN ai_meta || ($5::jsonb - 'summary_by')
        ELSE ai_meta || $5::jsonb END
WHERE id = $1
  AND deleted_at IS NULL
  AND pages_version || ':' || coalesce(octet_length(extracted_text), 0) = $2;

-- name: summarise_again_if_newer(document_id, text_version, stage) -> none
-- The text changed while a model had it in hand, and the job that came with the change met ours: the new text follows.
INSERT INTO document_jobs (document_id, stage)
SELECT id, $3
FROM documents
WHERE id = $1
  AND deleted_at IS NULL
  AND pages_version || ':' || coalesce(octet_length(extracted_text), 0) <> $2
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: deep_pressure(window_s) -> one
-- Counts what back-pressure looks at: documents classified lately, those of them that were escalated, and deep
-- summaries of that time that still wait.
SELECT (SELECT count(*) FROM document_jobs
        WHERE stage = 'classify' AND status = 'completed' AND completed_at > now() - make_interval(secs => $1))
           AS classified,
       count(*) FILTER (WHERE payload ->> 'asked_by' = 'triage') AS escalated,
       count(*) FILTER (WHERE status = 'pending') AS waiting
FROM document_jobs
WHERE stage = 'deep' AND created_at > now() - make_interval(secs => $1);

-- name: enqueue_deep(document_id, urgency, payload) -> value
-- Enqueues a deep summary and gives the job's number. One that waits already is enough; for a person it goes to the
-- head of the line, and what was put off is ready again.
INSERT INTO document_jobs AS j (document_id, stage, urgency, payload)
VALUES ($1, 'deep', $2, $3)
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO UPDATE
SET urgency = least(j.urgency, excluded.urgency),
    run_at = CASE WHEN excluded.urgency = 0 THEN NULL ELSE j.run_at END,
    error_code = CASE WHEN excluded.urgency = 0 THEN NULL ELSE j.error_code END,
    error_message = CASE WHEN excluded.urgency = 0 THEN NULL ELSE j.error_message END,
    payload = CASE WHEN excluded.urgency = 0 THEN coalesce(j.payload, '{}') || excluded.payload ELSE j.payload END
RETURNING j.id;

-- name: tell_deep_ended(job_id) -> none
-- Tells the facade that a deep summary was worked on: it looks at the row.
SELECT pg_notify('seodang_deep_events', $1::bigint::text);

-- name: deep_job(id) -> one
-- Gives a deep summary's row for the person who waits for it.
SELECT id, document_id, stage, status, error_code, error_message FROM document_jobs WHERE id = $1;

-- name: summary_of_document(id) -> one
-- Gives a document's summary with what is known of it.
SELECT ai_summary, ai_meta FROM documents WHERE id = $1;
