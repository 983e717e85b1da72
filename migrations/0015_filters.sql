-- Why: one predicate says which documents a search may look at, for every leg and for whoever searches beside them.
-- Locks: none, the function is new. Takes: milliseconds.

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

-- The same for statements that are put together at run time (0013): the call, with the values as literals. A name that
-- nobody knows is refused, not dropped.
CREATE OR REPLACE FUNCTION filter_clauses(filters jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    known text[] := ARRAY['user_id', 'material_types', 'without_types', 'jurisdictions', 'year', 'collections',
                          'media_types', 'quotable'];
    types text[] := ARRAY['bigint', 'text[]', 'text[]', 'text[]', 'integer', 'text[]', 'text[]', 'boolean'];
    unknown text := (SELECT min(key) FROM jsonb_object_keys(filters) AS key WHERE key <> ALL (known));
BEGIN
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('No leg knows the filter %s.', unknown);
    END IF;
    RETURN 'fits(d, ' || (
        SELECT string_agg(format('%L::%s',
                   CASE WHEN jsonb_typeof(filters -> name) = 'array'
                        THEN ARRAY(SELECT jsonb_array_elements_text(filters -> name))::text
                        ELSE filters ->> name END, type), ', ' ORDER BY place)
        FROM unnest(known, types) WITH ORDINALITY AS argument(name, type, place)) || ')';
END $$;
