-- Why: a leg gives what it found and how well it fits; texts are read once, of the hits that are left when all legs are
-- fused, and not of the fifty that each of them brings. What is asked at every search is planned once in a session.
-- Locks: documents for a trigger. Takes: milliseconds, but for chunks of documents that somebody deleted by hand.

DO $$
DECLARE
    known integer;
BEGIN
    FOR known IN SELECT id FROM embedders LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %I(halfvec, integer, bigint)', 'walk_chunks_' || known);
        EXECUTE format('DROP FUNCTION IF EXISTS %I(halfvec, integer, bigint)', 'walk_documents_' || known);
    END LOOP;
END $$;
DROP FUNCTION near_chunks, near_documents;
DROP TYPE near_hit;

-- What is deleted is out of the corpus in the same transaction, by whichever way: delete_document takes the chunks away
-- (and sets corpus_version to 0), an UPDATE by hand hides them until another one brings the document back. So no leg need
-- ask whether what it meets is alive.
CREATE OR REPLACE FUNCTION documents_drop_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM document_vectors WHERE document_id = NEW.id;
    IF NEW.corpus_version > 0 THEN
        UPDATE chunks SET in_corpus = false WHERE document_id = NEW.id AND in_corpus;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION documents_come_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE chunks SET in_corpus = true WHERE document_id = NEW.id AND is_leaf AND NOT in_corpus;
    PERFORM save_document_vector(NEW.id, id) FROM embedders WHERE state <> 'retired';
    RETURN NULL;
END $$;
CREATE TRIGGER documents_back AFTER UPDATE OF deleted_at ON documents
    FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL AND NEW.corpus_version > 0)
    EXECUTE FUNCTION documents_come_back();
UPDATE chunks c SET in_corpus = false
FROM documents d WHERE d.id = c.document_id AND d.deleted_at IS NOT NULL AND c.in_corpus;

-- A chunk or a document, and how near it is to a question: the inner product of unit vectors, -1 to 1.
CREATE TYPE neighbour AS (key bigint, score double precision);

-- As before (0015): literals for dimensions and embedder, a plan that is made once in a session. They give `most` rows in
-- no order, or none if they do not meet so many: then the rows are to be compared. Whose documents these are need not be
-- asked: a walk is for their only owner (walk_of).
CREATE OR REPLACE FUNCTION make_walks(known integer, its_dim integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    walk CONSTANT text := $walk$
        CREATE OR REPLACE FUNCTION %1$I(query halfvec, most integer) RETURNS SETOF neighbour
        LANGUAGE plpgsql ROWS 50
        SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_sort = off SET jit = off
        SET hnsw.ef_search = 100 %6$s AS $body$
        BEGIN
            RETURN QUERY
            WITH near AS MATERIALIZED (
                SELECT %4$s AS key, -(v.embedding::halfvec(%2$s) <#> query) AS score
                FROM %5$s v
                WHERE v.embedder = %3$s
                ORDER BY v.embedding::halfvec(%2$s) <#> query
                LIMIT most
            )
            SELECT near.key, near.score FROM near WHERE (SELECT count(*) FROM near) = most;
        END $body$ $walk$;
    -- pgvector knows its settings when the first of its values is read; older ones cannot go on where a walk has ended.
    loaded CONSTANT halfvec := '[1]';
    further CONSTANT text := CASE WHEN current_setting('hnsw.iterative_scan', true) IS NOT NULL
                                  THEN 'SET hnsw.iterative_scan = relaxed_order' ELSE '' END;
BEGIN
    IF its_dim <= 4000 AND loaded IS NOT NULL THEN
        EXECUTE format(walk, 'walk_chunks_' || known, its_dim, known, 'v.chunk_id', 'corpus_vectors', further);
        EXECUTE format(walk, 'walk_documents_' || known, its_dim, known, 'v.document_id', 'document_vectors', further);
    END IF;
END $$;

-- As before (0015), for walks that are not told whose documents they go over.
CREATE OR REPLACE FUNCTION walk_of(what text, its_embedder integer, filters jsonb) RETURNS text
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    owner bigint := filters ->> 'user_id';
    walks text := format('walk_%s_%s', what, its_embedder);
BEGIN
    IF are_set(filters)
        OR to_regprocedure(walks || '(halfvec, integer)') IS NULL
        OR EXISTS (SELECT FROM documents WHERE user_id < owner AND deleted_at IS NULL)
        OR EXISTS (SELECT FROM documents WHERE user_id > owner AND deleted_at IS NULL)
    THEN
        RETURN NULL;
    END IF;
    RETURN format('SELECT * FROM %s($1, $2)', walks);
END $$;

-- Gives what is nearest to a question among chunks or documents, as `what` says.
CREATE FUNCTION near(
    what text, source text, counted text, its_key text, its_embedder integer, its_query halfvec, most integer,
    filters jsonb
) RETURNS SETOF neighbour LANGUAGE plpgsql ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    walk text := walk_of(what, its_embedder, filters);
    given bigint := 0;
BEGIN
    IF walk IS NOT NULL THEN
        RETURN QUERY EXECUTE walk USING its_query, most;
        GET DIAGNOSTICS given = ROW_COUNT;
    END IF;
    IF given = 0 THEN
        RETURN QUERY SELECT found.key, found.score
                     FROM nearest(source, counted, its_key, its_embedder, its_query, most, filters) AS found;
    END IF;
END $$;

-- The leg of chunk vectors: the chunks nearest to a question.
CREATE FUNCTION near_chunks(its_embedder integer, its_query halfvec, most integer, filters jsonb)
RETURNS SETOF neighbour LANGUAGE sql ROWS 50
BEGIN ATOMIC
    SELECT found.key, found.score
    FROM near('chunks', 'documents d JOIN corpus_chunks c ON c.document_id = d.id JOIN corpus_vectors v ON v.chunk_id = c.id',
              'documents d JOIN corpus_chunks c ON c.document_id = d.id', 'v.chunk_id',
              its_embedder, its_query, most, filters) AS found;
END;

-- The leg of document vectors: the documents nearest to a question.
CREATE FUNCTION near_documents(its_embedder integer, its_query halfvec, most integer, filters jsonb)
RETURNS SETOF neighbour LANGUAGE sql ROWS 50
BEGIN ATOMIC
    SELECT found.key, found.score
    FROM near('documents', 'documents d JOIN document_vectors v ON v.document_id = d.id', 'documents d', 'v.document_id',
              its_embedder, its_query, most, filters) AS found;
END;

SELECT make_walks(id, dim) FROM embedders WHERE state <> 'retired';

-- A chunk that has words of a question, with what a second look at it needs.
CREATE TYPE worded AS (chunk_id bigint, title text, score double precision, word_order bytea);

-- Writes the leg of words: candidates from the GIN index over terms, which have any of $2 or both of any of the six pairs
-- of $4; order by the inner product of stored chunk weights and the query's ($1; `<#>` is the negative inner product, so
-- the best comes first), $3 of them. Conditions on
-- a document stand inside: documents are asked in that order until enough have passed, so that neither all of them are
-- read nor any candidate is dropped before (OFFSET 0 keeps the planner from it). `narrowly` leaves the planner the choice
-- whether documents or terms come first, for many more candidates.
CREATE FUNCTION words_query(conditions text, narrowly boolean) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN replace('WITH best AS MATERIALIZED ('
        || CASE WHEN narrowly THEN
            'SELECT c.id, c.document_id, c.lexical <#> $1 AS distance '
            'FROM corpus_chunks c JOIN documents d ON d.id = c.document_id WHERE (c.{candidates}) AND ' || conditions || ' '
           ELSE
            'SELECT scored.id, scored.document_id, scored.distance '
            'FROM (SELECT id, document_id, lexical <#> $1 AS distance '
                  'FROM corpus_chunks c WHERE c.{candidates} ORDER BY distance, id OFFSET 0) AS scored '
            'JOIN documents d ON d.id = scored.document_id WHERE ' || conditions || ' '
           END
        || 'ORDER BY distance, id LIMIT $3) '
           'SELECT c.id, d.title, -best.distance, c.word_order '
           'FROM best JOIN chunks c ON c.id = best.id JOIN documents d ON d.id = best.document_id '
           'ORDER BY best.distance, c.id',
        '{candidates}', 'terms && $2' || (
            SELECT string_agg(format(' OR c.terms @> ARRAY[$4[%1$s][1], $4[%1$s][2]]', place), '')
            FROM generate_series(1, 6) AS place));

-- The leg of words without a filter, for an owner ($5), with a plan that stands.
DO $$
BEGIN
    EXECUTE 'CREATE FUNCTION walk_words(sparsevec, integer[], integer, integer[], bigint) RETURNS SETOF worded '
            'LANGUAGE plpgsql ROWS 50 SET plan_cache_mode = force_generic_plan SET jit = off '
            'SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS '
            || quote_literal('BEGIN RETURN QUERY '
                             || words_query('fits(d, $5, NULL, NULL, NULL, NULL, NULL, NULL, NULL)', false) || '; END');
END $$;

-- The leg of words: BM25. `narrowly` is for filters that left too few of the candidates.
CREATE FUNCTION near_words(
    its_query sparsevec, its_terms integer[], its_pairs integer[], most integer, filters jsonb, narrowly boolean
) RETURNS SETOF worded LANGUAGE plpgsql ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF narrowly OR are_set(filters) THEN
        RETURN QUERY EXECUTE words_query(fits_clause(filters), narrowly)
        USING its_query, its_terms, most, its_pairs;
    ELSE
        RETURN QUERY SELECT * FROM walk_words(its_query, its_terms, most, its_pairs, (filters ->> 'user_id')::bigint);
    END IF;
END $$;

-- Gives what is shown of chunks that a search found, with the headings above each; without those whose document went
-- meanwhile.
CREATE FUNCTION shown_of(chunk_ids bigint[], owner bigint) RETURNS TABLE (
    chunk_id bigint, document_id bigint, title text, page_number integer, start_char integer, end_char integer, text text,
    material_type text, jurisdiction text, published_date date, restricted boolean, section text
) LANGUAGE plpgsql ROWS 10 SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT c.id, c.document_id, d.title, c.page_number, c.start_char, c.end_char, c.text,
           d.material_type, d.jurisdiction, d.published_date, is_restricted(d.extract_meta), coalesce(s.text, '')
    FROM corpus_chunks c
    JOIN documents d ON d.id = c.document_id AND d.user_id = owner AND d.deleted_at IS NULL
    LEFT JOIN chunks s ON s.id = c.parent_id AND s.node_type = 'section'
    WHERE c.id = ANY (chunk_ids);
END $$;
