-- Why: a question is not left "pending" by a job that ended, whoever ended it: the stage, a crash at the last attempt,
-- or the rescue of a row whose worker died too often. What ends well writes its own result.
-- Locks: study_question_jobs, for an instant. Takes: milliseconds.

CREATE FUNCTION study_question_jobs_tell_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE study_questions SET ai_explanation_status = NEW.status
    WHERE id = NEW.study_question_id AND ai_explanation_status NOT IN ('ready', NEW.status);
    RETURN NULL;
END $$;
CREATE TRIGGER study_question_jobs_ended AFTER UPDATE OF status ON study_question_jobs
    FOR EACH ROW WHEN (NEW.status IN ('failed', 'skipped') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION study_question_jobs_tell_question();
