"""Topics over HTTP, and the documents that their explanations are made of."""

from fastapi import Response

from db.errors import Conflict
from db.study_rows import DocumentToTie, ListedTopic, TopicRow
from services.kit.errors import RequestError
from services.web.context import OWNER, Web, WebPort
from services.web.errors import not_found
from services.web.study_wire import TiedOut, TopicIn, TopicOut, TopicPatch, TopicsOut
from services.web.urls import document_url, topic_url
from services.web.wire import DocumentNumber


def _shown(row: ListedTopic, documents: list[TiedOut] | None = None) -> TopicOut:
    return TopicOut(
        id=row.id,
        name=row.name,
        description=row.description,
        scheduler=row.scheduler,
        note_status=row.note_status,
        created_at=row.created_at,
        question_count=row.questions,
        document_count=row.documents,
        url=topic_url(row.id),
        documents=documents,
    )


def _taken(name: str | None) -> RequestError:
    return RequestError(409, "name_taken", f"There is a topic {name!r} already.", "Choose another name.")


async def list_topics(web: WebPort) -> TopicsOut:
    """List the topics by name."""
    rows = await web.db.many(ListedTopic, "list_study_topics", user_id=OWNER)
    return TopicsOut(topics=[_shown(row) for row in rows])


async def create_topic(said: TopicIn, web: WebPort) -> TopicOut:
    """Make a topic."""
    values = said.model_dump(exclude={"name"})  # a statement's own name is `name`
    row = await web.db.one(TopicRow, "insert_study_topic", user_id=OWNER, topic=said.name, **values)
    if row is None:
        raise _taken(said.name)
    return await read_topic(row.id, web)


async def read_topic(topic_id: DocumentNumber, web: WebPort) -> TopicOut:
    """Give a topic with its documents."""
    row = await living_topic(topic_id, web)
    documents = await web.db.many(DocumentToTie, "documents_of_topic", topic_id=row.id)
    return _shown(row, [TiedOut(id=each.id, title=each.title, url=document_url(each.id)) for each in documents])


async def living_topic(topic_id: int, web: Web) -> ListedTopic:
    """Give a topic that is not deleted.

    Raises:
        RequestError: there is none.
    """
    row = await web.db.one(ListedTopic, "study_topic_shown", user_id=OWNER, id=topic_id)
    if row is None:
        raise not_found(f"topic {topic_id}")
    return row


async def patch_topic(topic_id: DocumentNumber, said: TopicPatch, web: WebPort) -> TopicOut:
    """Change fields of a topic; one that is not given stays."""
    values = {"description": said.description, "scheduler": said.scheduler}
    try:
        number = await web.db.value("update_study_topic", user_id=OWNER, id=topic_id, topic=said.name, **values)
    except Conflict as error:
        raise _taken(said.name) from error
    if number is None:
        raise not_found(f"topic {topic_id}")
    return await read_topic(topic_id, web)


async def delete_topic(topic_id: DocumentNumber, web: WebPort) -> Response:
    """Take a topic and its questions out of everything; answers that were given stay."""
    if await web.db.value("delete_study_topic", user_id=OWNER, id=topic_id) is None:
        raise not_found(f"topic {topic_id}")
    return Response(status_code=204)


async def tie_document(topic_id: DocumentNumber, document_id: DocumentNumber, web: WebPort) -> TopicOut:
    """Tie a document to a topic; once it is, this changes nothing."""
    await living_topic(topic_id, web)
    values = {"user_id": OWNER, "ids": [document_id], "collections": []}
    if not await web.db.many(DocumentToTie, "documents_to_tie", **values):
        raise not_found(f"document {document_id}")
    await web.db.none("tie_documents", topic_id=topic_id, document_ids=[document_id])
    return await read_topic(topic_id, web)


async def untie_document(topic_id: DocumentNumber, document_id: DocumentNumber, web: WebPort) -> Response:
    """Untie a document from a topic; where it is not tied this changes nothing."""
    await living_topic(topic_id, web)
    await web.db.none("untie_documents", topic_id=topic_id, document_ids=[document_id])
    return Response(status_code=204)
