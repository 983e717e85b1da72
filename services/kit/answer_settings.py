"""The knobs of asking: what an answer may be made of, how it is checked, how long it is kept."""

from pydantic import Field

from services.kit.chat_settings import ChatSettings, ReactSettings
from services.kit.setting_part import Count, Part, Seconds
from services.kit.span_settings import SpanSettings


class AnswerSettings(Part):
    """From ranked chunks to an answer."""

    max_chars: Count = Field(600, description="No answer is longer.")
    evidence: Count = Field(5, description="Chunks that are looked at for one answer.")
    wait_s: Seconds = Field(120.0, description="How long `POST /api/search/ask` waits before it answers 202.")
    heartbeat_s: Seconds = Field(10.0, description="A comment line is sent on a silent event stream this often.")
    leave_s: Seconds = Field(
        2.0, description="A client that left may come back for so long before its question is cancelled."
    )
    judge: bool = Field(
        True, description="A model says whether the evidence is sufficient, and which words of it count."
    )
    judge_limit_s: Seconds = Field(30.0, description="Limit of that call (role CLASSIFIER); over it the rules judge.")
    evidence_limit_s: Seconds = Field(
        30.0, description="Limit of the call that copies spans, where the role EVIDENCE is not served as CLASSIFIER is."
    )
    verify: bool = Field(True, description="A model looks for contradictions between an answer and what it cites.")
    verifier_limit_s: Seconds = Field(
        3.0, description="Limit of that call (role VERIFIER); over it there is no objection, and less confidence."
    )
    verifier_numeric_promote: bool = Field(
        False, description="A critical conflict of numbers that the verifier sees counts as strong, not as middling."
    )
    verifier_skip_strong: Count = Field(
        2, description="From so many strong findings on the answer is refused anyway, and the verifier not asked (P04)."
    )
    verifier_relevance_share: float = Field(
        0.2, ge=0, le=1, description="Nor is it asked where the best passage is of a lower relevance (P04)."
    )
    cache: bool = Field(True, description="What a model answered is served again while nothing of it has changed.")
    cache_ttl_s: Seconds = Field(3600.0, description="For so long (an hour, A11).")
    cache_rows: Count = Field(300, description="Answers that are kept so, of all users together; the oldest go (P03).")
    events_keep_days: int = Field(
        365, ge=0, description="Figures of asks (`ask_events`, no texts) are kept for so long; 0 keeps them for ever."
    )
    keep_days: int = Field(
        0, ge=0, description="Finished questions, with their answers, are removed after so many days; 0 keeps them."
    )
    spans: SpanSettings = SpanSettings()
    react: ReactSettings = ReactSettings()
    chat: ChatSettings = ChatSettings()
