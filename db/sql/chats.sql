-- name: insert_ask_in_mode(question, user_id, mode, filters) -> value
-- Puts a question for a person who listens for the answer, to be answered in a mode of its own.
INSERT INTO asks (question, user_id, priority, mode, filters, attended)
VALUES ($1, $2, 'foreground', $3, $4, true)
RETURNING id;

-- name: insert_chat(user_id, title) -> value
INSERT INTO chats (user_id, title) VALUES ($1, $2) RETURNING id;

-- name: touch_chat(id, user_id) -> value
-- Notes that a chat goes on; NULL where the user has no such chat.
UPDATE chats SET updated_at = now() WHERE id = $1 AND user_id = $2 RETURNING id;

-- name: insert_chat_message(chat_id, user_id, ask_id, mode, content) -> value
-- Keeps what a person said; the reply comes with the end of the ask (asks_keep_chat_reply).
INSERT INTO chat_messages (chat_id, user_id, ask_id, role, mode, content)
VALUES ($1, $2, $3, 'user', $4, $5)
RETURNING id;

-- name: chat_turn(ask_id) -> one
-- Finds the message that an ask is to answer; an ask that was tried again answers that of the first.
SELECT m.id AS message_id, m.chat_id, m.mode
FROM asks a
JOIN chat_messages m ON m.ask_id = chat_ask_of(a.id, a.payload) AND m.role = 'user'
WHERE a.id = $1;

-- name: chat_history(chat_id, before, most) -> many
-- Gives the last messages before one, newest first, with their replies; what got no reply is left out, since many
-- models take only talk in which both sides take turns.
SELECT said.content AS message, reply.content AS reply
FROM chat_messages said
JOIN chat_messages reply ON reply.ask_id = said.ask_id AND reply.role = 'assistant'
WHERE said.chat_id = $1 AND said.role = 'user' AND said.id < $2
ORDER BY said.id DESC
LIMIT $3;

-- name: list_chats(user_id, before, most) -> many
-- Lists a user's chats, the one with the last word first; `before` is the id of the last one seen, NULL from the start.
SELECT c.id, c.title, c.created_at, c.updated_at,
       (SELECT count(*) FROM chat_messages m WHERE m.chat_id = c.id)::integer AS messages
FROM chats c
WHERE c.user_id = $1
  AND ($2::bigint IS NULL OR (c.updated_at, c.id) < (SELECT b.updated_at, b.id FROM chats b WHERE b.id = $2))
ORDER BY c.updated_at DESC, c.id DESC
LIMIT $3;

-- name: chat_row(id, user_id) -> one
-- Reads a chat of a user.
SELECT c.id, c.title, c.created_at, c.updated_at,
       (SELECT count(*) FROM chat_messages m WHERE m.chat_id = c.id)::integer AS messages
FROM chats c
WHERE c.id = $1 AND c.user_id = $2;

-- name: chat_messages_of(chat_id) -> many
-- Gives what was said in a chat, in order; `status` is that of the ask while a message has no reply: gone where the ask
-- has been cleared away.
SELECT m.id, m.ask_id, m.role, m.mode, m.content, m.sources, m.model, m.created_at,
       CASE WHEN m.role = 'assistant' OR reply.id IS NOT NULL THEN 'completed'
            ELSE coalesce(a.status, 'gone') END AS status,
       CASE WHEN m.role = 'user' AND reply.id IS NULL THEN a.error_code END AS error_code
FROM chat_messages m
LEFT JOIN chat_messages reply ON reply.ask_id = m.ask_id AND reply.role = 'assistant'
LEFT JOIN asks a ON a.id = m.ask_id
WHERE m.chat_id = $1
ORDER BY m.ask_id, m.id;

-- name: cancel_chat(id, user_id) -> none
-- Calls off what is still being answered in a chat that is to be deleted.
SELECT cancel_ask(a.id)
FROM chats c
JOIN chat_messages m ON m.chat_id = c.id AND m.role = 'user'
JOIN asks a ON a.id = m.ask_id
WHERE c.id = $1 AND c.user_id = $2 AND a.completed_at IS NULL;

-- name: delete_chat_asks(id, user_id) -> none
-- Removes the asks of a chat: what a person deletes is private. Before the chat itself: a daemon that ends an ask locks
-- them in this order, too. One that is still being called off is removed by its own end (asks_keep_chat_reply).
DELETE FROM asks
WHERE completed_at IS NOT NULL
  AND id IN (SELECT m.ask_id FROM chats c JOIN chat_messages m ON m.chat_id = c.id WHERE c.id = $1 AND c.user_id = $2);

-- name: delete_chat(id, user_id) -> value
-- Removes a chat with everything that was said in it; NULL where the user has no such chat.
DELETE FROM chats WHERE id = $1 AND user_id = $2 RETURNING id;
