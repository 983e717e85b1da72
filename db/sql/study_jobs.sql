-- name: failed_explanations(code, ids, newest_only, most) -> many
-- Lists living questions that could not be explained, by their beginning, newest first, as failed_files.
SELECT j.id, j.stage, left(q.text, 200) AS name, NULL::text AS filename, NULL::bigint AS document_id, j.attempts,
       j.error_code, j.error_message, j.created_at, j.completed_at, n.id AS later_id, n.status AS later_status
FROM study_question_jobs j
JOIN study_questions q ON q.id = j.study_question_id AND q.deleted_at IS NULL
LEFT JOIN LATERAL (
    SELECT l.id, l.status
    FROM study_question_jobs l
    WHERE l.study_question_id = j.study_question_id AND l.kind = j.kind AND l.id > j.id
    ORDER BY l.id DESC
    LIMIT 1
) AS n ON true
WHERE j.status = 'failed'
  AND ($1::text IS NULL OR j.error_code = $1)
  AND ($2::bigint[] IS NULL OR j.id = ANY ($2))
  AND (NOT $3::boolean OR n.id IS NULL)
ORDER BY j.completed_at DESC, j.id DESC
LIMIT $4;

-- name: retry_explanations(ids, code) -> many
-- Enqueues questions whose last explanation failed again, each as a new row. What is to be tried becomes a value before
-- any is enqueued: the function in the same WHERE might be asked first.
WITH failed AS MATERIALIZED (
    SELECT f.id, f.study_question_id, f.user_id
    FROM study_question_jobs f
    WHERE f.status = 'failed'
      AND ($1::bigint[] IS NULL OR f.id = ANY ($1))
      AND ($2::text IS NULL OR f.error_code = $2)
      AND NOT EXISTS (SELECT 1 FROM study_question_jobs later
                      WHERE later.study_question_id = f.study_question_id AND later.kind = f.kind AND later.id > f.id)
    ORDER BY f.id
)
SELECT id
FROM failed
WHERE study_enqueue_explanation(study_question_id, user_id, 100, jsonb_build_object('retry_of', id));

-- name: failed_notes(code, ids, newest_only, most) -> many
-- Lists living topics whose note could not be made, by their name, newest first, as failed_files.
SELECT j.id, j.stage, t.name, NULL::text AS filename, NULL::bigint AS document_id, j.attempts, j.error_code,
       j.error_message, j.created_at, j.completed_at, n.id AS later_id, n.status AS later_status
FROM study_topic_jobs j
JOIN study_topics t ON t.id = j.study_topic_id AND t.deleted_at IS NULL
LEFT JOIN LATERAL (
    SELECT l.id, l.status
    FROM study_topic_jobs l
    WHERE l.study_topic_id = j.study_topic_id AND l.kind = j.kind AND l.id > j.id
    ORDER BY l.id DESC
    LIMIT 1
) AS n ON true
WHERE j.status = 'failed'
  AND ($1::text IS NULL OR j.error_code = $1)
  AND ($2::bigint[] IS NULL OR j.id = ANY ($2))
  AND (NOT $3::boolean OR n.id IS NULL)
ORDER BY j.completed_at DESC, j.id DESC
LIMIT $4;

-- name: retry_notes(ids, code) -> many
-- Enqueues topics whose last note failed again, each as a new row.
INSERT INTO study_topic_jobs (study_topic_id, user_id, kind, payload)
SELECT study_topic_id, user_id, kind, coalesce(payload, '{}') || jsonb_build_object('retry_of', id)
FROM study_topic_jobs f
WHERE status = 'failed'
  AND ($1::bigint[] IS NULL OR id = ANY ($1))
  AND ($2::text IS NULL OR error_code = $2)
  AND NOT EXISTS (SELECT 1 FROM study_topic_jobs later
                  WHERE later.study_topic_id = f.study_topic_id AND later.kind = f.kind AND later.id > f.id)
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id;

-- name: failed_quiz_analyses(code, ids, newest_only, most) -> many
-- Lists quizzes that could not be analysed, by their number and day, newest first, as failed_files.
SELECT j.id, j.stage, format('quiz %s of %s', z.id, z.created_at::date) AS name, NULL::text AS filename,
       NULL::bigint AS document_id, j.attempts, j.error_code, j.error_message, j.created_at, j.completed_at,
       n.id AS later_id, n.status AS later_status
FROM study_quiz_jobs j
JOIN study_quizzes z ON z.id = j.study_quiz_id
LEFT JOIN LATERAL (
    SELECT l.id, l.status
    FROM study_quiz_jobs l
    WHERE l.study_quiz_id = j.study_quiz_id AND l.kind = j.kind AND l.id > j.id
    ORDER BY l.id DESC
    LIMIT 1
) AS n ON true
WHERE j.status = 'failed'
  AND ($1::text IS NULL OR j.error_code = $1)
  AND ($2::bigint[] IS NULL OR j.id = ANY ($2))
  AND (NOT $3::boolean OR n.id IS NULL)
ORDER BY j.completed_at DESC, j.id DESC
LIMIT $4;

-- name: retry_quiz_analyses(ids, code) -> many
-- Enqueues quizzes whose last analysis failed again, each as a new row.
INSERT INTO study_quiz_jobs (study_quiz_id, user_id, kind, payload)
SELECT study_quiz_id, user_id, kind, coalesce(payload, '{}') || jsonb_build_object('retry_of', id)
FROM study_quiz_jobs f
WHERE status = 'failed'
  AND ($1::bigint[] IS NULL OR id = ANY ($1))
  AND ($2::text IS NULL OR error_code = $2)
  AND NOT EXISTS (SELECT 1 FROM study_quiz_jobs later
                  WHERE later.study_quiz_id = f.study_quiz_id AND later.kind = f.kind AND later.id > f.id)
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id;
