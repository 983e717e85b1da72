-- Why: one row of figures per ask, whatever ended it, and the views that count them. No text of a question or an answer.
-- Locks: asks against writers, for the moment of a change in the catalogue. Takes: milliseconds.

-- What can be counted of an ask. `ask_id` has no foreign key: figures may be kept longer than the ask itself.
CREATE TABLE ask_events (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ask_id                 bigint NOT NULL CONSTRAINT ask_events_once UNIQUE,
    user_id                bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    mode                   text NOT NULL,
    priority               text NOT NULL,
    status                 text NOT NULL,
    error_code             text,
    completeness           text,
    refused                boolean,
    refuse_reason          text,
    confidence             text,
    verdict                text,
    coverage               double precision,
    re_gate                text,
    answerability          text,
    partial_basis          text,
    suggested_query_count  integer,
    missing_count          integer,
    model                  text,
    prompt_version         text,
    prompt_versions        text[] NOT NULL DEFAULT '{}',
    cached                 boolean NOT NULL DEFAULT false,
    cached_from            bigint,
    attempts               smallint NOT NULL DEFAULT 0,
    crashes                smallint NOT NULL DEFAULT 0,
    calls                  integer NOT NULL DEFAULT 0,
    calls_failed           integer NOT NULL DEFAULT 0,
    gate_wait_ms           double precision NOT NULL DEFAULT 0,
    model_ms               double precision NOT NULL DEFAULT 0,
    tokens_in              bigint NOT NULL DEFAULT 0,
    tokens_out             bigint NOT NULL DEFAULT 0,
    step_ms                jsonb NOT NULL DEFAULT '{}',
    findings               jsonb NOT NULL DEFAULT '[]',
    hits                   jsonb NOT NULL DEFAULT '[]',
    queue_ms               double precision,
    took_ms                double precision,
    created_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ask_events_full_is_not_refused CHECK (NOT (completeness = 'full' AND refused))
);
CREATE INDEX ask_events_by_time ON ask_events (created_at);
CREATE INDEX ask_events_partial ON ask_events (partial_basis, created_at) WHERE partial_basis IS NOT NULL;
CREATE INDEX ask_events_user ON ask_events (user_id);

-- A trace is what its writer made it: a value of another kind than expected is no value.
CREATE FUNCTION trace_number(given jsonb) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN CASE jsonb_typeof(given) WHEN 'number' THEN given::double precision END;
CREATE FUNCTION trace_word(given jsonb) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE jsonb_typeof(given) WHEN 'string' THEN left(given #>> '{}', 120) END;
CREATE FUNCTION trace_list(given jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN CASE jsonb_typeof(given) WHEN 'array' THEN given ELSE '[]' END;

-- The figures of a finished ask. Findings and hits are told without their texts; a trace without a list of calls tells
-- the one call that there was by itself.
CREATE FUNCTION ask_event_of(a asks) RETURNS ask_events LANGUAGE plpgsql STABLE AS $$
DECLARE
    e ask_events;
    t jsonb := CASE jsonb_typeof(a.trace) WHEN 'object' THEN a.trace ELSE '{}' END;
BEGIN
    e.ask_id := a.id; e.user_id := a.user_id; e.mode := a.mode; e.priority := a.priority;
    e.status := a.status; e.error_code := a.error_code;
    e.completeness := a.completeness; e.refused := a.refused; e.refuse_reason := a.refuse_reason;
    e.confidence := a.confidence; e.model := a.model; e.prompt_version := a.prompt_version;
    e.attempts := a.attempts; e.crashes := a.crashes;
    e.verdict := trace_word(t -> 'verdict');
    e.coverage := trace_number(t -> 'coverage');
    e.re_gate := trace_word(t -> 're_gate');
    e.answerability := coalesce(trace_word(t -> 'answerability'), e.verdict);
    e.partial_basis := CASE a.completeness WHEN 'partial'
                       THEN coalesce(trace_word(t -> 'partial_basis'), e.re_gate, e.verdict, 'unknown') END;
    e.suggested_query_count := coalesce(trace_number(t -> 'suggested_query_count'),
                                        nullif(jsonb_array_length(trace_list(t -> 'queries')), 0));
    e.missing_count := jsonb_array_length(trace_list(t -> 'missing'));
    e.cached := t -> 'cached' IS NOT DISTINCT FROM 'true';
    e.cached_from := trace_number(t -> 'cached_from');
    SELECT count(*), count(*) FILTER (WHERE c ->> 'error' IS NOT NULL),
           coalesce(sum(trace_number(c -> 'gate_wait_ms')), 0), coalesce(sum(trace_number(c -> 'took_ms')), 0),
           coalesce(sum(trace_number(c -> 'tokens_in')), 0), coalesce(sum(trace_number(c -> 'tokens_out')), 0),
           coalesce(array_agg(DISTINCT trace_word(c -> 'prompt_version'))
                    FILTER (WHERE trace_word(c -> 'prompt_version') IS NOT NULL), '{}')
    INTO e.calls, e.calls_failed, e.gate_wait_ms, e.model_ms, e.tokens_in, e.tokens_out, e.prompt_versions
    FROM jsonb_array_elements(trace_list(t -> 'calls')) AS c;
    IF e.calls = 0 AND t ? 'model_ms' AND NOT e.cached THEN
        e.calls := 1;
        e.gate_wait_ms := coalesce(trace_number(t -> 'gate_wait_ms'), 0);
        e.model_ms := coalesce(trace_number(t -> 'model_ms'), 0);
        e.tokens_in := coalesce(trace_number(t -> 'tokens_in'), 0);
        e.tokens_out := coalesce(trace_number(t -> 'tokens_out'), 0);
        e.prompt_versions := coalesce(ARRAY[a.prompt_version], '{}');
    END IF;
    e.step_ms := coalesce((SELECT jsonb_object_agg(step, ms)
                           FROM jsonb_each(CASE jsonb_typeof(t -> 'ms') WHEN 'object' THEN t -> 'ms' ELSE '{}' END)
                                AS taken(step, ms)
                           WHERE jsonb_typeof(ms) = 'number'), '{}');
    e.findings := coalesce((SELECT jsonb_agg(jsonb_build_object(
                                       'code', coalesce(trace_word(f -> 'code'), trace_word(f -> 'kind')),
                                       'strength', coalesce(trace_word(f -> 'strength'), trace_word(f -> 'weight'))))
                            FROM jsonb_array_elements(trace_list(t -> 'findings') || trace_list(t -> 'objections'))
                                 AS f), '[]');
    e.hits := coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                                   'rank', place, 'chunk_id', trace_number(h -> 'chunk_id'),
                                   'score', trace_number(h -> 'score'), 'legs', h -> 'legs', 'ranks', h -> 'ranks'))
                               ORDER BY place)
                        FROM jsonb_array_elements(trace_list(t -> 'hits')) WITH ORDINALITY AS found(h, place)), '[]');
    e.queue_ms := extract(epoch FROM a.started_at - a.created_at) * 1000;
    e.took_ms := extract(epoch FROM a.completed_at - a.created_at) * 1000;
    e.created_at := a.completed_at;
    RETURN e;
END $$;

-- Writes the figures in the transaction that ends the ask, whoever ends it: the daemon that answered, the one that gives
-- up a row whose workers died, or a client's UPDATE. It runs at the commit, when the answer has been written too. Figures
-- never keep an answer from being stored: of a trace that cannot be read only the ending counts.
CREATE FUNCTION asks_note_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ended asks;
    e ask_events;
BEGIN
    SELECT * INTO ended FROM asks WHERE id = NEW.id;
    IF ended.id IS NULL OR ended.completed_at IS NULL THEN
        RETURN NULL;
    END IF;
    BEGIN
        e := ask_event_of(ended);
    EXCEPTION WHEN data_exception THEN
        ended.trace := NULL;
        e := ask_event_of(ended);
    END;
    INSERT INTO ask_events (
        ask_id, user_id, mode, priority, status, error_code, completeness, refused, refuse_reason, confidence, verdict,
        coverage, re_gate, answerability, partial_basis, suggested_query_count, missing_count, model, prompt_version,
        prompt_versions, cached, cached_from, attempts, crashes, calls, calls_failed, gate_wait_ms, model_ms, tokens_in,
        tokens_out, step_ms, findings, hits, queue_ms, took_ms, created_at)
    VALUES (
        e.ask_id, e.user_id, e.mode, e.priority, e.status, e.error_code, e.completeness, e.refused, e.refuse_reason,
        e.confidence, e.verdict, e.coverage, e.re_gate, e.answerability, e.partial_basis, e.suggested_query_count,
        e.missing_count, e.model, e.prompt_version, e.prompt_versions, e.cached, e.cached_from, e.attempts, e.crashes,
        e.calls, e.calls_failed, e.gate_wait_ms, e.model_ms, e.tokens_in, e.tokens_out, e.step_ms, e.findings, e.hits,
        e.queue_ms, e.took_ms, e.created_at)
    ON CONFLICT (ask_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER asks_counted AFTER UPDATE OF status ON asks
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.status IN ('completed', 'failed', 'skipped') AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION asks_note_event();

-- Why questions were not answered; `share` is that of all asks that ended with a result.
CREATE VIEW ask_refusals AS
    SELECT refuse_reason, count(*) AS count,
           (count(*)::double precision
            / (SELECT count(*) FROM ask_events WHERE status = 'completed'))::double precision AS share,
           max(created_at) AS last_at
    FROM ask_events
    WHERE refused AND status = 'completed'
    GROUP BY refuse_reason;

-- How complete the answers of each prompt version are; `share` is that within model and version. What was served from
-- the cache was counted when it was written.
CREATE VIEW ask_completeness AS
    SELECT model, prompt_version, completeness, count(*) AS count,
           count(*)::double precision / sum(count(*)) OVER (PARTITION BY model, prompt_version)::double precision AS share
    FROM ask_events
    WHERE completeness IS NOT NULL AND NOT cached
    GROUP BY model, prompt_version, completeness;

-- How long each step takes, in milliseconds. `(gate)`, `(model)` and `(all)` are the waiting for the model, the model's
-- own time, and the time from the question to its end, the waiting in the queue included.
CREATE VIEW ask_step_times AS
    SELECT step, count(*) AS count,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50_ms,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95_ms,
           max(ms) AS most_ms
    FROM (SELECT taken.key AS step, trace_number(taken.value) AS ms FROM ask_events, jsonb_each(step_ms) AS taken
          UNION ALL SELECT '(gate)', gate_wait_ms FROM ask_events WHERE calls > 0
          UNION ALL SELECT '(model)', model_ms FROM ask_events WHERE calls > 0
          UNION ALL SELECT '(all)', took_ms FROM ask_events WHERE status = 'completed') AS times
    GROUP BY step;

-- What was judged of the evidence before an answer was written, on what an answer is partial, and in how many other
-- wordings the question was searched.
CREATE VIEW analyze_events AS
    SELECT id, ask_id, user_id, answerability, partial_basis, suggested_query_count, created_at
    FROM ask_events
    WHERE answerability IS NOT NULL;
