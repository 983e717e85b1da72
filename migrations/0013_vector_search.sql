-- Why: nearest neighbours with the filters inside; a vector for each document; what vectors are worth in a language.
-- Locks: documents for a trigger; document_vectors is new. Takes: half a minute per million vectors, to make the means.

-- The mean of a document's vectors, at unit length, of each embedder. One document is one neighbour, whatever its
-- length, but a mean over hundreds of passages is near to everything and means nothing: longer ones have none.
CREATE TABLE document_vectors (
    document_id  bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    embedder     integer NOT NULL REFERENCES embedders,
    embedding    halfvec NOT NULL,
    -- Of what it is the mean: whoever finds the document looks its chunks' vectors up by these.
    chunk_ids    bigint[] NOT NULL,
    PRIMARY KEY (document_id, embedder)
);

-- Makes a document's vector anew; takes it away where the document has none of that embedder, or too many.
CREATE FUNCTION save_document_vector(its_document bigint, its_embedder integer) RETURNS void LANGUAGE sql AS $$
    WITH mean AS (
        SELECT avg(v.embedding) AS embedding, array_agg(c.id ORDER BY c.id) AS chunk_ids
        FROM corpus_chunks c JOIN corpus_vectors v ON v.chunk_id = c.id AND v.embedder = its_embedder
        WHERE c.document_id = its_document
        HAVING count(*) BETWEEN 1 AND 256
    ), gone AS (
        DELETE FROM document_vectors
        WHERE document_id = its_document AND embedder = its_embedder AND NOT EXISTS (SELECT FROM mean)
    )
    INSERT INTO document_vectors AS d (document_id, embedder, embedding, chunk_ids)
    SELECT its_document, its_embedder, l2_normalize(embedding), chunk_ids FROM mean WHERE l2_norm(embedding) > 0
    ON CONFLICT (document_id, embedder) DO UPDATE SET embedding = excluded.embedding, chunk_ids = excluded.chunk_ids
$$;

-- A deleted document is nobody's neighbour; when it is restored its vectors are made again, and then this one.
CREATE FUNCTION documents_drop_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM document_vectors WHERE document_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER documents_deleted AFTER UPDATE OF deleted_at ON documents
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION documents_drop_vector();

-- Makes the indexes of an embedder: partial, and empty when it is new. pgvector indexes up to 4,000 dimensions of
-- halfvec; over that a search reads all vectors.
CREATE FUNCTION index_embedder(known integer, its_dim integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF its_dim <= 4000 THEN
        EXECUTE format(
            'CREATE INDEX IF NOT EXISTS %I ON chunk_vectors USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops) '
            'WHERE in_corpus AND embedder = %s', 'chunk_vectors_near_' || known, its_dim, known);
        EXECUTE format(
            'CREATE INDEX IF NOT EXISTS %I ON document_vectors USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops) '
            'WHERE embedder = %s', 'document_vectors_near_' || known, its_dim, known);
    END IF;
END $$;

-- As before (0007), with both indexes and their walks (0015).
CREATE OR REPLACE FUNCTION register_embedder(its_label text, its_dim integer) RETURNS integer LANGUAGE plpgsql AS $$
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
        PERFORM index_embedder(known, its_dim);
        PERFORM make_walks(known, its_dim);
    END IF;
    RETURN known;
END $$;

-- As before (0007), and takes the walks and the vectors of documents with it.
CREATE OR REPLACE FUNCTION clear_retired_embedder(most integer) RETURNS bigint
LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
    gone embedders;
    over text;
    cleared bigint;
    reached bigint;
BEGIN
    SELECT * INTO gone FROM embedders WHERE state = 'retired' AND cleared_at IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF gone.id IS NULL THEN
        RETURN 0;
    END IF;
    FOREACH over IN ARRAY ARRAY['chunk', 'document'] LOOP
        IF to_regclass(over || '_vectors_near_' || gone.id) IS NOT NULL THEN
            EXECUTE format('DROP FUNCTION IF EXISTS %I', 'walk_' || over || 's_' || gone.id);
            EXECUTE format('DROP INDEX %I', over || '_vectors_near_' || gone.id);
            RETURN 0;
        END IF;
    END LOOP;
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
    IF cleared = 0 THEN
        DELETE FROM document_vectors WHERE embedder = gone.id;
        DELETE FROM leg_weights WHERE embedder = gone.id;
    END IF;
    UPDATE embedders
    SET cleared_to = coalesce(reached, cleared_to), cleared_at = CASE WHEN cleared = 0 THEN now() END
    WHERE id = gone.id;
    RETURN cleared;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END $$;

-- What the legs of vectors are worth for questions in a language (services/search/weights.py), as shares beside 1 - their
-- sum for words; `chunks` is how large the corpus was when that was measured, `questions` how many were tried.
CREATE TABLE leg_weights (
    embedder         integer NOT NULL REFERENCES embedders,
    language         text NOT NULL CONSTRAINT leg_weights_language_known CHECK (language IN ('ko', 'en', 'mixed')),
    chunk_weight     real NOT NULL,
    document_weight  real NOT NULL,
    questions        integer NOT NULL,
    lexical_found    real NOT NULL,
    chunk_found      real NOT NULL,
    chunks           bigint NOT NULL,
    measured_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (embedder, language),
    CONSTRAINT leg_weights_are_shares CHECK (
        chunk_weight >= 0 AND document_weight >= 0 AND chunk_weight + document_weight <= 1)
);

-- Says whether there are filters beside the owner.
CREATE FUNCTION are_set(filters jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN jsonb_strip_nulls(filters) - 'user_id' <> '{}';

-- Writes the filters of a search (Filters.values) as a condition on a document `d`, with literals that the planner
-- knows. A name that `fits` has no argument for is refused, not dropped.
CREATE FUNCTION fits_clause(filters jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    several CONSTANT text[] := ARRAY['material_types', 'without_types', 'jurisdictions', 'collections', 'media_types'];
    lists jsonb := '{}';
    name text;
BEGIN
    IF filters - several - ARRAY['user_id', 'year', 'quotable'] <> '{}' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('No leg knows all of these filters: %s.', filters);
    END IF;
    IF NOT are_set(filters) THEN
        RETURN format('fits(d, %L::bigint, NULL, NULL, NULL, NULL, NULL, NULL, NULL)', filters ->> 'user_id');
    END IF;
    FOREACH name IN ARRAY several LOOP
        lists := lists || jsonb_build_object(name, ARRAY(
            SELECT jsonb_array_elements_text(filters -> name) WHERE jsonb_typeof(filters -> name) = 'array')::text);
    END LOOP;
    RETURN format(
        'fits(d, %L::bigint, nullif(%L::text[], ''{}''), nullif(%L::text[], ''{}''), nullif(%L::text[], ''{}''), '
        '%L::integer, nullif(%L::text[], ''{}''), nullif(%L::text[], ''{}''), %L::boolean)',
        filters ->> 'user_id', lists ->> 'material_types', lists ->> 'without_types', lists ->> 'jurisdictions',
        filters ->> 'year', lists ->> 'collections', lists ->> 'media_types', filters ->> 'quotable');
END $$;

-- Sets up the walk over an index, for the rest of the transaction.
CREATE FUNCTION set_walk(most integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('hnsw.ef_search', greatest(100, least(most, 1000))::text, true);
    IF current_setting('hnsw.iterative_scan', true) IS NOT NULL THEN
        PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true);
    END IF;
END $$;

-- Gives the nearest of what stands in `source` (aliases: v, the vectors, and d, its documents; `counted` is the same
-- without vectors) under conditions, nearest first, and how near each is. Dimensions and embedder are literals, or no partial index fits.
--
-- With a filter that few rows pass, the index would be walked far and wide for them: up to `narrow` rows are compared
-- one by one instead, which is exact. Over that the index is walked until enough rows have passed, at most 20,000
-- (pgvector 0.8: hnsw.max_scan_tuples); should it fall short, as it also may before 0.8, the rows are compared after
-- all. So a filter never costs hits. Nobody counts where none is set (migration 0015: it has no clause then).
CREATE FUNCTION nearest(
    source text, counted text, its_key text, its_embedder integer, its_query halfvec, most integer, filters jsonb)
RETURNS TABLE (key bigint, score double precision)
LANGUAGE plpgsql ROWS 50 SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    its_dim integer := vector_dims(its_query);
    clauses text := fits_clause(filters);
    narrow bigint := 0;
    passing bigint := 1;
    keys bigint[];
    scores double precision[];
BEGIN
    IF are_set(filters) THEN
        -- So many of a corpus pass that a walk over 20,000 meets twice as many as are wanted.
        narrow := greatest(2000, (SELECT docs FROM term_stats WHERE term = 0) * most / 10000);
        -- Documents first: where enough of them pass nobody needs to look at chunks, which takes as long as the walk.
        EXECUTE format('SELECT count(*) FROM (SELECT FROM documents d WHERE d.corpus_version > 0 AND %s LIMIT %s) AS f',
                       clauses, narrow + 1) INTO passing;
        IF passing <= narrow AND counted <> 'documents d' THEN
            EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE %s LIMIT %s) AS f', counted, clauses, narrow + 1)
            INTO passing;
        END IF;
    END IF;
    IF passing > narrow THEN
        PERFORM set_walk(most);
        EXECUTE format(
            'WITH near AS MATERIALIZED ('
            'SELECT %s AS key, v.embedding::halfvec(%s) <#> $1 AS distance FROM %s WHERE v.embedder = %s AND %s '
            'ORDER BY v.embedding::halfvec(%s) <#> $1 LIMIT $2) '
            'SELECT array_agg(key ORDER BY distance, key), array_agg(-distance ORDER BY distance, key) FROM near',
            its_key, its_dim, source, its_embedder, clauses, its_dim)
        INTO keys, scores USING its_query, most;
    END IF;
    IF cardinality(keys) = most THEN
        RETURN QUERY SELECT * FROM unnest(keys, scores);
    ELSE
        RETURN QUERY EXECUTE format(
            'SELECT %s, -(v.embedding::halfvec(%s) <#> $1) FROM %s WHERE v.embedder = %s AND %s ORDER BY 2 DESC, 1 LIMIT $2',
            its_key, its_dim, source, its_embedder, clauses)
        USING its_query, most;
    END IF;
END $$;

-- Embedders of before: their documents' vectors, and their second index.
INSERT INTO document_vectors (document_id, embedder, embedding, chunk_ids)
SELECT c.document_id, v.embedder, l2_normalize(avg(v.embedding)), array_agg(c.id ORDER BY c.id)
FROM corpus_chunks c
JOIN corpus_vectors v ON v.chunk_id = c.id
JOIN embedders e ON e.id = v.embedder AND e.state <> 'retired'
JOIN documents d ON d.id = c.document_id AND d.deleted_at IS NULL
GROUP BY c.document_id, v.embedder
HAVING count(*) <= 256 AND l2_norm(avg(v.embedding)) > 0;
SELECT index_embedder(id, dim) FROM embedders WHERE state <> 'retired';
