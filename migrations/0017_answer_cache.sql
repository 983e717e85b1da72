-- Why: what a model answered, kept for a while and shared by all processes; which citations no longer hold.
-- Locks: none that matter, everything is new. Takes: milliseconds.

-- `key` is the hash of the question, its filters, its user, every passage that was found for it, models, prompts, rules
-- and settings: whoever changes one of them is answered anew. The question itself is not kept here. `ask_id` is the row
-- for which it was written; that may be let go earlier.
CREATE TABLE answer_cache (
    key             text PRIMARY KEY,
    user_id         bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    ask_id          bigint NOT NULL,
    result          jsonb NOT NULL,
    citations       jsonb NOT NULL,
    model           text NOT NULL,
    prompt_version  text NOT NULL,
    uses            integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expire_at       timestamptz NOT NULL,
    CONSTRAINT answer_cache_key_is_sha256 CHECK (key ~ '^[0-9a-f]{64}$'),
    CONSTRAINT answer_cache_result_is_object CHECK (jsonb_typeof(result) = 'object'),
    CONSTRAINT answer_cache_citations_are_array CHECK (jsonb_typeof(citations) = 'array'),
    CONSTRAINT answer_cache_expires CHECK (expire_at > created_at)
) WITH (fillfactor = 80); -- a look-up changes no indexed column, and finds room on its page
CREATE INDEX answer_cache_expiry ON answer_cache (expire_at, key);
CREATE INDEX answer_cache_user ON answer_cache (user_id);

-- Documents of whose citations one no longer holds, each once: 'deleted', 'restricted' (found, never quoted), or
-- 'changed' (the quote does not stand at its place, or the passage around it is not on that page any more). Pages of a
-- document that was restored count before it is searched again.
CREATE FUNCTION changed_citations(cited jsonb) RETURNS TABLE (document_id bigint, title text, what text)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (judged.document_id) judged.document_id, judged.title, judged.what
    FROM (
        SELECT c.document_id, c.title,
               CASE WHEN d.id IS NULL THEN 'deleted'
                    WHEN is_restricted(d.extract_meta) THEN 'restricted'
                    WHEN substr(p.text, c.start + 1, c."end" - c.start) IS DISTINCT FROM c.quote
                         OR strpos(p.text, c.text) = 0 THEN 'changed' END AS what
        FROM jsonb_to_recordset(CASE jsonb_typeof(cited) WHEN 'array' THEN cited ELSE '[]' END)
             AS c(document_id bigint, title text, page integer, quote text, start integer, "end" integer, text text)
        LEFT JOIN documents d ON d.id = c.document_id AND d.deleted_at IS NULL
        LEFT JOIN document_pages p ON p.document_id = d.id AND p.number = c.page
                                  AND p.version = coalesce(nullif(d.corpus_version, 0), d.pages_version)
    ) AS judged
    WHERE judged.what IS NOT NULL
    ORDER BY judged.document_id, judged.title
$$;
