-- Why: a page says who read it from its picture, or tried last, so that it is tried once by each recogniser.
-- Locks: document_pages exclusively, for the moment of a change in the catalogue. Takes: milliseconds.

ALTER TABLE document_pages
    ADD COLUMN recognised_by text
        CONSTRAINT document_pages_recognised_is_no_text CHECK (recognised_by IS NULL OR origin <> 'text');
