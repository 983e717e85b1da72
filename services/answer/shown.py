"""How evidence is shown to a model: as quoted material that cannot end its own quotation marks, as much as fits.

In: numbered evidence. Out: the text between <evidence> and </evidence>, and the request that carries it. What does not
fit into the model's context is left out from the end: the best comes first.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from services.answer.evidence import Evidence
from services.model.budget import first_within, room_tokens
from services.model.endpoint import Endpoint
from services.model.request import ChatRequest
from services.text.language import ReplyLanguage

LANGUAGES: Mapping[ReplyLanguage, str] = MappingProxyType({"ko": "Korean", "en": "English"})


def fitting(
    endpoint: Endpoint | None, evidence: Sequence[Evidence], filled: Callable[[Sequence[Evidence]], ChatRequest]
) -> ChatRequest:
    """Fill a request with as much of the evidence as the model's context takes.

    Args:
        endpoint: whose context counts; None: no limit is known.
        filled: makes the request of some of the evidence.
    """
    room = room_tokens(endpoint, filled(())) if endpoint is not None else None
    return filled(within(evidence, room))


def within(evidence: Sequence[Evidence], room: int | None) -> list[Evidence]:
    """Keep the best passages that fit into `room` tokens, and always the first; None is all the room there is."""
    return list(first_within({each: written_out([each]) for each in evidence}, room))


def written_out(evidence: Sequence[Evidence]) -> str:
    """Write the passages as the prompts show them; no text can end its own quotation marks."""
    return "\n".join(
        f'<evidence n="{each.n}" title="{_attribute(each.title)}" page="{each.page}">\n{quoted(each.text)}\n</evidence>'
        for each in evidence
    )


def quoted(text: str) -> str:
    """Write a text so that it cannot open or close the marks that our prompts put around what is quoted."""
    for mark in ("evidence", "claim", "question"):
        text = text.replace(f"</{mark}", f"< /{mark}").replace(f"<{mark}", f"< {mark}")
    return text


def _attribute(title: str) -> str:
    return quoted(title).replace('"', "”").replace("\n", " ")
