-- name: search_lexical(query, terms, pairs, most, filters, narrowly) -> many
-- The leg of words: BM25, best first; the filters (Filters.values as JSON) stand inside (near_words). The query is the
-- text of a sparse vector; `terms` and `pairs` choose the candidates.
SELECT chunk_id, title, score, word_order FROM near_words($1::text::sparsevec, $2, $3, $4, $5, $6);

-- name: page_texts(document_ids, numbers) -> many
-- Gives the served text of pages, to hold quotes against.
SELECT p.document_id, p.number, p.text
FROM unnest($1::bigint[], $2::integer[]) AS wanted(document_id, number)
JOIN documents d ON d.id = wanted.document_id AND d.deleted_at IS NULL
JOIN document_pages p ON p.document_id = d.id AND p.version = d.corpus_version AND p.number = wanted.number;

-- name: hits_of(chunk_ids, user_id) -> many
-- Gives what is shown of chunks that a search found, in no order.
SELECT chunk_id, document_id, title, page_number, start_char, end_char, text, material_type, jurisdiction,
       published_date, restricted, section
FROM shown_of($1, $2);
