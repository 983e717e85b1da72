-- Why: deleted documents can be restored until they are purged; a person's fields are marked; laws have versions.
-- Locks: documents and document_files exclusively, for a change in the catalogue (constant defaults), and documents
-- against writers while three indexes are made. Takes: milliseconds, and a few seconds per million documents.

ALTER TABLE documents
    -- 'user': only somebody who asks for it brings it back. 'file_gone': its file brings it back.
    ADD COLUMN deleted_why text CONSTRAINT documents_deleted_why_known CHECK (deleted_why IN ('user', 'file_gone')),
    -- Names of the fields that a person set; no reading and no rule changes them.
    ADD COLUMN person_set text[] NOT NULL DEFAULT '{}',
    -- The law, or code, of which a document is one version, and the day from which that version holds.
    ADD COLUMN series text,
    ADD COLUMN effective_date date;
UPDATE documents SET deleted_why = 'file_gone' WHERE deleted_at IS NOT NULL;
-- Every reading asks whether its content is known, also that of a deleted document.
CREATE INDEX documents_content ON documents (sha256);
CREATE INDEX documents_deleted ON documents (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX documents_law_versions ON documents (user_id, series, effective_date)
    WHERE material_type = 'law' AND deleted_at IS NULL;

-- The file's name at this place, as people type it; NULL where the place was noted before this column.
ALTER TABLE document_files ADD COLUMN filename text;

-- Files of purged documents that may still lie in a watched folder: as they are, they do not come back.
CREATE TABLE ignored_files (
    path         text PRIMARY KEY,
    size_bytes   bigint NOT NULL,
    modified_ns  bigint NOT NULL
);

-- The number under which a document stands, for one that may have been told before its content was known.
CREATE FUNCTION document_number(told bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT document_id FROM document_aliases WHERE id = told), told)
$$;

-- A file's name without its ending: a document that has no title of its own is called so.
CREATE FUNCTION file_stem(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(name, '^(.+)\.[^.]+$', '\1')
$$;

-- Takes a document out of everything, in the caller's transaction: its chunks go. Pages, text, summary, places and
-- stored file stay until it is restored or purged; every reader of them asks for deleted_at IS NULL.
DROP FUNCTION delete_document(bigint);
CREATE FUNCTION delete_document(doomed bigint, why text DEFAULT 'user') RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    doomed := document_number(doomed);
    UPDATE documents
    SET deleted_at = now(), deleted_why = why, updated_at = now(), corpus_version = 0
    WHERE id = doomed AND deleted_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM chunks WHERE document_id = doomed;
    RETURN true;
END $$;

-- Has a document embedded (again); a job that runs may have read the former state, and is told to follow itself
-- (embed_again_if_newer). To be called before the document is locked: a worker that ends a job takes the job's row
-- first and the document after it, and in the other order the two would wait for one another.
CREATE FUNCTION embed_again(changed bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO document_jobs AS j (document_id, stage) VALUES (changed, 'embed')
    ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing')
    DO UPDATE SET payload = coalesce(j.payload, '{}') || '{"pages_changed": true}' WHERE j.status = 'processing'
$$;

-- Brings a deleted document back, under its number; its chunks are made again, and what was skipped meanwhile.
-- verdict: 'restored'; 'alive', nothing was to be done; 'content_elsewhere', document_id is the document that has the
-- same content now; 'nothing_kept', it was deleted by a version that kept no text. NULL where there is no document.
CREATE FUNCTION restore_document(wanted bigint, OUT document_id bigint, OUT verdict text) LANGUAGE plpgsql AS $$
DECLARE
    lost documents;
BEGIN
    SELECT d.* INTO lost FROM documents d WHERE d.id = document_number(wanted);
    document_id := lost.id;
    IF lost.id IS NULL OR lost.deleted_at IS NULL THEN
        verdict := 'alive';
        RETURN;
    ELSIF lost.page_count > 0 AND NOT EXISTS (SELECT FROM document_pages p WHERE p.document_id = lost.id) THEN
        verdict := 'nothing_kept';
        RETURN;
    END IF;
    INSERT INTO document_jobs (document_id, stage) -- before the document, see embed_again
    SELECT lost.id, 'embed'
    UNION
    SELECT lost.id, last.stage
    FROM (SELECT DISTINCT ON (j.stage) j.stage, j.error_code
          FROM document_jobs j WHERE j.document_id = lost.id ORDER BY j.stage, j.id DESC) AS last
    WHERE last.error_code = 'document_deleted'
    ON CONFLICT DO NOTHING;
    UPDATE documents SET deleted_at = NULL, deleted_why = NULL, updated_at = now() WHERE id = lost.id;
    verdict := 'restored';
EXCEPTION
    WHEN unique_violation THEN -- documents_same_content, also where the other comes at the same moment
        SELECT d.id INTO document_id FROM documents d
        WHERE d.user_id = lost.user_id AND d.sha256 = lost.sha256 AND d.deleted_at IS NULL;
        verdict := 'content_elsewhere';
    WHEN foreign_key_violation THEN -- it was purged at the same moment
        document_id := NULL;
END $$;

-- Removes a document for good, with its number. Asks keep the citations they gave. Its jobs are locked first, as by
-- the worker that ends one: the other order would be a deadlock.
CREATE FUNCTION purge_document(doomed bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    its_sha256 text;
BEGIN
    doomed := document_number(doomed);
    PERFORM FROM document_jobs WHERE document_id = doomed ORDER BY id FOR UPDATE;
    PERFORM FROM documents WHERE id = doomed FOR UPDATE; -- a place that somebody is adding is waited for
    INSERT INTO ignored_files AS i (path, size_bytes, modified_ns)
    SELECT path, size_bytes, modified_ns FROM document_files WHERE document_id = doomed
    ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns;
    DELETE FROM documents WHERE id = doomed RETURNING sha256 INTO its_sha256;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM stored_files s
    WHERE s.sha256 = its_sha256 AND NOT EXISTS (SELECT FROM documents d WHERE d.sha256 = s.sha256);
    RETURN true;
END $$;

-- Purges what was deleted longer ago, the oldest first, at the most so many; any number of hosts may ask at once.
CREATE FUNCTION purge_expired(kept interval, most integer) RETURNS bigint LANGUAGE sql AS $$
    WITH expired AS MATERIALIZED (
        SELECT id FROM documents
        WHERE deleted_at < now() - kept
        ORDER BY deleted_at
        LIMIT most
        FOR UPDATE SKIP LOCKED
    )
    SELECT count(*) FROM expired WHERE purge_document(id)
$$;

-- Documents that are named after one of their places, by the newest of the others: how they are called when that place
-- is left. Names of places that are older than their column are the path's last part.
CREATE VIEW moved_documents AS
    SELECT d.id AS document_id, d.title, f.path AS left_path, newest.name AS new_name,
           CASE WHEN d.title = file_stem(d.filename) AND NOT 'title' = ANY (d.person_set)
                THEN file_stem(newest.name) ELSE d.title END AS new_title
    FROM document_files f
    JOIN documents d ON d.id = f.document_id AND d.deleted_at IS NULL
                    AND d.filename = coalesce(f.filename, regexp_replace(f.path, '^.*/', ''))
    CROSS JOIN LATERAL (
        SELECT coalesce(o.filename, regexp_replace(o.path, '^.*/', '')) AS name
        FROM document_files o
        WHERE o.document_id = f.document_id AND o.path <> f.path
        ORDER BY o.seen_at DESC, o.path
        LIMIT 1
    ) AS newest;

-- As hold_document, for who found a document deleted by a person and leaves it so.
CREATE FUNCTION hold_deleted_document(held bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM documents WHERE id = held AND deleted_at IS NOT NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = 'documents_restored_meanwhile',
            MESSAGE = format('Document %s was restored or purged meanwhile.', held);
    END IF;
END $$;

-- A watched file is gone: forgets the path, and deletes the document when it lies nowhere else and was not uploaded.
-- The document is locked first: a place that somebody is adding to it is waited for, and seen by the next statement.
-- A document that was named after the place it has left is named after the newest one; its title too, where that was
-- the file's name and no person's choice. Chunks carry words of the title: they are made again.
CREATE OR REPLACE FUNCTION forget_path(gone text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    doomed bigint;
BEGIN
    DELETE FROM ignored_files WHERE path = gone;
    PERFORM embed_again(m.document_id) FROM moved_documents m WHERE m.left_path = gone AND m.title <> m.new_title;
    SELECT d.id INTO doomed
    FROM documents d JOIN document_files f ON f.document_id = d.id
    WHERE f.path = gone
    FOR NO KEY UPDATE OF d;
    UPDATE documents d SET filename = m.new_name, title = m.new_title, updated_at = now()
    FROM moved_documents m
    WHERE m.left_path = gone AND d.id = m.document_id AND d.filename <> m.new_name;
    DELETE FROM document_files WHERE path = gone AND document_id = doomed;
    IF NOT FOUND
       OR EXISTS (SELECT FROM document_files WHERE document_id = doomed)
       OR EXISTS (SELECT FROM stored_files s JOIN documents d ON d.sha256 = s.sha256 WHERE d.id = doomed) THEN
        RETURN false;
    END IF;
    RETURN delete_document(doomed, 'file_gone');
END $$;

-- Sets fields of a document for a person: a JSON value per name, null clears one and lets readings, rules and the
-- classifier propose it again. Gives the document's number, NULL where there is none alive.
CREATE FUNCTION set_document_fields(wanted bigint, given jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    names text[] := ARRAY(SELECT jsonb_object_keys(given));
    cleared text[] := ARRAY(SELECT key FROM jsonb_each(given) WHERE value = 'null');
    was documents;
BEGIN
    IF NOT names <@ ARRAY['title', 'collection', 'material_type', 'jurisdiction', 'published_date', 'license',
                          'series', 'effective_date'] THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_field_known',
            MESSAGE = format('A person may not set all of these fields: %s.', array_to_string(names, ', '));
    END IF;
    SELECT d.* INTO was FROM documents d WHERE d.id = document_number(wanted) AND d.deleted_at IS NULL;
    IF was.id IS NULL THEN
        RETURN NULL;
    END IF;
    IF given ? 'title' AND coalesce(given ->> 'title', file_stem(was.filename)) <> was.title THEN
        PERFORM embed_again(was.id); -- chunks carry words of the title
    END IF;
    INSERT INTO document_jobs AS j (document_id, stage, payload)
    SELECT was.id, 'classify', '{"again": true}' -- a model is asked also about a text that it has classified
    WHERE cleared && ARRAY['material_type', 'jurisdiction', 'published_date']
    ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing')
    DO UPDATE SET payload = coalesce(j.payload, '{}') || excluded.payload WHERE j.status = 'pending';
    UPDATE documents AS d
    SET title = CASE WHEN given ? 'title' THEN coalesce(given ->> 'title', file_stem(d.filename)) ELSE d.title END,
        collection = CASE WHEN given ? 'collection' THEN coalesce(given ->> 'collection', 'default')
                          ELSE d.collection END,
        material_type = CASE WHEN given ? 'material_type' THEN given ->> 'material_type' ELSE d.material_type END,
        jurisdiction = CASE WHEN given ? 'jurisdiction' THEN given ->> 'jurisdiction' ELSE d.jurisdiction END,
        published_date = CASE WHEN given ? 'published_date' THEN (given ->> 'published_date')::date
                              ELSE d.published_date END,
        series = CASE WHEN given ? 'series' THEN given ->> 'series' ELSE d.series END,
        effective_date = CASE WHEN given ? 'effective_date' THEN (given ->> 'effective_date')::date
                              ELSE d.effective_date END,
        extract_meta = CASE WHEN NOT given ? 'license' THEN d.extract_meta
                            WHEN given -> 'license' = 'null' THEN d.extract_meta - 'license'
                            ELSE d.extract_meta || jsonb_build_object('license', given -> 'license') END,
        person_set = ARRAY(SELECT unnest(d.person_set || names) EXCEPT SELECT unnest(cleared) ORDER BY 1),
        updated_at = now()
    WHERE d.id = was.id AND d.deleted_at IS NULL
    RETURNING d.id INTO was.id;
    RETURN was.id;
END $$;

-- Says which version of a law a document is on a day: 'future', 'current' (the newest that holds), 'superseded';
-- NULL for what is no law, and where it is not known from when it holds. One without siblings is compared with none.
CREATE FUNCTION law_version_status(owner bigint, kind text, law_series text, effective date, today date)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN kind IS DISTINCT FROM 'law' OR effective IS NULL THEN NULL
        WHEN effective > today THEN 'future'
        WHEN EXISTS (SELECT FROM documents newer
                     WHERE newer.user_id = owner AND newer.series = law_series AND newer.material_type = 'law'
                       AND newer.deleted_at IS NULL
                       AND newer.effective_date > effective AND newer.effective_date <= today) THEN 'superseded'
        ELSE 'current'
    END
$$;

CREATE VIEW law_versions AS
    SELECT id AS document_id, user_id, series, effective_date, title,
           law_version_status(user_id, material_type, series, effective_date, current_date) AS version_status
    FROM documents
    WHERE material_type = 'law' AND deleted_at IS NULL;
