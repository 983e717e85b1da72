-- Why: what the earlier attempts of an ask took is counted with it, and not only the last.
-- Locks: none that matter, one function is replaced. Takes: milliseconds.

-- The figures of a finished ask. Findings and hits are told without their texts; a trace without a list of calls tells
-- the one call that there was by itself. What earlier attempts took is added: `earlier` has their sums.
CREATE OR REPLACE FUNCTION ask_event_of(a asks) RETURNS ask_events LANGUAGE plpgsql STABLE AS $$
DECLARE
    e ask_events;
    b jsonb;
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
    IF e.calls = 0 AND t ? 'model_ms' AND NOT e.cached AND NOT t ? 'earlier' THEN
        e.calls := 1;
        e.gate_wait_ms := coalesce(trace_number(t -> 'gate_wait_ms'), 0);
        e.model_ms := coalesce(trace_number(t -> 'model_ms'), 0);
        e.tokens_in := coalesce(trace_number(t -> 'tokens_in'), 0);
        e.tokens_out := coalesce(trace_number(t -> 'tokens_out'), 0);
        e.prompt_versions := coalesce(ARRAY[a.prompt_version], '{}');
    END IF;
    IF jsonb_typeof(t -> 'earlier') = 'object' THEN
        b := t -> 'earlier';
        e.calls := e.calls + coalesce(trace_number(b -> 'calls'), 0);
        e.calls_failed := e.calls_failed + coalesce(trace_number(b -> 'calls_failed'), 0);
        e.gate_wait_ms := e.gate_wait_ms + coalesce(trace_number(b -> 'gate_wait_ms'), 0);
        e.model_ms := e.model_ms + coalesce(trace_number(b -> 'model_ms'), 0);
        e.tokens_in := e.tokens_in + coalesce(trace_number(b -> 'tokens_in'), 0);
        e.tokens_out := e.tokens_out + coalesce(trace_number(b -> 'tokens_out'), 0);
        e.prompt_versions := ARRAY(
            SELECT DISTINCT version
            FROM unnest(e.prompt_versions || ARRAY(
                SELECT trace_word(v) FROM jsonb_array_elements(trace_list(b -> 'prompt_versions')) AS v)) AS version
            WHERE version IS NOT NULL
            ORDER BY version);
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
