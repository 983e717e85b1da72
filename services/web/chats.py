"""The history of the chat, and whether it can be used now.

In: the number of a chat. Out: what was said in it, with the evidence cards of each reply; or how both modes are served,
so that waiting can be told from broken (H09). Refuses numbers of chats that are not the user's.
"""

from dataclasses import asdict
from typing import Annotated

import anyio
from fastapi import Query, Response

from db.chat_rows import ChatMessageRow, ChatRow
from services.model.endpoint import Role
from services.web.chat_wire import ChatOut, ChatsOut, ChatStatusOut, MessageOut, ServedOut, WholeChatOut
from services.web.context import OWNER, WebPort
from services.web.deep import Standing, standing_of
from services.web.errors import not_found
from services.web.wire import DocumentNumber, WaitersOut

MOST = 100


async def list_chats(
    web: WebPort,
    before: Annotated[DocumentNumber | None, Query(description="The number of the last chat that was seen.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> ChatsOut:
    """List the chats, the one with the last word first."""
    rows = await web.db.many(ChatRow, "list_chats", user_id=OWNER, before=before, most=limit)
    following = rows[-1].id if len(rows) == limit else None
    return ChatsOut(chats=[ChatOut(**asdict(row)) for row in rows], next=following)


async def read_chat(chat_id: DocumentNumber, web: WebPort) -> WholeChatOut:
    """Give a chat with all that was said in it."""
    row = await web.db.one(ChatRow, "chat_row", id=chat_id, user_id=OWNER)
    if row is None:
        raise not_found(f"chat {chat_id}")
    said = await web.db.many(ChatMessageRow, "chat_messages_of", chat_id=chat_id)
    return WholeChatOut(**asdict(row), said=[MessageOut(**asdict(each)) for each in said])


async def delete_chat(chat_id: DocumentNumber, web: WebPort) -> Response:
    """Delete a chat with everything that was said in it; what is being answered is called off."""
    named = {"id": chat_id, "user_id": OWNER}
    async with web.db.session() as session, session.transaction():
        await session.none("cancel_chat", **named)
        await session.none("delete_chat_asks", **named)
        if await session.value("delete_chat", **named) is None:
            raise not_found(f"chat {chat_id}")
    return Response(status_code=204)


async def chat_status(web: WebPort) -> ChatStatusOut:
    """Say how both modes are served, by requests that generate nothing."""
    served: dict[Role, ServedOut] = {}

    async def look(role: Role) -> None:
        served[role] = _served(await standing_of(role, web))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look, Role.PRIMARY)
        tasks.start_soon(look, Role.DEEP)
    daily = served[Role.PRIMARY]
    if daily.state == "unset":
        daily = ServedOut(state="builtin")
    return ChatStatusOut(daily=daily, deep=served[Role.DEEP])


def _served(standing: Standing) -> ServedOut:
    if standing.endpoint is None:
        return ServedOut(state=standing.state)
    count = standing.count
    waiters = count and WaitersOut(foreground=count.foreground, study=count.study, background=count.background)
    return ServedOut(
        state=standing.state,
        model=standing.endpoint.model,
        endpoint=standing.endpoint.name,
        inflight=count.inflight if count else 0,
        waiters=waiters or WaitersOut(),
    )
