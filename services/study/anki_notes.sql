-- The notes of an Anki collection (SQLite, schema 11) with the name of their type and its fields as JSON, in the order
-- in which they were made. A note whose type is missing has NULL for both.
SELECT n.guid, n.tags, n.flds,
       json_extract(c.models, '$."' || n.mid || '".name'),
       json_extract(c.models, '$."' || n.mid || '".flds')
FROM notes AS n
CROSS JOIN col AS c
ORDER BY n.id
