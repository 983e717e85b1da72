-- name: study_topic_shown(user_id, id) -> one
-- Reads a topic by its number, as list_study_topics shows it.
SELECT t.id, t.name, t.description, t.scheduler, t.note_status, t.created_at,
       (SELECT count(*) FROM study_questions q WHERE q.study_topic_id = t.id AND q.deleted_at IS NULL) AS questions,
       (SELECT count(*) FROM study_topic_documents td JOIN documents d ON d.id = td.document_id
        WHERE td.study_topic_id = t.id AND d.deleted_at IS NULL) AS documents
FROM study_topics t
WHERE t.user_id = $1 AND t.id = $2 AND t.deleted_at IS NULL;

-- name: documents_of_topic(topic_id) -> many
-- Lists the living documents that are tied to a topic.
SELECT d.id, d.title, d.collection
FROM study_topic_documents td
JOIN documents d ON d.id = td.document_id
WHERE td.study_topic_id = $1 AND d.deleted_at IS NULL
ORDER BY d.id;

-- name: update_study_topic(user_id, id, topic, description, scheduler) -> value
-- Sets fields of a topic, of which NULL stays; gives its number, nothing where there is none. A Conflict where the name
-- is taken.
UPDATE study_topics
SET name = coalesce($3, name), description = coalesce($4, description), scheduler = coalesce($5, scheduler),
    updated_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
RETURNING id;

-- name: delete_study_topic(user_id, id) -> value
-- Takes a topic and its questions out of everything; their answers stay. Gives its number, nothing where there is none.
WITH gone AS (
    UPDATE study_topics SET deleted_at = now(), updated_at = now()
    WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
    RETURNING id
), questions AS (
    UPDATE study_questions q SET deleted_at = now(), updated_at = now()
    FROM gone
    WHERE q.study_topic_id = gone.id AND q.deleted_at IS NULL
)
SELECT id FROM gone;

-- name: lock_study_topic(user_id, id) -> value
-- Holds a living topic until the transaction ends, so that two do not take the same free number; gives its number.
SELECT id FROM study_topics WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE;

-- name: next_exam_number(topic_id, exam_name, exam_round) -> value
-- Gives the lowest free number of a round, which has at most 300 questions (P10); nothing where it is full.
SELECT n
FROM generate_series(1, 300) AS n
WHERE NOT EXISTS (
    SELECT FROM study_questions q
    WHERE q.study_topic_id = $1 AND q.deleted_at IS NULL AND q.exam_name IS NOT DISTINCT FROM $2
      AND q.exam_round = $3 AND q.exam_number = n)
ORDER BY n
LIMIT 1;

-- name: list_study_questions(user_id, topic_id, status, state, tag, before, most) -> many
-- Lists living questions, newest first, with how well each is known: of a topic, by the status of the explanation, by
-- the state of learning, by a tag; NULL stands for any.
SELECT q.id, q.study_topic_id, q.text,
       array_remove(ARRAY[q.choice_1, q.choice_2, q.choice_3, q.choice_4, q.choice_5], NULL) AS choices,
       q.correct_choice, q.explanation, q.exam_name, q.exam_round, q.exam_number, q.tags,
       CASE WHEN NOT study_explanation_withheld(q) THEN q.ai_explanation END AS ai_explanation, q.ai_explanation_status,
       q.created_at, q.updated_at, s.state, s.attempts, s.last_outcome
FROM study_questions q
JOIN study_learning_state s ON s.study_question_id = q.id AND s.user_id = q.user_id
WHERE q.user_id = $1 AND q.deleted_at IS NULL
  AND ($2::bigint IS NULL OR q.study_topic_id = $2)
  AND ($3::text IS NULL OR q.ai_explanation_status = $3)
  AND ($4::text IS NULL OR s.state = $4)
  AND ($5::text IS NULL OR $5 = ANY (q.tags))
  AND ($6::bigint IS NULL OR q.id < $6)
ORDER BY q.id DESC
LIMIT $7;

-- name: study_question(user_id, id) -> one
-- Reads a living question as list_study_questions shows it.
SELECT q.id, q.study_topic_id, q.text,
       array_remove(ARRAY[q.choice_1, q.choice_2, q.choice_3, q.choice_4, q.choice_5], NULL) AS choices,
       q.correct_choice, q.explanation, q.exam_name, q.exam_round, q.exam_number, q.tags,
       CASE WHEN NOT study_explanation_withheld(q) THEN q.ai_explanation END AS ai_explanation, q.ai_explanation_status,
       q.created_at, q.updated_at, s.state, s.attempts, s.last_outcome
FROM study_questions q
JOIN study_learning_state s ON s.study_question_id = q.id AND s.user_id = q.user_id
WHERE q.user_id = $1 AND q.id = $2 AND q.deleted_at IS NULL;

-- name: lock_study_question(user_id, id) -> value
-- Holds a living question until the transaction ends; gives its number, nothing where there is none.
SELECT id FROM study_questions WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE;

-- name: delete_study_question(user_id, id) -> value
-- Takes a question out of everything; its answers stay. Gives its number, nothing where there is none.
UPDATE study_questions SET deleted_at = now(), updated_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
RETURNING id;

-- name: study_explanation(user_id, id) -> one
-- Reads the explanation of a living question, and how the last job for it stands or ended; one that is withheld has
-- neither text nor citations.
SELECT q.id, q.ai_explanation_status AS status, w.withheld,
       CASE WHEN NOT w.withheld THEN q.ai_explanation END AS explanation,
       CASE WHEN NOT w.withheld THEN q.ai_explanation_citations END AS citations,
       q.ai_explanation_model AS model, q.ai_explanation_prompt_version AS prompt_version,
       q.ai_explanation_generated_at AS generated_at, j.id AS job_id, j.status AS job_status, j.error_code,
       j.error_message, j.payload ->> 'confidence' AS confidence
FROM study_questions q
CROSS JOIN LATERAL (SELECT study_explanation_withheld(q) AS withheld) AS w
LEFT JOIN LATERAL (
    SELECT id, status, error_code, error_message, payload
    FROM study_question_jobs
    WHERE study_question_id = q.id AND kind = 'explanation'
    ORDER BY id DESC
    LIMIT 1
) AS j ON true
WHERE q.user_id = $1 AND q.id = $2 AND q.deleted_at IS NULL;

-- name: enqueue_explanation(user_id, id, urgency, payload) -> value
-- Enqueues the explanation of a question: true when that is new, false when one was waited for already.
SELECT study_enqueue_explanation($2, $1, $3, $4);
