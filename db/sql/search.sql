-- name: search_lexical(query, terms, most, user_id, material_types, without_types, jurisdictions, year, collections, media_types, quotable) -> many
-- The BM25 leg: candidates from the GIN index over terms, order by the inner product of stored chunk weights and the
-- query's. `<#>` is the negative inner product, so the best comes first. Filters stand inside: documents are asked in
-- that order until enough have passed, so that neither all of them are read nor any candidate is dropped before (OFFSET
-- 0 keeps the planner from it). Texts are read of the best alone.
WITH best AS MATERIALIZED (
    SELECT scored.id, scored.document_id, scored.distance
    FROM (SELECT id, document_id, lexical <#> $1::text::sparsevec AS distance
          FROM corpus_chunks
          WHERE terms && $2::integer[]
          ORDER BY distance, id
          OFFSET 0) AS scored
    JOIN documents d ON d.id = scored.document_id
    WHERE fits(d, $4, $5, $6, $7, $8, $9, $10, $11)
    ORDER BY scored.distance, scored.id
    LIMIT $3
)
SELECT c.id AS chunk_id, c.document_id, d.title, c.page_number, c.start_char, c.end_char, c.text,
       -best.distance AS score,
       d.material_type, d.jurisdiction, d.published_date,
       is_restricted(d.extract_meta) AS restricted, c.word_order
FROM best
JOIN corpus_chunks c ON c.id = best.id
JOIN documents d ON d.id = best.document_id
ORDER BY best.distance, c.id;

-- name: search_lexical_narrowly(query, terms, most, user_id, material_types, without_types, jurisdictions, year, collections, media_types, quotable) -> many
-- The same for filters that left too few of the candidates: the planner chooses whether documents or terms come first,
-- for many more candidates than search_lexical should be given.
WITH best AS MATERIALIZED (
    SELECT c.id, c.document_id, c.lexical <#> $1::text::sparsevec AS distance
    FROM corpus_chunks c
    JOIN documents d ON d.id = c.document_id
    WHERE c.terms && $2::integer[]
      AND fits(d, $4, $5, $6, $7, $8, $9, $10, $11)
    ORDER BY distance, c.id
    LIMIT $3
)
SELECT c.id AS chunk_id, c.document_id, d.title, c.page_number, c.start_char, c.end_char, c.text,
       -best.distance AS score,
       d.material_type, d.jurisdiction, d.published_date,
       is_restricted(d.extract_meta) AS restricted, c.word_order
FROM best
JOIN corpus_chunks c ON c.id = best.id
JOIN documents d ON d.id = best.document_id
ORDER BY best.distance, c.id;

-- name: page_texts(document_ids, numbers) -> many
-- Gives the served text of pages, to hold quotes against.
SELECT p.document_id, p.number, p.text
FROM unnest($1::bigint[], $2::integer[]) AS wanted(document_id, number)
JOIN documents d ON d.id = wanted.document_id AND d.deleted_at IS NULL
JOIN document_pages p ON p.document_id = d.id AND p.version = d.corpus_version AND p.number = wanted.number;

-- name: section_paths(chunk_ids) -> many
-- Gives the headings above chunks; one that stands in no section has none.
SELECT c.id AS chunk_id, s.text AS path
FROM chunks c
JOIN chunks s ON s.id = c.parent_id AND s.node_type = 'section'
WHERE c.id = ANY ($1::bigint[]);
