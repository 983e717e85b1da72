-- name: inbox_row(id) -> one
-- Reads what is known of a file that waits to be read; its content is fetched apart.
SELECT id, path, filename, content IS NOT NULL AS has_content, sha256, collection, material_type, jurisdiction,
       published_date, license, user_id, document_id, coalesce(payload ? 'modified_ns', false) AS watched
FROM inbox
WHERE id = $1;

-- name: inbox_content(id) -> value
SELECT content FROM inbox WHERE id = $1;

-- name: offer_file(path, user_id, size_bytes, modified_ns) -> value
-- Enqueues a watched file, unless it is active. It waits for a reading of the same path that is just being committed.
INSERT INTO inbox (path, user_id, payload)
VALUES ($1, $2, jsonb_build_object('size_bytes', $3::bigint, 'modified_ns', $4::bigint))
ON CONFLICT (user_id, path) WHERE status IN ('pending', 'processing') DO NOTHING
RETURNING id;

-- name: withdraw_known_file(id, path, size_bytes, modified_ns) -> value
-- Takes an offer back, in its own transaction, when the file was read or refused as it is while the watcher compared.
-- Apart from the offer, because a statement that had to wait still looks at what was there when it began.
DELETE FROM inbox
WHERE id = $1
  AND (EXISTS (SELECT 1 FROM document_files f
               WHERE f.path = $2 AND f.size_bytes = $3 AND f.modified_ns = $4)
       OR EXISTS (SELECT 1 FROM ignored_files i
                  WHERE i.path = $2 AND i.size_bytes = $3 AND i.modified_ns = $4)
       OR EXISTS (SELECT 1 FROM inbox refused
                  WHERE refused.path = $2 AND refused.status = 'failed'
                    AND refused.payload @> jsonb_build_object('size_bytes', $3::bigint, 'modified_ns', $4::bigint)))
RETURNING id;

-- name: insert_inbox_content(filename, content, collection, material_type, jurisdiction, user_id) -> one
-- Enqueues content and sets a document's number aside for it, so that its address can be told at once.
INSERT INTO inbox (filename, content, collection, material_type, jurisdiction, user_id, document_id)
VALUES ($1, $2, $3, $4, $5, $6, nextval(pg_get_serial_sequence('documents', 'id')))
RETURNING id AS inbox_id, document_id, status;

-- name: lock_content(lock, key) -> none
-- Keeps two uploads of one content apart until the transaction ends.
SELECT pg_advisory_xact_lock($1, $2);

-- name: active_inbox_of_content(sha256, user_id) -> one
-- Finds an upload of the same content that is still on its way.
SELECT id AS inbox_id, document_id, status
FROM inbox
WHERE sha256 = $1 AND user_id = $2 AND status IN ('pending', 'processing') AND document_id IS NOT NULL
ORDER BY id
LIMIT 1;

-- name: inbox_of_document(document_id) -> one
-- Gives the newest row that led, or will lead, to a document.
SELECT id AS inbox_id, status, coalesce(filename, path) AS name, error_code, error_message, attempts, created_at
FROM inbox
WHERE document_id = $1
ORDER BY id DESC
LIMIT 1;

-- name: tell_inbox_document(id, document_id) -> none
-- Notes which document a row led to. A number that was told to an uploader stays good: it leads there, too.
WITH told AS (
    INSERT INTO document_aliases (id, document_id)
    SELECT document_id, $2 FROM inbox WHERE id = $1 AND document_id <> $2
    ON CONFLICT (id) DO NOTHING
)
UPDATE inbox SET document_id = $2 WHERE id = $1;

-- name: keep_content(id) -> none
-- Moves the content of a finished row to stored_files, inside the server.
WITH kept AS (
    INSERT INTO stored_files (sha256, content)
    SELECT sha256, content FROM inbox WHERE id = $1 AND content IS NOT NULL
    ON CONFLICT (sha256) DO NOTHING
)
UPDATE inbox SET content = NULL WHERE id = $1 AND content IS NOT NULL;

-- name: retry_inbox(ids, code) -> many
-- Enqueues failed files again, each as a new row: history stays as it was. NULL means all of them.
INSERT INTO inbox (path, filename, content, collection, material_type, jurisdiction, published_date, license, user_id,
                   document_id, payload)
SELECT DISTINCT ON (coalesce(path, sha256), user_id)
       path, filename, content, collection, material_type, jurisdiction, published_date, license, user_id,
       document_id, jsonb_build_object('retry_of', id)
FROM inbox f
WHERE status = 'failed'
  AND num_nonnulls(path, content) = 1
  AND ($1::bigint[] IS NULL OR id = ANY ($1))
  AND ($2::text IS NULL OR error_code = $2)
  AND NOT EXISTS (SELECT 1 FROM inbox later
                  WHERE later.id > f.id AND later.user_id = f.user_id
                    AND (later.path = f.path OR later.payload ->> 'retry_of' = f.id::text))
ORDER BY coalesce(path, sha256), user_id, id DESC
ON CONFLICT DO NOTHING
RETURNING id;
