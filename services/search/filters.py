"""What may be searched: one value that every leg gets, and puts inside its own top-k."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.kit.errors import RequestError

NAMES = ("material_type", "jurisdiction", "year", "collection")


@dataclass(frozen=True, slots=True)
class Filters:
    """An empty tuple, and None, mean: not filtered by this."""

    user_id: int = 1
    material_types: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    year: int | None = None
    collections: tuple[str, ...] = ()

    def values(self) -> dict[str, object]:
        """Give the arguments that every leg's statement takes; NULL switches a clause off."""
        return {
            "user_id": self.user_id,
            "material_types": list(self.material_types) or None,
            "jurisdictions": list(self.jurisdictions) or None,
            "year": self.year,
            "collections": list(self.collections) or None,
        }


def parse_filters(given: Mapping[str, Any], user_id: int) -> Filters:
    """Read the filters of a request or of an ask's row.

    Args:
        given: `material_type`, `jurisdiction`, `collection` (a string or a list of strings), `year` (a number).
    Raises:
        RequestError: an unknown name or a value of the wrong kind.
    """
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        raise RequestError(400, "unknown_filter", f"Unknown filter: {', '.join(unknown)}", f"Filters are {NAMES}.")
    return Filters(
        user_id=user_id,
        material_types=_strings(given, "material_type"),
        jurisdictions=_strings(given, "jurisdiction"),
        year=_year(given.get("year")),
        collections=_strings(given, "collection"),
    )


def _strings(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name)
    values = [value] if isinstance(value, str) else value or []
    if not isinstance(values, list | tuple) or not all(isinstance(entry, str) for entry in values):
        raise RequestError(400, "bad_filter", f"{name} takes a string or a list of strings.")
    return tuple(entry for entry in values if entry)


def _year(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        year = int(value)
    except (TypeError, ValueError) as error:
        raise RequestError(400, "bad_filter", "year takes a number such as 2024.") from error
    if isinstance(value, bool) or not 0 < year < 10_000:
        raise RequestError(400, "bad_filter", "year takes a number such as 2024.")
    return year
