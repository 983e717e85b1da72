-- Why: a summary says by whom it was made, of which reading of the file, and what the model found besides.
-- Locks: documents exclusively for a change in the catalogue (the new column has a constant default), document_jobs
-- against writes while two small indexes are built. Takes: milliseconds; a second for a million finished jobs.

ALTER TABLE documents
    -- {"text_version", "summary_by", "triage": {…}, "deep": {…}}: services/document/record.py
    ADD COLUMN ai_meta jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT documents_ai_meta_is_object CHECK (jsonb_typeof(ai_meta) = 'object');

-- How many documents were classified, and how many deep summaries were asked for, in the last half hour: read before
-- each escalation, and never more than that half hour of it.
CREATE INDEX document_jobs_classified ON document_jobs (completed_at)
    WHERE stage = 'classify' AND status = 'completed';
CREATE INDEX document_jobs_deep ON document_jobs (created_at) WHERE stage = 'deep';
