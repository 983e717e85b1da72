-- name: embedder_named(label) -> one
-- Gives the newest generation of vectors that an embedder has; one that was retired is nobody's.
SELECT id, label, dim FROM embedders WHERE label = $1 AND state <> 'retired' ORDER BY id DESC LIMIT 1;

-- name: serving_embedder() -> one
-- Gives the generation of vectors that search may use.
SELECT id, label, dim FROM embedders WHERE state = 'serving';

-- name: choose_embedder(label) -> none
-- Another embedder is configured than the one that was to come: that one is not waited for any longer.
UPDATE embedders SET state = 'retired' WHERE state = 'coming' AND label <> $1;

-- name: register_embedder(label, dim) -> none
-- Makes the generation of an embedder when it has none, with its index.
SELECT register_embedder($1, $2);

-- name: chunks_without_vector(document_id, embedder, most) -> many
-- Gives leaves that have no vector of an embedder yet (NULL: of one that nobody knows), in reading order. Those out of
-- the corpus, too: when they come into it they are found at once.
SELECT c.id, c.text
FROM chunks c
WHERE c.document_id = $1
  AND (c.is_leaf OR c.in_corpus)
  AND NOT EXISTS (SELECT FROM chunk_vectors v WHERE v.chunk_id = c.id AND v.embedder = $2)
ORDER BY c.chunk_index
LIMIT $3;

-- name: insert_vectors(label, dim, chunk_ids, vectors) -> none
-- Vectors come as their text. What was replaced, deleted or retired meanwhile gets none. Both locks make others wait:
-- whoever moves a chunk out of the corpus must see its vector, and a generation that is cleared must get no more.
INSERT INTO chunk_vectors (chunk_id, embedder, in_corpus, embedding)
SELECT c.id, e.id, c.in_corpus, given.embedding::halfvec
FROM unnest($3::bigint[], $4::text[]) AS given(chunk_id, embedding)
JOIN chunks c ON c.id = given.chunk_id
JOIN embedders e ON e.label = $1 AND e.dim = $2 AND e.state <> 'retired'
FOR SHARE OF c, e
ON CONFLICT (chunk_id, embedder) DO NOTHING;

-- name: save_document_vector(document_id, label) -> none
-- Makes the mean of a document's vectors anew, once all of them are there.
SELECT save_document_vector($1, e.id)
FROM embedders e
WHERE e.id = (SELECT max(id) FROM embedders WHERE label = $2 AND state <> 'retired')
  AND NOT EXISTS (SELECT FROM chunks c
                  WHERE c.document_id = $1 AND (c.is_leaf OR c.in_corpus)
                    AND NOT EXISTS (SELECT FROM chunk_vectors v WHERE v.chunk_id = c.id AND v.embedder = e.id));

-- name: finish_vectors(document_id, label, urgency) -> none
-- Notes that a document has all its vectors; where some are missing the next job follows. Stands behind lock_document,
-- so no new chunks can come between the look and the note.
WITH embedder AS (
    SELECT max(id) AS id FROM embedders WHERE label = $2 AND state <> 'retired'
), missing AS (
    SELECT c.id
    FROM chunks c
    WHERE c.document_id = $1
      AND (c.is_leaf OR c.in_corpus)
      AND NOT EXISTS (SELECT FROM chunk_vectors v
                      WHERE v.chunk_id = c.id AND v.embedder = (SELECT id FROM embedder))
    LIMIT 1
), whole AS (
    UPDATE documents
    SET vectors_by = (SELECT id FROM embedder), vectors_due = false
    WHERE id = $1 AND NOT EXISTS (SELECT FROM missing)
)
INSERT INTO document_jobs (document_id, stage, urgency)
SELECT $1, 'vectors', $3 WHERE EXISTS (SELECT FROM missing)
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: follow_with_vectors(document_id, urgency) -> none
-- New chunks want vectors; they come as urgently as the chunks did.
INSERT INTO document_jobs (document_id, stage, urgency)
SELECT id, 'vectors', $2 FROM documents WHERE id = $1 AND deleted_at IS NULL
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: enqueue_vectors(label, after, most) -> value
-- Enqueues documents that lack vectors of an embedder, behind new ones and a bounded number past the document `after`.
-- Gives the last one looked at, NULL when there is none.
WITH lacking AS (
    SELECT id
    FROM documents
    WHERE deleted_at IS NULL AND corpus_version > 0 AND id > $2
      AND (vectors_due
           OR vectors_by IS DISTINCT FROM (SELECT max(id) FROM embedders WHERE label = $1 AND state <> 'retired'))
    ORDER BY id
    LIMIT $3
), enqueued AS (
    INSERT INTO document_jobs (document_id, stage, urgency)
    SELECT id, 'vectors', 200 FROM lacking
    ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING
)
SELECT max(id) FROM lacking;

-- name: serve_whole_embedder() -> none
-- Lets a new embedder serve as soon as no document would lose its vectors by that.
SELECT serve_whole_embedder();

-- name: clear_retired_embedder() -> none
-- Clears the next slab of a generation that serves no longer; 10,000 vectors of 1,024 dimensions are 20 MB.
SELECT clear_retired_embedder(10000);
