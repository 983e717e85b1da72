"""The knobs of what counts of a passage: how long a copied span is, and when a rule adds to a model's choice."""

from typing import Self

from pydantic import Field, model_validator

from services.kit.setting_part import Count, Part


class SpanSettings(Part):
    """What of each passage counts for an answer (behaviours P02)."""

    short_chars: Count = Field(80, description="A span that a model copied and that is shorter is widened.")
    widened_chars: Count = Field(120, description="To so much.")
    window_chars: Count = Field(200, description="What a rule chooses of a passage is that long.")
    most_chars: Count = Field(400, description="Of a span that a model copied no more is believed.")
    around_chars: int = Field(
        150, ge=0, description="Shown along on each side of a copied span, to the ends of sentences: what «it» means."
    )
    enough: Count = Field(
        3, description="Fewer spans than that, of at least so many passages, are sparse: a rule adds up to that many."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.short_chars <= self.widened_chars <= self.most_chars:
            raise ValueError("must rise or stay level: short_chars, widened_chars, most_chars")
        if self.window_chars > self.most_chars:
            raise ValueError("window_chars must not be over most_chars")
        return self
