-- Explanations of questions: what a job reads, what evidence there is, what it leaves behind (stage explanation).

-- name: questions_to_explain(ids) -> many
-- Reads the questions that jobs are about, each as it stands, with the topic that it belongs to.
SELECT j.id AS job_id, j.payload, q.id, q.user_id, q.study_topic_id AS topic_id, q.revision, q.text,
       array_remove(ARRAY[q.choice_1, q.choice_2, q.choice_3, q.choice_4, q.choice_5], NULL) AS choices,
       q.correct_choice, q.ai_explanation_status AS status,
       q.deleted_at IS NOT NULL OR t.deleted_at IS NOT NULL AS deleted
FROM study_question_jobs j
JOIN study_questions q ON q.id = j.study_question_id
JOIN study_topics t ON t.id = q.study_topic_id
WHERE j.id = ANY ($1::bigint[]);

-- name: evidence_documents(topic_id, user_id, query, terms, heads, most) -> many
-- Gives the best chunks for a question of the documents of its topic: their first leaves (S21), and those that hold the
-- question's rarest words, for the first ones seldom answer it. Of the same user, neither deleted nor restricted. Best
-- first; without a word in common, in the order of documents and of reading. A document without a chunk comes last, with
-- its summary alone. What is joined is small, or an array, so that no plan of an unanalysed table can be slow.
WITH tied AS MATERIALIZED (
    SELECT d.id, d.title, d.ai_summary
    FROM study_topic_documents b
    JOIN documents d ON d.id = b.document_id
    WHERE b.study_topic_id = $1 AND d.user_id = $2 AND d.deleted_at IS NULL AND NOT is_restricted(d.extract_meta)
), heads AS (
    SELECT h.id
    FROM tied
    CROSS JOIN LATERAL (
        SELECT c.id FROM corpus_chunks c WHERE c.document_id = tied.id AND c.is_leaf ORDER BY c.chunk_index LIMIT $5
    ) AS h
), searched AS (
    SELECT c.id
    FROM corpus_chunks c
    WHERE c.terms && $4::integer[] AND c.document_id = ANY (ARRAY(SELECT id FROM tied))
    ORDER BY c.lexical <#> $3::text::sparsevec, c.id
    LIMIT $6
), best AS MATERIALIZED (
    SELECT c.document_id, c.page_number, c.start_char, c.text, c.chunk_index,
           coalesce(-(c.lexical <#> $3::text::sparsevec), 0) AS score
    FROM corpus_chunks c
    WHERE c.id = ANY (ARRAY(SELECT id FROM heads UNION SELECT id FROM searched))
    ORDER BY score DESC, c.document_id, c.chunk_index
    LIMIT $6
)
SELECT tied.id, tied.title, tied.ai_summary, best.page_number AS page, best.start_char AS start, best.text,
       coalesce(best.score, 0) AS score
FROM tied
LEFT JOIN best ON best.document_id = tied.id
WHERE best.document_id IS NOT NULL OR tied.ai_summary <> ''
ORDER BY best.score DESC NULLS LAST, tied.id, best.chunk_index
LIMIT $6;

-- name: evidence_questions(topic_id, user_id, without_id, most) -> many
-- Gives the newest other questions of a topic. What a model wrote counts only where it is ready: what is stale, or was
-- refused, must not come back as evidence.
SELECT id, text, explanation,
       CASE WHEN ai_explanation_status = 'ready' THEN ai_explanation END AS ai_explanation
FROM study_questions
WHERE study_topic_id = $1
  AND user_id = $2
  AND id <> $3
  AND deleted_at IS NULL
ORDER BY id DESC
LIMIT $4;

-- name: save_explanation(id, revision, explanation, model, citations, prompt_version, urgency) -> none
-- Stores an explanation for the reading of the question that it was made of. Of a question that was changed meanwhile
-- nothing is written: what it is now follows, as urgent as before.
WITH saved AS (
    UPDATE study_questions
    SET ai_explanation = $3, ai_explanation_status = 'ready', ai_explanation_generated_at = now(),
        ai_explanation_model = $4, ai_explanation_citations = $5::jsonb, ai_explanation_prompt_version = $6,
        updated_at = now()
    WHERE id = $1 AND revision = $2
)
SELECT study_enqueue_explanation(id, user_id, $7)
FROM study_questions
WHERE id = $1 AND revision <> $2 AND deleted_at IS NULL;

-- name: explain_again_if_changed(id, revision, urgency) -> none
-- The question was changed while a model had it in hand: what it is now follows, as urgent as before.
SELECT study_enqueue_explanation(id, user_id, $3)
FROM study_questions
WHERE id = $1 AND revision <> $2 AND deleted_at IS NULL;
