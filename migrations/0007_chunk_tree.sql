-- Why: chunks become a tree of sections and leaves; vectors of two embedders can stand side by side in their own table.
-- Locks: chunks and documents exclusively; chunks is read for two rules, one index. Takes: seconds per million chunks.
-- Vectors made so far are let go: nothing searched them.

DROP VIEW corpus_chunks;
ALTER TABLE chunks
    DROP COLUMN embedding,
    DROP COLUMN embedder,
    -- Of a section or a document: the page on which it ends; end_char counts there. NULL: the page on which it begins.
    ADD COLUMN end_page integer,
    DROP CONSTRAINT chunks_span_in_order,
    ADD CONSTRAINT chunks_span_in_order CHECK (
        start_char >= 0 AND end_char >= 0
        AND (end_page >= page_number) IS NOT FALSE
        AND (end_char >= start_char OR (end_page > page_number) IS TRUE)),
    -- Their text is a path of headings, which would be found in place of what it heads.
    ADD CONSTRAINT chunks_above_leaves_not_searched CHECK (NOT in_corpus OR node_type NOT IN ('document', 'section')),
    -- A document's chunks come and go together, in one transaction. The rule that a parent is there, asked row by row,
    -- was a third of the time in which 10,000 chunks are deleted.
    DROP CONSTRAINT chunks_parent_id_fkey;
-- At the end of the transaction: a chunk whose text is as it was keeps its row, and moves to another place.
DROP INDEX chunks_once;
ALTER TABLE chunks ADD CONSTRAINT chunks_once UNIQUE (document_id, version, chunk_index) DEFERRABLE INITIALLY DEFERRED;

-- The only source of search: what must not be found is left out here, once.
CREATE VIEW corpus_chunks AS
    SELECT id, document_id, version, page_number, chunk_index, start_char, end_char, text, parent_id, level,
           node_type, is_leaf, in_corpus, terms, lexical, created_at
    FROM chunks
    WHERE in_corpus;

-- One generation of vectors each. At most one serves, and at most one is being made to take its place ("coming");
-- one that is retired is cleared away in slabs, up to the chunk cleared_to, until cleared_at. A name that comes back
-- is a new generation.
CREATE TABLE embedders (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label       text NOT NULL,
    dim         integer NOT NULL CONSTRAINT embedders_dim_of_halfvec CHECK (dim BETWEEN 1 AND 16000),
    state       text NOT NULL CONSTRAINT embedders_state_known CHECK (state IN ('coming', 'serving', 'retired')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    served_at   timestamptz,
    cleared_to  bigint NOT NULL DEFAULT 0,
    cleared_at  timestamptz,
    CONSTRAINT embedders_cleared_is_retired CHECK (cleared_at IS NULL OR state = 'retired')
);
CREATE UNIQUE INDEX embedders_one_alive ON embedders (label, dim) WHERE state <> 'retired';
CREATE UNIQUE INDEX embedders_one_per_state ON embedders (state) WHERE state <> 'retired';

-- The key begins with the chunk: that is how a vector is looked for when its chunk goes, and when one is missing.
CREATE TABLE chunk_vectors (
    chunk_id   bigint NOT NULL REFERENCES chunks ON DELETE CASCADE,
    embedder   integer NOT NULL REFERENCES embedders,
    in_corpus  boolean NOT NULL,
    embedding  halfvec NOT NULL,
    PRIMARY KEY (chunk_id, embedder)
);
-- The only source of nearest neighbours. Each embedder has a partial index over what is seen here (register_embedder).
CREATE VIEW corpus_vectors AS
    SELECT chunk_id, embedder, embedding
    FROM chunk_vectors
    WHERE in_corpus;

-- A vector is in the corpus when its chunk is: in the same transaction, so that no neighbour is ever a hidden one.
CREATE FUNCTION chunks_move_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE chunk_vectors SET in_corpus = NEW.in_corpus WHERE chunk_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER chunks_corpus_moved AFTER UPDATE OF in_corpus ON chunks
    FOR EACH ROW WHEN (OLD.in_corpus IS DISTINCT FROM NEW.in_corpus) EXECUTE FUNCTION chunks_move_vectors();

-- `chunker` names what made the chunks. `vectors_by` is the last embedder of which every leaf had a vector;
-- `vectors_due`: new chunks came since then.
ALTER TABLE documents RENAME COLUMN embedder TO chunker;
ALTER TABLE documents
    ADD COLUMN vectors_by integer REFERENCES embedders,
    ADD COLUMN vectors_due boolean NOT NULL DEFAULT true;
CREATE INDEX documents_vectors ON documents (vectors_by) WHERE deleted_at IS NULL AND corpus_version > 0;

-- Gives the generation of an embedder, and makes it when it is new, with its index: partial, over the vectors in the
-- corpus (hidden ones would disturb the neighbours), and empty, therefore made at once but for one reading of the
-- table where another generation stands. pgvector indexes up to 4,000 dimensions of halfvec; over that a search reads
-- all vectors. The first embedder of all serves from its first vector: there is nothing better.
CREATE FUNCTION register_embedder(its_label text, its_dim integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    known integer;
BEGIN
    PERFORM pg_advisory_xact_lock(1936027492, 4); -- db/locks.py: EMBEDDERS
    UPDATE embedders SET state = 'retired' WHERE state = 'coming' AND (label, dim) <> (its_label, its_dim);
    SELECT id INTO known FROM embedders WHERE label = its_label AND dim = its_dim AND state <> 'retired';
    IF known IS NULL THEN
        INSERT INTO embedders (label, dim, state, served_at)
        SELECT its_label, its_dim, CASE WHEN old THEN 'coming' ELSE 'serving' END, CASE WHEN NOT old THEN now() END
        FROM (SELECT EXISTS (SELECT FROM embedders WHERE state = 'serving') AS old) AS found
        RETURNING id INTO known;
        IF its_dim <= 4000 THEN
            EXECUTE format(
                'CREATE INDEX %I ON chunk_vectors USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops) '
                'WHERE in_corpus AND embedder = %s', 'chunk_vectors_near_' || known, its_dim, known);
        END IF;
    END IF;
    RETURN known;
END $$;

-- Lets the coming embedder serve, and retires the one that served, as soon as no document would lose its vectors by
-- that. A document that never had any does not hold the others up; nor do those whose last job failed for good, while
-- they are under one in a hundred. Gives true when it did; otherwise it looks that the work goes on.
CREATE FUNCTION serve_whole_embedder() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    former integer := (SELECT id FROM embedders WHERE state = 'serving');
    coming integer := (SELECT id FROM embedders WHERE state = 'coming');
    behind bigint;
BEGIN
    IF coming IS NULL OR NOT pg_try_advisory_xact_lock(1936027492, 4) THEN -- db/locks.py: EMBEDDERS
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM documents_behind(former) WHERE NOT given_up) THEN
        -- Nothing waits, and yet something is behind: a daemon with other settings may have done the work meanwhile.
        INSERT INTO document_jobs (document_id, stage, urgency)
        SELECT document_id, 'vectors', 200 FROM documents_behind(former)
        WHERE NOT given_up AND NOT EXISTS (
            SELECT FROM document_jobs WHERE stage = 'vectors' AND status IN ('pending', 'processing'))
        LIMIT 1000
        ON CONFLICT (document_id, stage) WHERE status IN ('pending', 'processing') DO NOTHING;
        RETURN false;
    END IF;
    SELECT count(*) INTO behind FROM documents_behind(former);
    IF behind * 100 > (SELECT count(*) FROM documents WHERE deleted_at IS NULL AND corpus_version > 0) THEN
        RETURN false;
    END IF;
    UPDATE embedders SET state = 'retired' WHERE id = former;
    UPDATE embedders SET state = 'serving', served_at = now() WHERE id = coming;
    RETURN true;
END $$;

-- Lists the documents whose vectors are those of an embedder; given_up: their last job about vectors failed for good.
CREATE FUNCTION documents_behind(embedder integer) RETURNS TABLE (document_id bigint, given_up boolean)
LANGUAGE sql STABLE AS $$
    SELECT d.id, coalesce((SELECT j.status = 'failed' FROM document_jobs j
                           WHERE j.document_id = d.id AND j.stage = 'vectors'
                           ORDER BY j.id DESC
                           LIMIT 1), false)
    FROM documents d
    WHERE d.vectors_by = embedder AND d.deleted_at IS NULL AND d.corpus_version > 0
$$;

-- Clears a retired generation away, one step a call: first its index, then slabs of its vectors. A search that uses
-- the index is not waited for longer than a moment: others would stand behind us. Gives how many vectors went.
CREATE FUNCTION clear_retired_embedder(most integer) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
    gone embedders;
    cleared bigint;
    reached bigint;
BEGIN
    SELECT * INTO gone FROM embedders WHERE state = 'retired' AND cleared_at IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF gone.id IS NULL THEN
        RETURN 0;
    END IF;
    IF to_regclass('chunk_vectors_near_' || gone.id) IS NOT NULL THEN
        EXECUTE format('DROP INDEX %I', 'chunk_vectors_near_' || gone.id);
        RETURN 0;
    END IF;
    WITH slab AS (
        SELECT chunk_id FROM chunk_vectors
        WHERE embedder = gone.id AND chunk_id > gone.cleared_to
        ORDER BY chunk_id
        LIMIT most
    ), went AS (
        DELETE FROM chunk_vectors v USING slab WHERE v.chunk_id = slab.chunk_id AND v.embedder = gone.id
        RETURNING v.chunk_id
    )
    SELECT count(*), max(chunk_id) INTO cleared, reached FROM went;
    UPDATE embedders
    SET cleared_to = coalesce(reached, cleared_to), cleared_at = CASE WHEN cleared = 0 THEN now() END
    WHERE id = gone.id;
    RETURN cleared;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END $$;
