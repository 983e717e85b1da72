-- name: note_to_make(job_id) -> one
-- Reads what a note is about; `sources` is the hash of what it will be made of.
SELECT t.id, t.name, t.description, t.deleted_at IS NOT NULL AS deleted, study_note_sources(t.id) AS sources
FROM study_topic_jobs j
JOIN study_topics t ON t.id = j.study_topic_id
WHERE j.id = $1;

-- name: study_sources(topic_ids, most, headings, chars) -> many
-- Lists what topics may quote, a document once, in the order in which they were tied: title, head of the summary, and
-- the first headings as paths.
SELECT s.document_id, min(s.title) AS title, left(min(s.ai_summary), $4) AS summary,
       ARRAY(SELECT c.text FROM chunks c
             WHERE c.document_id = s.document_id AND c.node_type = 'section'
             ORDER BY c.chunk_index
             LIMIT $3) AS headings
FROM study_topic_sources s
WHERE s.study_topic_id = ANY ($1::bigint[])
GROUP BY s.document_id
ORDER BY min(s.tied_at), s.document_id
LIMIT $2;

-- name: study_passages(document_ids, about, of_each) -> many
-- Gives the leaves of each document that fit best to what is asked for, in reading order; its first ones where nothing
-- is asked for. What was deleted or became restricted meanwhile gives none.
SELECT p.*
FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted(document_id, place)
JOIN documents d ON d.id = wanted.document_id AND d.deleted_at IS NULL AND NOT is_restricted(d.extract_meta)
CROSS JOIN LATERAL (
    SELECT c.id AS chunk_id, c.document_id, d.title, c.page_number AS page, c.start_char AS start, c.text,
           c.chunk_index
    FROM corpus_chunks c
    WHERE c.document_id = d.id AND c.is_leaf
    ORDER BY c.lexical <#> $2::text::sparsevec, c.chunk_index
    LIMIT $3
) AS p
ORDER BY wanted.place, p.chunk_index;

-- name: study_misses(topic_id, most) -> many
-- Lists the questions of a topic that are not known: those that went wrong most often first.
SELECT q.id, q.text, (ARRAY[choice_1, choice_2, choice_3, choice_4, choice_5])[q.correct_choice] AS answer,
       s.attempts - s.right_answers AS missed
FROM study_learning_state s
JOIN study_questions q ON q.id = s.study_question_id
WHERE s.study_topic_id = $1 AND s.attempts > s.right_answers
  AND (s.last_outcome <> 'right' OR s.state IN ('regressed', 'unstable'))
ORDER BY missed DESC, s.last_answered_at DESC, q.id
LIMIT $2;

-- name: quiz_misses(quiz_id, most) -> many
-- Lists the questions of a quiz whose answer was not right, in their order.
SELECT q.id, q.text, (ARRAY[choice_1, choice_2, choice_3, choice_4, choice_5])[q.correct_choice] AS answer,
       1::bigint AS missed
FROM study_answers a
JOIN study_quiz_questions zq ON zq.study_quiz_id = a.study_quiz_id AND zq.study_question_id = a.study_question_id
JOIN study_questions q ON q.id = a.study_question_id
WHERE a.study_quiz_id = $1 AND a.outcome <> 'right'
ORDER BY zq.position
LIMIT $2;

-- name: save_study_note(topic_id, note, citations, model, prompt_version, sources) -> none
-- Stores a note with what it was made of.
UPDATE study_topics
SET note = $2, note_citations = $3, note_model = $4, note_prompt_version = $5, note_sources = $6,
    note_status = 'ready', note_generated_at = now()
WHERE id = $1;

-- name: skip_study_note(topic_id) -> none
-- Nothing can be said of a topic: a former note is not kept, its sources are gone.
UPDATE study_topics
SET note = NULL, note_citations = NULL, note_model = NULL, note_prompt_version = NULL, note_sources = NULL,
    note_status = 'skipped', note_generated_at = NULL
WHERE id = $1;

-- name: quiz_facts(job_id) -> one
-- Counts what became of a quiz; `took_s` from its beginning to its end, or to the last answer.
SELECT z.id, study_analysis_sources(z.id) AS sources,
       (SELECT count(*) FROM study_quiz_questions zq WHERE zq.study_quiz_id = z.id) AS questions,
       count(a.id) AS answered,
       count(*) FILTER (WHERE a.outcome = 'right') AS right_answers,
       count(*) FILTER (WHERE a.outcome = 'wrong') AS wrong_answers,
       count(*) FILTER (WHERE a.outcome = 'unsure') AS unsure_answers,
       count(*) FILTER (WHERE a.outcome = 'dont_know') AS unknown_answers,
       coalesce(extract(epoch FROM coalesce(z.finished_at, max(a.answered_at)) - z.created_at), 0)::float8 AS took_s
FROM study_quiz_jobs j
JOIN study_quizzes z ON z.id = j.study_quiz_id
LEFT JOIN study_answers a ON a.study_quiz_id = z.id
WHERE j.id = $1
GROUP BY z.id;

-- name: quiz_groups(quiz_id) -> many
-- Counts the answers of a quiz by topic, by exam and by tag; a question with two tags counts for both.
SELECT g.kind, g.name, count(*) AS answered,
       count(*) FILTER (WHERE a.outcome = 'right') AS right_answers,
       count(*) FILTER (WHERE a.outcome IN ('wrong', 'dont_know')) AS wrong_answers,
       count(*) FILTER (WHERE a.outcome = 'unsure') AS unsure_answers
FROM study_answers a
JOIN study_questions q ON q.id = a.study_question_id
JOIN study_topics t ON t.id = q.study_topic_id
CROSS JOIN LATERAL (
    SELECT 'topic' AS kind, t.name
    UNION ALL SELECT 'exam', concat_ws(' ', q.exam_name, q.exam_round) WHERE q.exam_name IS NOT NULL
    UNION ALL SELECT 'tag', tag FROM unnest(q.tags) AS tag
) AS g
WHERE a.study_quiz_id = $1
GROUP BY g.kind, g.name
ORDER BY g.kind, g.name;

-- name: quiz_changes(quiz_id) -> many
-- Says of each answer of a quiz what the answer before it was (NULL: there was none), and how the question stands now
-- (NULL: it was deleted).
SELECT a.study_question_id, before.outcome AS before, a.outcome AS after, s.state
FROM study_answers a
LEFT JOIN study_learning_state s ON s.study_question_id = a.study_question_id AND s.user_id = a.user_id
LEFT JOIN LATERAL (
    SELECT p.outcome FROM study_answers p
    WHERE p.study_question_id = a.study_question_id AND p.user_id = a.user_id
      AND (p.answered_at, p.id) < (a.answered_at, a.id)
    ORDER BY p.answered_at DESC, p.id DESC
    LIMIT 1
) AS before ON true
WHERE a.study_quiz_id = $1
ORDER BY a.id;

-- name: topics_of_quiz(quiz_id) -> value
-- Gives the numbers of the topics of a quiz' questions.
SELECT ARRAY(SELECT DISTINCT q.study_topic_id
             FROM study_quiz_questions zq JOIN study_questions q ON q.id = zq.study_question_id
             WHERE zq.study_quiz_id = $1
             ORDER BY 1);

-- name: head_of_quiz(quiz_id) -> value
-- Gives the texts of a quiz' first questions, to tell their language.
SELECT string_agg(q.text, ' ')
FROM study_quiz_questions zq
JOIN study_questions q ON q.id = zq.study_question_id
WHERE zq.study_quiz_id = $1 AND zq.position <= 10;

-- name: save_quiz_analysis(quiz_id, analysis, citations, model, prompt_version, sources) -> none
-- Stores an analysis with what it was made of.
UPDATE study_quizzes
SET analysis = $2, analysis_citations = $3, analysis_model = $4, analysis_prompt_version = $5, analysis_sources = $6,
    analysis_status = 'ready', analysis_generated_at = now()
WHERE id = $1;

-- name: study_note(user_id, topic_id) -> one
-- Gives how a topic's note stands.
SELECT name, status, text, citations, stale, withheld, model, prompt_version, generated_at, error_code, error_message
FROM study_notes
WHERE user_id = $1 AND study_topic_id = $2;

-- name: quiz_analysis(user_id, quiz_id) -> one
-- Gives how a quiz' analysis stands.
SELECT quiz_status, status, text, citations, stale, withheld, model, prompt_version, generated_at, error_code,
       error_message
FROM study_analyses
WHERE user_id = $1 AND study_quiz_id = $2;

-- name: enqueue_study_note(topic_id, urgency, payload) -> value
-- Enqueues a topic's note: true when that is new, false when one was active.
SELECT study_enqueue_note($1, $2, $3);

-- name: enqueue_quiz_analysis(quiz_id, urgency, payload) -> value
-- Enqueues a quiz' analysis: true when that is new, false when one was active.
SELECT study_enqueue_analysis($1, $2, $3);
