-- Why: a page says how it was read and which sections begin on it; a document with unread pages is `partial`; the
-- stages `ocr`, `vectors` and `deep` become known.
-- Locks: documents, document_pages and document_jobs exclusively, for the moment of a change in the catalogue (the new
-- columns have constant defaults) and for one reading of document_jobs. Takes: milliseconds to seconds.

ALTER TABLE document_pages
    ADD COLUMN origin text NOT NULL DEFAULT 'text'
        CONSTRAINT document_pages_origin_known CHECK (origin IN ('text', 'ocr', 'unread')),
    -- One sentence for the reader: how an "ocr" page was read, why an "unread" one was not.
    ADD COLUMN note text NOT NULL DEFAULT '',
    -- Sections that the text does not mark by itself: [{"start": offset, "level": 1.., "title": …}]
    ADD COLUMN headings jsonb;
CREATE INDEX document_pages_unread ON document_pages (document_id, version, number) WHERE origin = 'unread';

ALTER TABLE documents
    ADD COLUMN unread_pages integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN reading text GENERATED ALWAYS AS
        (CASE WHEN cardinality(unread_pages) > 0 THEN 'partial' ELSE 'full' END) STORED;

ALTER TABLE document_jobs
    DROP CONSTRAINT document_jobs_stage_known,
    ADD CONSTRAINT document_jobs_stage_known CHECK (stage IN ('ocr', 'embed', 'vectors', 'classify', 'deep'));
