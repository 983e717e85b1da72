-- Why: a passage keeps its terms in their order, packed, for a second look at the hits that BM25 ranks first; and what
-- ranks a passage lies in its row.
-- Locks: chunks exclusively, for the moment of a change in the catalogue. Takes: milliseconds. Chunks made before have
-- none until they are cut again, which begins in the background at once; BM25 alone ranks them meanwhile.

ALTER TABLE chunks ADD COLUMN word_order bytea;
ALTER TABLE chunks ALTER COLUMN word_order SET STORAGE MAIN; -- 400 bytes: beside the text, not in another table

-- BM25 reads the weights of some thousand rows for each question. A row of over 2 KB had them moved out to another
-- table, or pressed together: at 10,000 chunks that was two thirds of the time of the whole query (p50 14 to 5 ms, p95
-- 236 to 26). Now a row stays as it is up to the size of a page; over that its text goes first.
ALTER TABLE chunks ALTER COLUMN lexical SET STORAGE MAIN;
ALTER TABLE chunks SET (toast_tuple_target = 8160);

CREATE OR REPLACE VIEW corpus_chunks AS
    SELECT id, document_id, version, page_number, chunk_index, start_char, end_char, text, parent_id, level,
           node_type, is_leaf, in_corpus, terms, lexical, created_at, word_order
    FROM chunks
    WHERE in_corpus;
