"""The knobs of the answers in which a model searches by itself, and of the chat."""

from typing import Literal

from pydantic import Field

from services.kit.setting_part import Count, Part, Seconds


class ReactSettings(Part):
    """The loop in which the model of `models.deep` searches by itself (behaviours T03, T04)."""

    enabled: bool = Field(True, description="`false` switches `POST /api/search/ask/react` off; the chat is not meant.")
    max_tool_rounds: Count = Field(2, description="Replies of the model whose calls of tools are followed.")
    max_llm_calls: Count = Field(3, description="Calls of the model for one answer; the last one may call no tool.")
    search_exec_max: Count = Field(2, description="Searches for one answer; further ones are declined.")
    search_tool_limit: Count = Field(5, description="Passages that one search shows to the model.")
    search_tool_mode: Literal["hybrid", "lexical"] = Field(
        "hybrid", description="`hybrid` searches by all legs that there are, `lexical` by words alone."
    )
    probe_s: Seconds = Field(
        5.0, description="Before an answer, and for the status, a model server has so long to say that it is there."
    )


class ChatSettings(Part):
    """`POST /api/chat`."""

    history_turns: int = Field(
        6, ge=0, description="So many messages before, with their replies, go along to the model; 0: none (H07)."
    )
    max_chars: Count = Field(4000, description="No reply that rests on documents is longer.")
