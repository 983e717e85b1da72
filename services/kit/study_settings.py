"""The knobs of the question bank."""

from pydantic import Field

from services.kit.setting_part import Count, Part, Seconds


class StudySettings(Part):
    """From a question to its explanation."""

    explain_limit_s: Seconds = Field(30.0, description="Limit of one explanation, counted inside the gate (S11).")
    rerank_limit_s: Seconds = Field(
        5.0, description="Limit of one request that orders the evidence; over it the words' order stands (S25)."
    )
    note_chars: int = Field(2400, ge=400, le=3000, description="No note of a topic is longer, citations included.")
    note_documents: Count = Field(12, description="Documents that one note, or one analysis, is made of at the most.")
    note_passages: Count = Field(3, description="Passages of each document that it is made of.")
    analysis_chars: int = Field(1200, ge=400, le=3000, description="No analysis of a quiz is longer.")
