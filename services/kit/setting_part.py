"""What every branch of the settings is made of."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


def _known_zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"this machine knows no time zone {given!r}: write one such as Asia/Seoul, and where that is unknown, "
            "too, install the system's package tzdata"
        ) from error
    return given


ZoneName = Annotated[str, AfterValidator(_known_zone)]


class Part(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")
