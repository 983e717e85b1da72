-- Why: a passage keeps its terms in their order, packed, for a second look at the hits that BM25 ranks first.
-- Locks: chunks exclusively, for the moment of a change in the catalogue. Takes: milliseconds. Chunks made before have
-- none until they are cut again, which begins in the background at once; BM25 alone ranks them meanwhile.

ALTER TABLE chunks ADD COLUMN word_order bytea;
ALTER TABLE chunks ALTER COLUMN word_order SET STORAGE MAIN; -- 400 bytes: beside the text, not in another table

CREATE OR REPLACE VIEW corpus_chunks AS
    SELECT id, document_id, version, page_number, chunk_index, start_char, end_char, text, parent_id, level,
           node_type, is_leaf, in_corpus, terms, lexical, created_at, word_order
    FROM chunks
    WHERE in_corpus;
