-- name: set_day_zone(zone) -> none
-- Lets a day of this transaction end at midnight of a zone: a name, or an offset as POSIX writes it.
SELECT set_config('TimeZone', $1, true);

-- name: card_to_review(user_id, question_id) -> one
-- Holds a living question with its card until the transaction ends, from others that plan it (not from the foreign
-- keys of answers: two answers that hold those and each wanted this would wait for one another); `step`, `state` and the times are NULL, and
-- `has_card` is false, where it has none yet. `topic_scheduler` plans its next review.
SELECT q.id, t.scheduler AS topic_scheduler, c.created_at IS NOT NULL AS has_card, c.scheduler, c.state,
       coalesce(c.step, 0) AS step, c.due_at, c.graduated_at, coalesce(c.lapses, 0) AS lapses
FROM study_questions q
JOIN study_topics t ON t.id = q.study_topic_id
LEFT JOIN study_cards c ON c.user_id = q.user_id AND c.study_question_id = q.id
WHERE q.user_id = $1 AND q.id = $2 AND q.deleted_at IS NULL
FOR NO KEY UPDATE OF q;

-- name: save_review(user_id, question_id, rating, scheduler, state, step, due_at, graduated_at, lapses, due_before, now) -> none
-- Writes a review, and with it the card as it is planned now.
WITH reviewed AS (
    INSERT INTO study_reviews (user_id, study_question_id, rating, scheduler, due_before, due_after, reviewed_at)
    VALUES ($1, $2, $3, $4, $10, $7, $11)
)
INSERT INTO study_cards AS c (user_id, study_question_id, scheduler, state, step, due_at, graduated_at, lapses,
                              last_reviewed_at)
VALUES ($1, $2, $4, $5, $6, $7, $8, $9, $11)
ON CONFLICT (user_id, study_question_id) DO UPDATE
SET scheduler = excluded.scheduler, state = excluded.state, step = excluded.step, due_at = excluded.due_at,
    graduated_at = excluded.graduated_at, lapses = excluded.lapses, last_reviewed_at = excluded.last_reviewed_at;

-- name: count_review_tabs(user_id, topic_id) -> many
-- Counts what stands in each tab, of a topic or of all.
SELECT r.tab, count(*) AS questions
FROM study_review_tabs r
WHERE r.user_id = $1 AND ($2::bigint IS NULL OR r.study_topic_id = $2)
GROUP BY r.tab;

-- name: list_review_cards(user_id, topic_id, tab, most) -> many
-- Lists the questions of a tab by topic, those first that have been due for longest.
SELECT r.study_topic_id, t.name AS topic, t.scheduler, q.id, q.text,
       array_remove(ARRAY[q.choice_1, q.choice_2, q.choice_3, q.choice_4, q.choice_5], NULL) AS choices, r.state,
       r.due_at
FROM study_review_tabs r
JOIN study_questions q ON q.id = r.study_question_id
JOIN study_topics t ON t.id = r.study_topic_id
WHERE r.user_id = $1 AND ($2::bigint IS NULL OR r.study_topic_id = $2) AND r.tab = $3
ORDER BY lower(t.name), t.id, r.due_at NULLS LAST, q.id
LIMIT $4;
