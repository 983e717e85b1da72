-- Why: notes of topics and analyses of quizzes say what they were made of, so that they are known to be stale when that
-- has changed, and are no longer shown when what they quote has become restricted.
-- Locks: study_quizzes exclusively for a change in the catalogue, the job tables for a trigger. Takes: milliseconds.

ALTER TABLE study_quizzes ADD COLUMN analysis_sources text; -- the hash of what the analysis was made of

-- What a text about a topic may be made of: documents that are tied to it, read, not deleted and not restricted.
-- Digests may be a model's own words.
CREATE VIEW study_topic_sources AS
    SELECT td.study_topic_id, d.id AS document_id, d.title, d.ai_summary, d.corpus_version, d.unread_pages,
           td.created_at AS tied_at
    FROM study_topic_documents td
    JOIN documents d ON d.id = td.document_id
    WHERE d.deleted_at IS NULL AND d.corpus_version > 0 AND NOT is_restricted(d.extract_meta)
      AND d.material_type IS DISTINCT FROM 'digest';

-- Another hash than before: a source was tied, untied, deleted, replaced, read further, or became restricted.
CREATE FUNCTION study_note_sources(topic bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT md5(coalesce(string_agg(format('%s %s %s', document_id, corpus_version, array_to_string(unread_pages, ',')),
                                   ';' ORDER BY document_id), ''))
    FROM study_topic_sources
    WHERE study_topic_id = topic
$$;

-- The same for a quiz: also its answers, which are only added, and what its questions are.
CREATE FUNCTION study_analysis_sources(quiz bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT md5(concat_ws('|',
        (SELECT format('%s %s', count(*), max(id)) FROM study_answers WHERE study_quiz_id = quiz),
        (SELECT string_agg(format('%s %s', q.id, q.revision), ';' ORDER BY q.id)
         FROM study_quiz_questions zq JOIN study_questions q ON q.id = zq.study_question_id
         WHERE zq.study_quiz_id = quiz),
        (SELECT string_agg(study_note_sources(topic), ';' ORDER BY topic)
         FROM (SELECT DISTINCT q.study_topic_id
               FROM study_quiz_questions zq JOIN study_questions q ON q.id = zq.study_question_id
               WHERE zq.study_quiz_id = quiz) AS topics(topic))))
$$;

-- Whether a stored text quotes what has become restricted since.
CREATE FUNCTION study_quotes_restricted(citations jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM jsonb_array_elements(citations) AS c
                   JOIN documents d ON d.id = (c ->> 'document_id')::bigint
                   WHERE is_restricted(d.extract_meta))
$$;

-- How a topic's note stands; `error_code` and `error_message` are those of its last job.
CREATE VIEW study_notes AS
    SELECT t.id AS study_topic_id, t.user_id, t.name,
           CASE WHEN t.note_status = 'ready' AND s.stale THEN 'stale' ELSE t.note_status END AS status,
           CASE WHEN NOT s.withheld THEN t.note END AS text,
           CASE WHEN NOT s.withheld THEN t.note_citations END AS citations,
           s.stale, s.withheld, t.note_model AS model, t.note_prompt_version AS prompt_version,
           t.note_generated_at AS generated_at, j.error_code, j.error_message
    FROM study_topics t
    CROSS JOIN LATERAL (
        SELECT t.note IS NOT NULL AND t.note_sources IS DISTINCT FROM study_note_sources(t.id) AS stale,
               study_quotes_restricted(t.note_citations) AS withheld) AS s
    LEFT JOIN LATERAL (
        SELECT error_code, error_message FROM study_topic_jobs
        WHERE study_topic_id = t.id AND kind = 'note' ORDER BY id DESC LIMIT 1) AS j ON true
    WHERE t.deleted_at IS NULL;

-- How a quiz' analysis stands, likewise.
CREATE VIEW study_analyses AS
    SELECT z.id AS study_quiz_id, z.user_id, z.status AS quiz_status,
           CASE WHEN z.analysis_status = 'ready' AND s.stale THEN 'stale' ELSE z.analysis_status END AS status,
           CASE WHEN NOT s.withheld THEN z.analysis END AS text,
           CASE WHEN NOT s.withheld THEN z.analysis_citations END AS citations,
           s.stale, s.withheld, z.analysis_model AS model, z.analysis_prompt_version AS prompt_version,
           z.analysis_generated_at AS generated_at, j.error_code, j.error_message
    FROM study_quizzes z
    CROSS JOIN LATERAL (
        SELECT z.analysis IS NOT NULL AND z.analysis_sources IS DISTINCT FROM study_analysis_sources(z.id) AS stale,
               study_quotes_restricted(z.analysis_citations) AS withheld) AS s
    LEFT JOIN LATERAL (
        SELECT error_code, error_message FROM study_quiz_jobs
        WHERE study_quiz_id = z.id AND kind = 'analysis' ORDER BY id DESC LIMIT 1) AS j ON true;

-- Enqueues a topic's note, in the caller's transaction: true when that is new, false when one was active, or there is no
-- such topic. One that waits becomes as urgent as the new wish, and is tried now where a person wishes it.
CREATE FUNCTION study_enqueue_note(topic bigint, how_urgent integer DEFAULT 100, with_payload jsonb DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO study_topic_jobs (study_topic_id, user_id, kind, urgency, payload)
    SELECT id, user_id, 'note', how_urgent, with_payload FROM study_topics WHERE id = topic AND deleted_at IS NULL
    ON CONFLICT (study_topic_id, kind) WHERE status IN ('pending', 'processing') DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE study_topic_jobs
    SET urgency = how_urgent, run_at = CASE WHEN how_urgent > 0 THEN run_at END
    WHERE study_topic_id = topic AND kind = 'note' AND status = 'pending' AND urgency >= how_urgent;
    IF FOUND THEN
        PERFORM pg_notify('seodang_study_topic_jobs', '');
    END IF;
    RETURN false;
END $$;

-- The same for a quiz' analysis.
CREATE FUNCTION study_enqueue_analysis(quiz bigint, how_urgent integer DEFAULT 100, with_payload jsonb DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO study_quiz_jobs (study_quiz_id, user_id, kind, urgency, payload)
    SELECT id, user_id, 'analysis', how_urgent, with_payload FROM study_quizzes WHERE id = quiz
    ON CONFLICT (study_quiz_id, kind) WHERE status IN ('pending', 'processing') DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE study_quiz_jobs
    SET urgency = how_urgent, run_at = CASE WHEN how_urgent > 0 THEN run_at END
    WHERE study_quiz_id = quiz AND kind = 'analysis' AND status = 'pending' AND urgency >= how_urgent;
    IF FOUND THEN
        PERFORM pg_notify('seodang_study_quiz_jobs', '');
    END IF;
    RETURN false;
END $$;

-- Whoever enqueues, what is to be made says so; and however a job ends without a text, also by the death of its worker,
-- nobody is left waiting for it.
CREATE FUNCTION study_note_job_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE study_topics SET note_status = NEW.status
    WHERE id = NEW.study_topic_id AND (TG_OP = 'INSERT' OR note_status = 'pending');
    RETURN NULL;
END $$;
CREATE TRIGGER study_topic_jobs_made AFTER INSERT ON study_topic_jobs
    FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION study_note_job_changed();
CREATE TRIGGER study_topic_jobs_ended AFTER UPDATE OF status ON study_topic_jobs
    FOR EACH ROW WHEN (NEW.status IN ('failed', 'skipped') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION study_note_job_changed();
CREATE FUNCTION study_analysis_job_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE study_quizzes SET analysis_status = NEW.status
    WHERE id = NEW.study_quiz_id AND (TG_OP = 'INSERT' OR analysis_status = 'pending');
    RETURN NULL;
END $$;
CREATE TRIGGER study_quiz_jobs_made AFTER INSERT ON study_quiz_jobs
    FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION study_analysis_job_changed();
CREATE TRIGGER study_quiz_jobs_ended AFTER UPDATE OF status ON study_quiz_jobs
    FOR EACH ROW WHEN (NEW.status IN ('failed', 'skipped') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION study_analysis_job_changed();
