"""What may be searched: one value that every leg gets, and puts inside its own top-k.

In: the words of a request or of an ask's row. Out: a frozen value, and the arguments of the SQL function `fits`, by
which every statement of a leg asks `fits(d, $user_id, $material_types, …)`. Refuses unknown names and values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.formats.sniff import Family
from services.kit.errors import RequestError

NAMES = ("material_type", "jurisdiction", "year", "collection", "kind", "quotable")
MAX_VALUES = 100
"""Values of one filter; nobody chooses among more by hand."""
MAX_VALUE_CHARS = 200
"""As long as a label may be that a document is given (services/web/wire.py)."""

KINDS: Mapping[str, tuple[str, ...]] = {
    "pdf": (Family.PDF,),
    "word": (Family.DOCX, Family.ODT),
    "hwp": (Family.HWP, Family.HWPX),
    "sheet": (Family.XLSX, Family.XLSB, Family.XLS, Family.ODS),
    "slides": (Family.PPTX, Family.ODP),
    "web": (Family.HTML,),
    "text": (Family.TEXT, Family.MARKDOWN),
    "ebook": (Family.EPUB,),
    "mail": (Family.MAIL,),
    "picture": ("image/%",),
}
"""Kinds of file as a person names them, by patterns of media types."""
DIGEST = "digest"
"""Kind of the documents that services/document/digest.py makes: found, but told by nobody who was there."""


@dataclass(frozen=True, slots=True)
class Filters:
    """An empty tuple, None and False mean: not filtered by this.

    Attributes:
        user_id: whose documents; never left out.
        year: of the publication, where that is not known of the coming in.
        kinds: words of KINDS.
        without_types: material types that are left out; what has none stays.
        quotable: leaves out restricted material.
    """

    user_id: int = 1
    material_types: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    year: int | None = None
    collections: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    without_types: tuple[str, ...] = ()
    quotable: bool = False

    def values(self) -> dict[str, object]:
        """Give the arguments that every leg's statement takes; NULL switches a clause off."""
        return {
            "user_id": self.user_id,
            "material_types": list(self.material_types) or None,
            "without_types": list(self.without_types) or None,
            "jurisdictions": list(self.jurisdictions) or None,
            "year": self.year,
            "collections": list(self.collections) or None,
            "media_types": [str(media) for kind in self.kinds for media in KINDS[kind]] or None,
            "quotable": self.quotable or None,
        }

    def for_evidence(self) -> "Filters":
        """Give the same filters for what a model may be shown: nothing restricted (R06, R07), no digest.

        A digest stays where digests are what was asked for; an answer does not quote it all the same.
        """
        without = () if DIGEST in self.material_types else (DIGEST,)
        return replace(self, quotable=True, without_types=(*self.without_types, *without))


def parse_filters(given: Mapping[str, Any], user_id: int) -> Filters:
    """Read the filters of a request or of an ask's row.

    Args:
        given: `material_type`, `jurisdiction`, `collection`, `kind` (a string or a list of strings), `year` (a
            number), `quotable` (true or false).
    Raises:
        RequestError: an unknown name or a value of the wrong kind.
    """
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        raise _bad(f"Unknown filter: {', '.join(unknown)[:MAX_VALUE_CHARS]}.", "unknown_filter")
    return Filters(
        user_id=user_id,
        material_types=_strings(given, "material_type"),
        jurisdictions=_strings(given, "jurisdiction"),
        year=_year(given.get("year")),
        collections=_strings(given, "collection"),
        kinds=_kinds(given),
        quotable=_flag(given, "quotable"),
    )


def _bad(sentence: str, code: str = "bad_filter") -> RequestError:
    return RequestError(400, code, sentence, f"Filters are {', '.join(NAMES)}.")


def _strings(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name)
    values = [value] if isinstance(value, str) else value or []
    if not isinstance(values, list | tuple) or not all(isinstance(entry, str) for entry in values):
        raise _bad(f"{name} takes a string or a list of strings.")
    if len(values) > MAX_VALUES or any(len(entry) > MAX_VALUE_CHARS for entry in values):
        raise _bad(f"{name} takes up to {MAX_VALUES} values of {MAX_VALUE_CHARS} characters.")
    # What Postgres stores in no text is in no document either: it becomes a blank or a question mark, and fits nothing.
    plain = (entry.encode(errors="replace").decode().replace("\0", " ") for entry in values)
    return tuple(dict.fromkeys(entry for entry in plain if entry))


def _kinds(given: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = _strings(given, "kind")
    if not set(kinds) <= set(KINDS):
        raise _bad(f"kind takes {', '.join(KINDS)}.")
    return kinds


def _year(value: Any) -> int | None:
    if value is None or value == "":
        return None
    sentence = "year takes a number such as 2024."
    try:
        year = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(sentence) from error
    if isinstance(value, bool) or (year != value and not isinstance(value, str)) or not 0 < year < 10_000:
        raise _bad(sentence)
    return year


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise _bad(f"{name} takes true or false.")
    return bool(value)
