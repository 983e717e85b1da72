-- name: search_chunk_vectors(embedder, query, most, filters) -> many
-- The leg of chunk vectors, in no order; the filters (Filters.values as JSON) stand inside (near_chunks). The query is a
-- vector's text.
SELECT key AS chunk_id, score FROM near_chunks($1, $2::text::halfvec, $3, $4);

-- name: search_document_vectors(embedder, query, most, filters) -> many
-- The leg of document vectors, in no order: the nearest documents.
SELECT key AS document_id, score FROM near_documents($1, $2::text::halfvec, $3, $4);

-- name: best_chunks(embedder, query, document_ids) -> many
-- Gives of each document that has a vector the chunk that is nearest to a question; it has at most 256
-- (save_document_vector).
SELECT its.document_id, best.chunk_id
FROM document_vectors its
CROSS JOIN LATERAL (
    SELECT v.chunk_id
    FROM corpus_vectors v
    WHERE v.chunk_id = ANY (its.chunk_ids) AND v.embedder = $1
    ORDER BY v.embedding <#> $2::text::halfvec, v.chunk_id
    LIMIT 1
) AS best
WHERE its.document_id = ANY ($3::bigint[]) AND its.embedder = $1;

-- name: score_chunks(embedder, query, chunk_ids) -> many
-- Says how near to a question chunks are that another leg found; those without a vector are left out.
SELECT v.chunk_id, -(v.embedding <#> $2::text::halfvec) AS score
FROM corpus_vectors v
WHERE v.chunk_id = ANY ($3::bigint[]) AND v.embedder = $1;

-- name: leg_weights_of(embedder) -> many
-- Gives what the legs of an embedder's vectors were found to be worth, by language.
SELECT language, chunk_weight, document_weight FROM leg_weights WHERE embedder = $1;

-- name: weights_due(label) -> one
-- Gives the generation that serves when its weights were never measured, or when the corpus has grown by half since;
-- nothing while another embedder is configured than serves, and before a corpus of 50 chunks says anything.
SELECT e.id, e.dim, corpus.docs AS chunks
FROM embedders e
CROSS JOIN (SELECT docs FROM term_stats WHERE term = 0) AS corpus
WHERE e.label = $1 AND e.state = 'serving' AND corpus.docs >= 50
  AND corpus.docs > 1.5 * coalesce((SELECT max(chunks) FROM leg_weights w WHERE w.embedder = e.id), 0)
  AND NOT EXISTS (SELECT FROM document_jobs WHERE stage = 'vectors' AND status IN ('pending', 'processing'));

-- name: sample_chunks(embedder, most) -> many
-- Gives chunks from all over the corpus that have a vector, each with its owner: at each of so many places between the
-- first number and the last the next one, so that no more is read than is given. The places are multiples of the golden
-- ratio, without the whole part: even, in step with no regular corpus, and the same whenever the corpus is.
SELECT DISTINCT c.id, c.text, d.user_id
FROM (
    SELECT first + floor(mod(step * 0.6180339887498949, 1) * (last - first + 1))::bigint AS start
    FROM (SELECT min(id) AS first, max(id) AS last FROM chunks) AS span, generate_series(1, $2::integer) AS step
) AS place
CROSS JOIN LATERAL (
    SELECT id, document_id, text FROM corpus_chunks
    WHERE id >= place.start
    ORDER BY id
    LIMIT 1
) AS c
JOIN documents d ON d.id = c.document_id AND d.deleted_at IS NULL
WHERE EXISTS (SELECT FROM corpus_vectors v WHERE v.chunk_id = c.id AND v.embedder = $1)
ORDER BY c.id;

-- name: save_leg_weights(embedder, language, chunk_weight, document_weight, questions, lexical_found, chunk_found, chunks) -> none
-- Keeps what was measured; an embedder that was retired meanwhile needs none.
INSERT INTO leg_weights (embedder, language, chunk_weight, document_weight, questions, lexical_found, chunk_found, chunks)
SELECT id, $2, $3, $4, $5, $6, $7, $8 FROM embedders WHERE id = $1 AND state <> 'retired'
ON CONFLICT (embedder, language) DO UPDATE
SET chunk_weight = excluded.chunk_weight, document_weight = excluded.document_weight, questions = excluded.questions,
    lexical_found = excluded.lexical_found, chunk_found = excluded.chunk_found, chunks = excluded.chunks,
    measured_at = now();
