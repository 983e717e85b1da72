-- name: lock_document(id) -> none
-- First statement of whoever writes pages or chunks: a reading that comes while another is being embedded then sees
-- either the finished job, or its own pages seen by it; none is forgotten between the two.
SELECT id FROM documents WHERE id = $1 FOR UPDATE;

-- name: drop_chunks(document_id) -> none
-- The former chunks leave the corpus in the transaction in which the new ones enter.
DELETE FROM chunks WHERE document_id = $1;

-- name: insert_chunks(document_id, version, page_numbers, indexes, starts, ends, texts, terms, lexicals, embeddings, embedder) -> none
-- One statement for many chunks: the trigger that counts terms then runs once. Terms and vectors come as their text.
-- A document that was deleted while it was being embedded gets none.
INSERT INTO chunks (document_id, version, page_number, chunk_index, start_char, end_char, text, is_leaf, terms, lexical,
                    embedding, embedder)
SELECT $1, $2, page_number, chunk_index, start_char, end_char, text, true, terms::integer[], lexical::sparsevec,
       embedding::halfvec, $11
FROM unnest($3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::text[], $8::text[], $9::text[],
            $10::text[])
     AS c(page_number, chunk_index, start_char, end_char, text, terms, lexical, embedding)
WHERE EXISTS (SELECT 1 FROM documents WHERE id = $1 AND deleted_at IS NULL);

-- name: serve_version(document_id, version, embedder) -> none
-- From here on search serves this reading of the file.
UPDATE documents SET corpus_version = $2, embedder = $3, updated_at = now() WHERE id = $1 AND deleted_at IS NULL;

-- name: drop_old_pages(document_id, version) -> none
DELETE FROM document_pages WHERE document_id = $1 AND version < $2;

-- name: embed_again_if_newer(document_id, version) -> none
-- The file changed while this reading was being embedded: the newer one follows.
INSERT INTO document_jobs (document_id, stage)
SELECT id, 'embed' FROM documents WHERE id = $1 AND pages_version > $2 AND deleted_at IS NULL
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: embed_outdated(embedder) -> none
-- Enqueues the documents whose chunks were made by another embedder; they are found by the old ones until then.
INSERT INTO document_jobs (document_id, stage, urgency)
SELECT id, 'embed', 200 FROM documents
WHERE deleted_at IS NULL AND corpus_version > 0 AND embedder IS DISTINCT FROM $1
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: fold_term_stats() -> none
SELECT fold_term_stats();

-- name: term_docs(terms) -> many
-- Gives the number of chunks that hold each term; term 0 stands for all chunks.
SELECT term, docs FROM term_stats WHERE term = ANY ($1::integer[]);
