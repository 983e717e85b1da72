"""The knobs of asking: what an answer may be made of, how it is checked, how long it is kept."""

from pydantic import Field

from services.kit.setting_part import Count, Part, Seconds


class AnswerSettings(Part):
    """From ranked chunks to an answer."""

    max_chars: Count = Field(600, description="No answer is longer.")
    evidence: Count = Field(5, description="Chunks that are looked at for one answer.")
    wait_s: Seconds = Field(120.0, description="How long `POST /api/search/ask` waits before it answers 202.")
    heartbeat_s: Seconds = Field(10.0, description="A comment line is sent on a silent event stream this often.")
