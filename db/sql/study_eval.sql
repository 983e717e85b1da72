-- name: retire_evaluated_topic(topic) -> none
-- Deletes the topic of a former evaluation, whose questions and jobs stay.
UPDATE study_topics SET deleted_at = now() WHERE name = $1 AND deleted_at IS NULL;

-- name: tie_collection(topic_id, collection) -> none
-- Ties all documents of a collection to a topic.
INSERT INTO study_topic_documents (study_topic_id, document_id)
SELECT $1, id FROM documents WHERE collection = $2 AND deleted_at IS NULL
ON CONFLICT DO NOTHING;

-- name: enqueue_topic_explanations(topic_id) -> value
-- Enqueues the explanation of every question of a topic; says how many.
SELECT count(*) FROM study_questions q
WHERE q.study_topic_id = $1 AND q.deleted_at IS NULL AND study_enqueue_explanation(q.id, q.user_id);

-- name: explanations_left(topic_ids) -> value
-- Counts the explanations of topics that are not final.
SELECT count(*)
FROM study_question_jobs j
JOIN study_questions q ON q.id = j.study_question_id
WHERE j.status IN ('pending', 'processing') AND q.study_topic_id = ANY ($1::bigint[]);

-- name: explained_questions(topic_ids) -> many
-- Gives how the questions of topics were explained.
SELECT q.source_key, t.name AS topic, q.ai_explanation_status AS status, q.ai_explanation AS text,
       q.ai_explanation_model AS model, q.ai_explanation_citations AS citations, j.error_code AS code,
       (j.payload ->> 'answer_choice')::integer AS answer_choice
FROM study_questions q
JOIN study_topics t ON t.id = q.study_topic_id
LEFT JOIN LATERAL (
    SELECT error_code, payload FROM study_question_jobs WHERE study_question_id = q.id ORDER BY id DESC LIMIT 1
) AS j ON true
WHERE q.study_topic_id = ANY ($1::bigint[])
ORDER BY q.id;
