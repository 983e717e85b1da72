-- Why: one predicate says which documents a search may look at, for every leg and for whoever searches beside them; the
-- legs of vectors, and how they go where nothing is filtered.
-- Locks: none, the functions are new. Takes: milliseconds.

-- Says whether a document may be found by somebody, under the filters that were asked for; NULL is a filter that was
-- not. A year is that of the publication, where none is known that of the coming in. `quotable` leaves out what is
-- restricted. Postgres writes the body in place of the call, and where a value is NULL its clause is gone: this stands
-- inside the top-k of each leg and costs what it asks. `media_types` are patterns (image/%).
CREATE FUNCTION fits(
    d documents, owner bigint, material_types text[], without_types text[], jurisdictions text[], in_year integer,
    collections text[], media_types text[], quotable boolean
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN d.user_id = owner
        AND d.deleted_at IS NULL
        AND (material_types IS NULL OR d.material_type = ANY (material_types))
        AND (without_types IS NULL OR d.material_type IS NULL OR d.material_type <> ALL (without_types))
        AND (jurisdictions IS NULL OR d.jurisdiction = ANY (jurisdictions))
        AND (in_year IS NULL
             OR coalesce(extract(year FROM d.published_date), extract(year FROM d.created_at)) = in_year)
        AND (collections IS NULL OR d.collection = ANY (collections))
        AND (media_types IS NULL OR d.media_type LIKE ANY (media_types))
        AND (quotable IS NOT TRUE OR NOT is_restricted(d.extract_meta));

-- A chunk that a leg of vectors found, with all that a hit shows.
CREATE TYPE near_hit AS (
    chunk_id bigint, document_id bigint, title text, page_number integer, start_char integer, end_char integer,
    text text, score double precision,
    material_type text, jurisdiction text, published_date date, restricted boolean
);

-- Makes the walks over the indexes of an embedder, for searches without a filter. A plan for one takes as long as the
-- walk. In these functions dimensions and embedder are literals, so that the partial index fits whatever is asked, and
-- the plan is made once in a session. With its settings it is the same for a small corpus as for a large one: the index
-- leads, a row is looked up for each neighbour, nothing is sorted. They give `most` rows in no order, or none if they
-- do not meet so many: then the rows are to be compared. Over 4,000 dimensions there is no index, and no walk.
CREATE FUNCTION make_walks(known integer, its_dim integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF its_dim <= 4000 THEN
        EXECUTE format($walk$
            CREATE OR REPLACE FUNCTION %1$I(query halfvec, most integer, owner bigint) RETURNS SETOF near_hit
            LANGUAGE plpgsql ROWS 50
            SET plan_cache_mode = force_generic_plan SET jit = off
            SET enable_seqscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
            BEGIN
                RETURN QUERY
                WITH near AS MATERIALIZED (
                    SELECT c.id, c.document_id, d.title, c.page_number, c.start_char, c.end_char, c.text,
                           -(v.embedding::halfvec(%2$s) <#> query),
                           d.material_type, d.jurisdiction, d.published_date, is_restricted(d.extract_meta)
                    FROM corpus_vectors v
                    JOIN corpus_chunks c ON c.id = v.chunk_id
                    JOIN documents d ON d.id = c.document_id
                    WHERE v.embedder = %3$s AND fits(d, owner, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
                    ORDER BY v.embedding::halfvec(%2$s) <#> query
                    LIMIT most
                )
                SELECT * FROM near WHERE (SELECT count(*) FROM near) = most;
            END $body$ $walk$, 'walk_chunks_' || known, its_dim, known);
        EXECUTE format($walk$
            CREATE OR REPLACE FUNCTION %1$I(query halfvec, most integer, owner bigint) RETURNS SETOF near_hit
            LANGUAGE plpgsql ROWS 50
            SET plan_cache_mode = force_generic_plan SET jit = off
            SET enable_seqscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
            BEGIN
                RETURN QUERY
                WITH near AS MATERIALIZED (
                    SELECT d.id, d.title, -(v.embedding::halfvec(%2$s) <#> query) AS score, v.chunk_ids,
                           d.material_type, d.jurisdiction, d.published_date, is_restricted(d.extract_meta) AS restricted
                    FROM document_vectors v
                    JOIN documents d ON d.id = v.document_id
                    WHERE v.embedder = %3$s AND fits(d, owner, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
                    ORDER BY v.embedding::halfvec(%2$s) <#> query
                    LIMIT most
                )
                SELECT c.id, near.id, near.title, c.page_number, c.start_char, c.end_char, c.text, near.score,
                       near.material_type, near.jurisdiction, near.published_date, near.restricted
                FROM near
                CROSS JOIN LATERAL (
                    SELECT v.chunk_id
                    FROM corpus_vectors v
                    WHERE v.chunk_id = ANY (near.chunk_ids) AND v.embedder = %3$s
                    ORDER BY v.embedding <#> query, v.chunk_id
                    LIMIT 1
                ) AS best
                JOIN corpus_chunks c ON c.id = best.chunk_id
                WHERE (SELECT count(*) FROM near) = most;
            END $body$ $walk$, 'walk_documents_' || known, its_dim, known);
    END IF;
END $$;

-- Gives the call of an embedder's walk ("walk_chunks_1", "walk_documents_1") for the only owner of documents, if there
-- are no filters. Where others have documents, too, the planner shall see whose they are, and how many: a walk for
-- whoever has few goes far. NULL: this is not to be walked.
CREATE FUNCTION walk_of(what text, its_embedder integer, filters jsonb) RETURNS text
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    owner bigint := filters ->> 'user_id';
    walks text := format('walk_%s_%s', what, its_embedder);
BEGIN
    IF are_set(filters)
        OR to_regprocedure(walks || '(halfvec, integer, bigint)') IS NULL
        OR EXISTS (SELECT FROM documents WHERE user_id < owner AND deleted_at IS NULL)
        OR EXISTS (SELECT FROM documents WHERE user_id > owner AND deleted_at IS NULL)
    THEN
        RETURN NULL;
    END IF;
    RETURN format('SELECT * FROM %s($1, $2, %s)', walks, owner);
END $$;

-- The leg of chunk vectors: the chunks nearest to a question.
CREATE FUNCTION near_chunks(its_embedder integer, its_query halfvec, most integer, filters jsonb)
RETURNS SETOF near_hit LANGUAGE plpgsql ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    walk text := walk_of('chunks', its_embedder, filters);
    given bigint := 0;
BEGIN
    IF walk IS NOT NULL THEN
        PERFORM set_walk(most);
        RETURN QUERY EXECUTE walk USING its_query, most;
        GET DIAGNOSTICS given = ROW_COUNT;
    END IF;
    IF given = 0 THEN
        RETURN QUERY
        SELECT c.id, c.document_id, d.title, c.page_number, c.start_char, c.end_char, c.text, near.score,
               d.material_type, d.jurisdiction, d.published_date, is_restricted(d.extract_meta)
        FROM nearest('documents d JOIN corpus_chunks c ON c.document_id = d.id JOIN corpus_vectors v ON v.chunk_id = c.id',
                     'documents d JOIN corpus_chunks c ON c.document_id = d.id', 'v.chunk_id',
                     its_embedder, its_query, most, filters) AS near
        JOIN corpus_chunks c ON c.id = near.key
        JOIN documents d ON d.id = c.document_id;
    END IF;
END $$;

-- The leg of document vectors: of each of the nearest documents the chunk nearest to the question, by the document's
-- score. A document has at most 256 chunks here (save_document_vector).
CREATE FUNCTION near_documents(its_embedder integer, its_query halfvec, most integer, filters jsonb)
RETURNS SETOF near_hit LANGUAGE plpgsql ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    walk text := walk_of('documents', its_embedder, filters);
    given bigint := 0;
BEGIN
    IF walk IS NOT NULL THEN
        PERFORM set_walk(most);
        RETURN QUERY EXECUTE walk USING its_query, most;
        GET DIAGNOSTICS given = ROW_COUNT;
    END IF;
    IF given = 0 THEN
        RETURN QUERY
        SELECT c.id, c.document_id, d.title, c.page_number, c.start_char, c.end_char, c.text, near.score,
               d.material_type, d.jurisdiction, d.published_date, is_restricted(d.extract_meta)
        FROM nearest('documents d JOIN document_vectors v ON v.document_id = d.id', 'documents d', 'v.document_id',
                     its_embedder, its_query, most, filters) AS near
        JOIN documents d ON d.id = near.key
        JOIN document_vectors its ON its.document_id = d.id AND its.embedder = its_embedder
        CROSS JOIN LATERAL (
            SELECT v.chunk_id
            FROM corpus_vectors v
            WHERE v.chunk_id = ANY (its.chunk_ids) AND v.embedder = its_embedder
            ORDER BY v.embedding <#> its_query, v.chunk_id
            LIMIT 1
        ) AS best
        JOIN corpus_chunks c ON c.id = best.chunk_id;
    END IF;
END $$;

SELECT make_walks(id, dim) FROM embedders WHERE state <> 'retired';
