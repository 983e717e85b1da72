-- name: draw_study_questions(user_id, topic_ids, wrong_only, to_review, per_topic, most) -> many
-- Draws questions for a quiz, evenly over the topics (NULL: all): every topic gives its first, then every topic its
-- second, at most `per_topic` each and `most` together, of which NULL is no limit. Of a topic those come first that
-- were asked least; in a review (`to_review`) those that have been due for longest.
WITH fit AS (
    SELECT s.study_question_id AS id,
           row_number() OVER (PARTITION BY s.study_topic_id
                              ORDER BY CASE WHEN $4::boolean THEN coalesce(c.due_at, 'infinity') END,
                                       s.attempts, random()) AS turn
    FROM study_learning_state s
    LEFT JOIN study_cards c ON c.user_id = s.user_id AND c.study_question_id = s.study_question_id
    WHERE s.user_id = $1
      AND ($2::bigint[] IS NULL OR s.study_topic_id = ANY ($2))
      AND (NOT $3::boolean OR s.last_outcome = 'wrong')
      AND (NOT $4::boolean OR s.study_question_id IN (
          SELECT r.study_question_id FROM study_review_tabs r
          WHERE r.user_id = $1 AND r.tab IN ('due_today', 'pending_review')))
)
SELECT id
FROM fit
WHERE $5::bigint IS NULL OR turn <= $5
ORDER BY turn, random()
LIMIT $6;

-- name: insert_study_quiz(user_id, topic_id, mode, question_ids) -> value
-- Makes a quiz of these questions in this order; gives its number.
WITH made AS (
    INSERT INTO study_quizzes (user_id, study_topic_id, mode, question_count)
    VALUES ($1, $2, $3, cardinality($4::bigint[]))
    RETURNING id
), placed AS (
    INSERT INTO study_quiz_questions (study_quiz_id, position, study_question_id)
    SELECT made.id, each.position, each.question_id
    FROM made, unnest($4::bigint[]) WITH ORDINALITY AS each(question_id, position)
)
SELECT id FROM made;

-- name: study_quiz(user_id, id) -> one
-- Reads a quiz with its counts of answers.
SELECT z.id, z.study_topic_id, t.name AS topic, z.mode, z.status, z.question_count, z.created_at, z.finished_at,
       a.answered, a.right_answers, a.wrong_answers, a.unsure_answers, a.unknown_answers
FROM study_quizzes z
LEFT JOIN study_topics t ON t.id = z.study_topic_id
CROSS JOIN LATERAL (
    SELECT count(*) AS answered, count(*) FILTER (WHERE outcome = 'right') AS right_answers,
           count(*) FILTER (WHERE outcome = 'wrong') AS wrong_answers,
           count(*) FILTER (WHERE outcome = 'unsure') AS unsure_answers,
           count(*) FILTER (WHERE outcome = 'dont_know') AS unknown_answers
    FROM study_answers
    WHERE study_quiz_id = z.id
) AS a
WHERE z.user_id = $1 AND z.id = $2;

-- name: list_study_quizzes(user_id, topic_id, before, most) -> many
-- Lists quizzes, newest first, of a topic or of any, as study_quiz.
SELECT z.id, z.study_topic_id, t.name AS topic, z.mode, z.status, z.question_count, z.created_at, z.finished_at,
       a.answered, a.right_answers, a.wrong_answers, a.unsure_answers, a.unknown_answers
FROM study_quizzes z
LEFT JOIN study_topics t ON t.id = z.study_topic_id
CROSS JOIN LATERAL (
    SELECT count(*) AS answered, count(*) FILTER (WHERE outcome = 'right') AS right_answers,
           count(*) FILTER (WHERE outcome = 'wrong') AS wrong_answers,
           count(*) FILTER (WHERE outcome = 'unsure') AS unsure_answers,
           count(*) FILTER (WHERE outcome = 'dont_know') AS unknown_answers
    FROM study_answers
    WHERE study_quiz_id = z.id
) AS a
WHERE z.user_id = $1
  AND ($2::bigint IS NULL OR z.study_topic_id = $2)
  AND ($3::bigint IS NULL OR z.id < $3)
ORDER BY z.id DESC
LIMIT $4;

-- name: study_quiz_items(quiz_id) -> many
-- Reads the questions of a quiz in their order, with what was answered; also those that have been deleted since.
-- `correct_choice` is the one that counted when it was answered.
SELECT zq.position, q.id, q.study_topic_id, q.text,
       array_remove(ARRAY[q.choice_1, q.choice_2, q.choice_3, q.choice_4, q.choice_5], NULL) AS choices,
       coalesce(a.correct_choice, q.correct_choice) AS correct_choice, q.explanation,
       CASE WHEN NOT study_explanation_withheld(q) THEN q.ai_explanation END AS ai_explanation, q.ai_explanation_status,
       a.outcome, a.choice, a.was_right, a.answered_at
FROM study_quiz_questions zq
JOIN study_questions q ON q.id = zq.study_question_id
LEFT JOIN study_answers a ON a.study_quiz_id = zq.study_quiz_id AND a.study_question_id = zq.study_question_id
WHERE zq.study_quiz_id = $1
ORDER BY zq.position;

-- name: insert_study_answer(user_id, quiz_id, question_id, choice, said) -> one
-- Keeps what was said to a question of an open quiz: a choice, and `said` 'unsure' or 'dont_know' where that was said.
-- No row where the quiz is not open, the question is not in it, or has no such choice; a Conflict where it was answered.
-- The quiz is held, so that an answer comes before its end or not at all.
INSERT INTO study_answers (study_quiz_id, study_question_id, user_id, choice, outcome, correct_choice, was_right)
SELECT z.id, q.id, z.user_id, $4::smallint,
       CASE WHEN $5::text IS NOT NULL THEN $5 WHEN $4 = q.correct_choice THEN 'right' ELSE 'wrong' END,
       q.correct_choice, $4 IS NOT DISTINCT FROM q.correct_choice
FROM study_quizzes z
JOIN study_quiz_questions zq ON zq.study_quiz_id = z.id
JOIN study_questions q ON q.id = zq.study_question_id
WHERE z.user_id = $1 AND z.id = $2 AND q.id = $3 AND z.status = 'open'
  AND ($4 IS NULL OR $4 <= num_nonnulls(q.choice_1, q.choice_2, q.choice_3, q.choice_4, q.choice_5))
FOR SHARE OF z
RETURNING id, study_question_id, outcome, choice, correct_choice, was_right;

-- name: finish_study_quiz(user_id, id) -> value
-- Ends an open quiz; gives its number, nothing where it is not open.
UPDATE study_quizzes SET status = 'finished', finished_at = now()
WHERE user_id = $1 AND id = $2 AND status = 'open'
RETURNING id;

-- name: enqueue_quiz_explanations(user_id, quiz_id, urgency, most) -> many
-- Enqueues the explanations that are missing of what was answered wrong, unsure or not at all known in a quiz, in the
-- order of the answers; gives the questions that were enqueued. What is lacking becomes a value before any is enqueued:
-- the function in the same WHERE might be asked first.
WITH lacking AS MATERIALIZED (
    SELECT q.id
    FROM study_answers a
    JOIN study_questions q ON q.id = a.study_question_id
    WHERE a.study_quiz_id = $2 AND a.user_id = $1 AND a.outcome <> 'right' AND study_needs_explanation(q)
    ORDER BY a.id
    LIMIT $4
)
SELECT id FROM lacking WHERE study_enqueue_explanation(id, $1, $3, jsonb_build_object('study_quiz_id', $2::bigint));
