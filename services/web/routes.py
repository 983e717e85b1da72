"""Every route of the HTTP process, on one screen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.web.again import ask_again
from services.web.analyze import WAITED, analyze_document
from services.web.asks import ask, ask_events, read_ask
from services.web.chat import chat
from services.web.chat_wire import ReplyOut
from services.web.chats import chat_status, delete_chat, list_chats, read_chat
from services.web.documents import list_documents, patch_document, read_document, retry_document
from services.web.files import read_file
from services.web.life import delete_document, restore_document
from services.web.outline import read_context, read_outline
from services.web.pages import first_page, icon, read_page, routes_page
from services.web.react import react
from services.web.search import search_chunks
from services.web.search_wire import SearchOut
from services.web.status import live, read_metrics, read_status, ready, status_events
from services.web.study import (
    create_topic,
    delete_topic,
    list_topics,
    patch_topic,
    read_topic,
    tie_document,
    untie_document,
)
from services.web.study_explanations import WAITED as EXPLAINED
from services.web.study_explanations import explain_question, read_explanation
from services.web.study_notes import PENDING, StudyTextOut, make_analysis, make_note, read_analysis, read_note
from services.web.study_questions import (
    create_question,
    delete_question,
    list_questions,
    patch_question,
    read_question,
)
from services.web.study_quizzes import answer_quiz, create_quiz, finish_quiz, list_quizzes, read_quiz
from services.web.study_review import rate_card, read_review
from services.web.study_wire import ExplanationOut
from services.web.upload import FORM, upload
from services.web.wire import AskAgainOut, AskOut, PageOut, TicketOut, WorkOut


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `reply` is the shape of a handler that writes its own response, for OpenAPI."""

    method: str
    path: str
    handler: Callable[..., Any]
    status: int = 200
    reply: Any = None
    more: dict[str, Any] = field(default_factory=dict)
    shown: bool = True


# fmt: off
ROUTES = (
    Route("POST",   "/api/search/ask",                       ask,              reply=AskOut),
    Route("POST",   "/api/search/ask/react",                 react,            reply=AskOut),
    Route("POST",   "/api/chat",                             chat,             reply=ReplyOut),
    Route("GET",    "/api/chat/status",                      chat_status),
    Route("GET",    "/api/chats",                            list_chats),
    Route("GET",    "/api/chats/{chat_id}",                  read_chat),
    Route("DELETE", "/api/chats/{chat_id}",                  delete_chat, 204),
    Route("GET",    "/api/asks/{ask_id}",                    read_ask),
    Route("GET",    "/api/asks/{ask_id}/events",             ask_events),
    Route("POST",   "/api/asks/{ask_id}/again",              ask_again, 202,   reply=AskAgainOut),
    Route("GET",    "/api/search",                           search_chunks, reply=SearchOut),
    Route("POST",   "/api/documents",                        upload, 202,      reply=TicketOut, more=FORM),
    Route("GET",    "/api/documents",                        list_documents),
    Route("GET",    "/api/documents/{document_id}",          read_document),
    Route("PATCH",  "/api/documents/{document_id}",          patch_document),
    Route("DELETE", "/api/documents/{document_id}",          delete_document, 204),
    Route("POST",   "/api/documents/{document_id}/restore",  restore_document, 202),
    Route("GET",    "/api/documents/{document_id}/file",     read_file),
    Route("GET",    "/api/documents/{document_id}/pages/{number}", read_page,  reply=PageOut),
    Route("GET",    "/api/documents/{document_id}/outline",  read_outline),
    Route("GET",    "/api/chunks/{chunk_id}/context",        read_context),
    Route("POST",   "/api/documents/{document_id}/analyze",  analyze_document, 202, reply=WorkOut, more=WAITED),
    Route("POST",   "/api/documents/{document_id}/retry",    retry_document,   202),
    Route("GET",    "/api/study/topics",                     list_topics),
    Route("POST",   "/api/study/topics",                     create_topic,     201),
    Route("GET",    "/api/study/topics/{topic_id}",          read_topic),
    Route("PATCH",  "/api/study/topics/{topic_id}",          patch_topic),
    Route("DELETE", "/api/study/topics/{topic_id}",          delete_topic,     204),
    Route("PUT",    "/api/study/topics/{topic_id}/documents/{document_id}", tie_document),
    Route("DELETE", "/api/study/topics/{topic_id}/documents/{document_id}", untie_document, 204),
    Route("GET",    "/api/study/questions",                  list_questions),
    Route("POST",   "/api/study/questions",                  create_question,  201),
    Route("GET",    "/api/study/questions/{question_id}",    read_question),
    Route("PATCH",  "/api/study/questions/{question_id}",    patch_question),
    Route("DELETE", "/api/study/questions/{question_id}",    delete_question,  204),
    Route("GET",    "/api/study/questions/{question_id}/explanation", read_explanation, reply=ExplanationOut,
          more=EXPLAINED),
    Route("POST",   "/api/study/questions/{question_id}/explanation", explain_question, reply=ExplanationOut,
          more=EXPLAINED),
    Route("GET",    "/api/study/quizzes",                    list_quizzes),
    Route("POST",   "/api/study/quizzes",                    create_quiz,      201),
    Route("GET",    "/api/study/quizzes/{quiz_id}",          read_quiz),
    Route("POST",   "/api/study/quizzes/{quiz_id}/answers",  answer_quiz),
    Route("POST",   "/api/study/quizzes/{quiz_id}/finish",   finish_quiz),
    Route("GET",    "/api/study/review",                     read_review),
    Route("POST",   "/api/study/review/{question_id}",       rate_card),
    Route("GET",    "/api/study/topics/{topic_id}/note",     read_note,        reply=StudyTextOut, more=PENDING),
    Route("POST",   "/api/study/topics/{topic_id}/note",     make_note,        reply=StudyTextOut, more=PENDING),
    Route("GET",    "/api/study/quizzes/{quiz_id}/analysis", read_analysis,    reply=StudyTextOut, more=PENDING),
    Route("POST",   "/api/study/quizzes/{quiz_id}/analysis", make_analysis,    reply=StudyTextOut, more=PENDING),
    Route("GET",    "/api/status",                           read_status),
    Route("GET",    "/api/status/events",                    status_events),
    Route("GET",    "/health/live",                          live),
    Route("GET",    "/health/ready",                         ready),
    Route("GET",    "/metrics",                              read_metrics),
    Route("GET",    "/docs",                                 routes_page,      shown=False),
    Route("GET",    "/favicon.ico",                          icon,             shown=False),
    Route("GET",    "/",                                     first_page,       shown=False),
)
# fmt: on
