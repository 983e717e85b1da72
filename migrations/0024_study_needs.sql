-- Why: who gets an explanation without being asked for is one rule, for quizzes, for back-fills and for any SQL client;
-- so is what may be shown of one.
-- Locks: none, functions are new. Takes: milliseconds.

-- True where a question that is not deleted lacks an explanation that may be made by itself. What is stale, skipped,
-- pending or ready is left to a person's wish, also where its text is missing; so is a question whose last job says that
-- another try would end the same way.
CREATE FUNCTION study_needs_explanation(question study_questions) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT question.deleted_at IS NULL
       AND question.ai_explanation_status IN ('none', 'failed')
       AND NOT EXISTS (
           SELECT FROM (SELECT status, error_code
                        FROM study_question_jobs
                        WHERE study_question_id = question.id AND kind = 'explanation'
                        ORDER BY id DESC
                        LIMIT 1) AS latest
           WHERE latest.status IN ('failed', 'skipped')
             AND latest.error_code IN ('guard_fail', 'evidence_missing'))
$$;

-- True where the stored explanation quotes a document that has become restricted since: it is not shown.
CREATE FUNCTION study_explanation_withheld(question study_questions) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM jsonb_array_elements(question.ai_explanation_citations) AS c
                   JOIN documents d ON d.id = (c ->> 'source_id')::bigint
                   WHERE c ->> 'source_type' = 'document' AND is_restricted(d.extract_meta))
$$;
