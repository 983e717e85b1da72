-- name: lock_document(id) -> none
-- First statement of whoever writes pages or chunks: a reading that comes while another is being embedded then sees
-- either the finished job, or its own pages seen by it; none is forgotten between the two.
SELECT id FROM documents WHERE id = $1 FOR UPDATE;

-- name: reserve_chunk_ids(most) -> value
-- Gives so many numbers of chunks that nobody else gets, so that a leaf can name its parent before either is written.
SELECT array(SELECT nextval(pg_get_serial_sequence('chunks', 'id')) FROM generate_series(1, $1));

-- name: former_chunks(document_id) -> many
-- Gives what a document's chunks are, by the hash of their texts, in reading order.
SELECT id, node_type AS kind, md5(text) AS hash FROM chunks WHERE document_id = $1 ORDER BY chunk_index;

-- name: drop_chunks(document_id, kept) -> none
-- The former chunks leave the corpus in the transaction in which the new ones enter; their vectors go with them.
DELETE FROM chunks WHERE document_id = $1 AND id <> ALL ($2::bigint[]);

-- name: save_chunks(document_id, version, ids, parents, indexes, kinds, levels, page_numbers, starts, end_pages, ends, texts, terms, lexicals, word_orders) -> none
-- One statement for many chunks: the triggers that count terms then run once. Terms and weights come as their text.
-- A chunk that was there, by its number, has the same text: its row stays, and with it its vectors, whose index would
-- take longer than all the rest. A document that was deleted meanwhile gets none.
INSERT INTO chunks AS c (document_id, version, id, parent_id, chunk_index, node_type, level, page_number, start_char,
                         end_page, end_char, text, terms, lexical, word_order, is_leaf, in_corpus)
SELECT $1, $2, id, parent_id, chunk_index, node_type, level, page_number, start_char, end_page, end_char, text,
       terms::integer[], lexical::sparsevec, word_order, node_type = 'leaf', node_type = 'leaf'
FROM unnest($3::bigint[], $4::bigint[], $5::integer[], $6::text[], $7::smallint[], $8::integer[], $9::integer[],
            $10::integer[], $11::integer[], $12::text[], $13::text[], $14::text[], $15::bytea[])
     AS given(id, parent_id, chunk_index, node_type, level, page_number, start_char, end_page, end_char, text, terms,
              lexical, word_order)
WHERE EXISTS (SELECT 1 FROM documents WHERE id = $1 AND deleted_at IS NULL)
ON CONFLICT (id) DO UPDATE
SET version = excluded.version, parent_id = excluded.parent_id, chunk_index = excluded.chunk_index,
    level = excluded.level, page_number = excluded.page_number, start_char = excluded.start_char,
    end_page = excluded.end_page, end_char = excluded.end_char, terms = excluded.terms, lexical = excluded.lexical,
    word_order = excluded.word_order, in_corpus = excluded.in_corpus
WHERE (c.version, c.parent_id, c.chunk_index, c.level, c.page_number, c.start_char, c.end_page, c.end_char, c.terms,
       c.lexical::text, c.word_order, c.in_corpus)
      IS DISTINCT FROM
      (excluded.version, excluded.parent_id, excluded.chunk_index, excluded.level, excluded.page_number,
       excluded.start_char, excluded.end_page, excluded.end_char, excluded.terms, excluded.lexical::text,
       excluded.word_order, excluded.in_corpus);

-- name: serve_version(document_id, version, chunker) -> none
-- From here on search serves this reading of the file; not all of its chunks have vectors yet.
UPDATE documents
SET corpus_version = $2, chunker = $3, vectors_due = true, updated_at = now()
WHERE id = $1 AND deleted_at IS NULL;

-- name: drop_old_pages(document_id, version) -> none
DELETE FROM document_pages WHERE document_id = $1 AND version < $2;

-- name: embed_again_if_newer(document_id, version) -> none
-- The file changed while this reading was being embedded, or pages of it were recognised meanwhile (request_embedding;
-- the job that ends is the one that ends now): the newer one follows.
INSERT INTO document_jobs (document_id, stage)
SELECT id, 'embed' FROM documents
WHERE id = $1 AND deleted_at IS NULL
  AND (pages_version > $2
       OR EXISTS (SELECT FROM document_jobs j
                  WHERE j.document_id = $1 AND j.stage = 'embed' AND j.completed_at = now() AND j.payload ? 'pages_changed'))
ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;

-- name: embed_outdated(chunker, after, most) -> value
-- Enqueues documents whose chunks were made in another way, a bounded number past the document `after`; they are
-- found by the old ones until then. Gives the last one looked at, NULL when there is none.
WITH outdated AS (
    SELECT id
    FROM documents
    WHERE deleted_at IS NULL AND corpus_version > 0 AND chunker IS DISTINCT FROM $1 AND id > $2
    ORDER BY id
    LIMIT $3
), enqueued AS (
    INSERT INTO document_jobs (document_id, stage, urgency)
    SELECT id, 'embed', 200 FROM outdated
    ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING
)
SELECT max(id) FROM outdated;

-- name: fold_term_stats() -> none
SELECT fold_term_stats();

-- name: term_docs(terms) -> many
-- Gives the number of chunks that hold each term; term 0 stands for all chunks.
SELECT term, docs FROM term_stats WHERE term = ANY ($1::integer[]);

-- name: chunk_in_section(chunk_id, user_id) -> one
-- Gives where a chunk stands, and the section around it: of a section itself its own span, of a chunk without a parent
-- its page, which ends where section_end is NULL.
SELECT c.id AS chunk_id, c.document_id, c.version, d.title,
       CASE s.node_type WHEN 'section' THEN s.text ELSE '' END AS path,
       c.page_number, c.start_char,
       CASE WHEN c.end_page > c.page_number THEN c.start_char ELSE c.end_char END AS end_char,
       coalesce(s.page_number, c.page_number) AS section_page, coalesce(s.start_char, 0) AS section_start,
       coalesce(s.end_page, c.page_number) AS section_end_page, s.end_char AS section_end
FROM chunks c
JOIN documents d ON d.id = c.document_id
LEFT JOIN chunks s ON s.id = CASE WHEN c.node_type IN ('document', 'section') THEN c.id ELSE c.parent_id END
WHERE c.id = $1 AND d.user_id = $2 AND d.deleted_at IS NULL AND c.version = d.corpus_version;

-- name: outline_of_document(document_id) -> many
-- Lists the sections of a document as search serves it, in reading order; a title is the path without the parent's.
SELECT s.id AS chunk_id, s.level,
       CASE p.node_type WHEN 'section' THEN substr(s.text, length(p.text) + 4) ELSE s.text END AS title,
       s.text AS path, s.page_number, s.start_char, s.end_page
FROM documents d
JOIN chunks s ON s.document_id = d.id AND s.version = d.corpus_version AND s.node_type = 'section'
LEFT JOIN chunks p ON p.id = s.parent_id
WHERE d.id = $1 AND d.deleted_at IS NULL
ORDER BY s.chunk_index;

-- name: terms_around(chunk_ids, terms, reach) -> many
-- Counts, for each of some chunks, how many chunks near it in its document hold each term; term 0 stands for all of
-- them. Only so many before and behind are read, so that a book costs no more than an article.
SELECT e.id AS chunk_id, t.term, count(*) AS chunks
FROM chunks e
JOIN corpus_chunks c
  ON c.document_id = e.document_id AND c.version = e.version
 AND c.chunk_index BETWEEN e.chunk_index - $3::integer AND e.chunk_index + $3::integer
CROSS JOIN LATERAL (
    SELECT 0 AS term
    UNION ALL
    SELECT wanted.term FROM unnest($2::integer[]) AS wanted(term) WHERE wanted.term = ANY (c.terms)
) AS t
WHERE e.id = ANY ($1::bigint[])
GROUP BY e.id, t.term;
