-- name: list_study_topics(user_id) -> many
-- Lists a person's topics by name, with how many questions and how many living documents each has.
SELECT t.id, t.name, t.description, t.scheduler, t.note_status, t.created_at,
       (SELECT count(*) FROM study_questions q WHERE q.study_topic_id = t.id AND q.deleted_at IS NULL) AS questions,
       (SELECT count(*) FROM study_topic_documents td JOIN documents d ON d.id = td.document_id
        WHERE td.study_topic_id = t.id AND d.deleted_at IS NULL) AS documents
FROM study_topics t
WHERE t.user_id = $1 AND t.deleted_at IS NULL
ORDER BY lower(t.name), t.id;

-- name: study_topic(user_id, named) -> one
-- Finds a topic by its name, whatever its capitals, else by its number as text; no row where there is none.
SELECT t.id, t.user_id, t.name, t.description, t.scheduler
FROM study_topics t
WHERE t.user_id = $1 AND t.deleted_at IS NULL AND (lower(t.name) = lower($2) OR t.id::text = $2)
ORDER BY lower(t.name) = lower($2) DESC
LIMIT 1;

-- name: insert_study_topic(user_id, topic, description, scheduler) -> one
-- Makes a topic; no row where the name is taken.
INSERT INTO study_topics AS t (user_id, name, description, scheduler)
VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, lower(name)) WHERE deleted_at IS NULL DO NOTHING
RETURNING t.id, t.user_id, t.name, t.description, t.scheduler;

-- name: documents_to_tie(user_id, ids, collections) -> many
-- Gives those of some documents, and all of some collections, that are the person's and not deleted.
SELECT d.id, d.title, d.collection
FROM documents d
WHERE d.user_id = $1 AND d.deleted_at IS NULL AND (d.id = ANY ($2::bigint[]) OR d.collection = ANY ($3::text[]))
ORDER BY d.id;

-- name: tie_documents(topic_id, document_ids) -> many
-- Ties documents to a topic; gives those that were not tied before.
INSERT INTO study_topic_documents AS td (study_topic_id, document_id)
SELECT $1, d FROM unnest($2::bigint[]) AS d
ON CONFLICT DO NOTHING
RETURNING td.document_id AS id;

-- name: untie_documents(topic_id, document_ids) -> many
-- Unties documents from a topic; gives those that were tied.
DELETE FROM study_topic_documents td
WHERE td.study_topic_id = $1 AND td.document_id = ANY ($2::bigint[])
RETURNING td.document_id AS id;

-- name: study_questions_of_topic(user_id, topic_id) -> many
-- Reads the living questions of a topic as a person wrote them, in the order in which they came.
SELECT id, source_key, text, choice_1, choice_2, choice_3, choice_4, choice_5, correct_choice, explanation, exam_name,
       exam_round, exam_number, tags
FROM study_questions
WHERE user_id = $1 AND study_topic_id = $2 AND deleted_at IS NULL
ORDER BY id;

-- name: insert_study_question(user_id, topic_id, source_key, text, choices, correct_choice, explanation, exam_name, exam_round, exam_number, tags) -> value
-- Adds a question with two to five choices; gives its number. A Conflict when its key is taken.
INSERT INTO study_questions (user_id, study_topic_id, source_key, text, choice_1, choice_2, choice_3, choice_4,
                             choice_5, correct_choice, explanation, exam_name, exam_round, exam_number, tags)
VALUES ($1, $2, $3, $4, ($5::text[])[1], ($5::text[])[2], ($5::text[])[3], ($5::text[])[4], ($5::text[])[5], $6, $7,
        $8, $9, $10, $11::text[])
RETURNING id;

-- name: update_study_question(id, user_id, text, choices, correct_choice, explanation, exam_name, exam_round, exam_number, tags) -> value
-- Writes all that a person says of a question; gives its number, nothing where it is deleted or another's. What was
-- explained of another text is stale by the rule of the table.
UPDATE study_questions
SET text = $3, choice_1 = ($4::text[])[1], choice_2 = ($4::text[])[2], choice_3 = ($4::text[])[3],
    choice_4 = ($4::text[])[4], choice_5 = ($4::text[])[5], correct_choice = $5, explanation = $6, exam_name = $7,
    exam_round = $8, exam_number = $9, tags = $10::text[], updated_at = now()
WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL
RETURNING id;
