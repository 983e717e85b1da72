"""`seodang digest`: the last digests, or one of what came in until now."""

from dataclasses import dataclass
from datetime import datetime

from rich.markup import escape

from db.digest_rows import MadeDigest
from services.command.place import Place
from services.command.show import out, table
from services.document.digest_slot import zone_named

OWNER = 1
SHOWN = 10
STAGE = "digest"
MADE_FINDABLE = ("ingest", "embed")
"""What makes a document of a digest, once that is written."""


@dataclass(frozen=True, slots=True)
class Digests:
    """The last digests, newest first, and the id of the one that was asked for now."""

    digests: list[MadeDigest]
    asked: int | None = None

    @property
    def now(self) -> MadeDigest | None:
        """The one that was asked for."""
        return next((digest for digest in self.digests if digest.id == self.asked), None)


def list_digests(place: Place) -> Digests:
    """Give the last digests."""
    return Digests(place.db.many(MadeDigest, "list_digests", user_id=OWNER, most=SHOWN))


def digest_now(place: Place) -> Digests:
    """Enqueue a digest of what came in since the last; where no daemon serves it, make it in this process."""
    asked = int(place.db.value("insert_digest", user_id=OWNER))
    served = place.served()
    if STAGE not in served:
        place.drain([STAGE, *(stage for stage in MADE_FINDABLE if stage not in served)])
    return Digests(list_digests(place).digests, asked)


def show_digests(found: Digests, place: Place) -> None:
    """Print what was asked for, else the list; times are those of the zone of the settings."""
    zone = zone_named(place.settings.digest.timezone)

    def minute(moment: datetime | None) -> str:
        return "" if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    if found.now is not None:
        out.print(_sentence(found.now), highlight=False, markup=False)
        return
    rows = [
        (
            minute(row.slot),
            minute(row.since),
            row.status,
            row.documents,
            row.restricted,
            row.document_id,
            row.model,
            escape(row.error_message or ""),
        )
        for row in found.digests
    ]
    table("Digests", ("until", "since", "status", "documents", "restricted", "document", "by", ""), rows)
    if not rows:
        out.print("There is no digest yet: it comes at the hour of digest.cron, or now by `seodang digest --now`.")


def _sentence(row: MadeDigest) -> str:
    match row.status:
        case "completed":
            return f"The digest tells of {row.documents} documents: /api/documents/{row.document_id}"
        case "pending" if row.error_code is not None:
            return f"The digest is put off, and made within two hours with the model or without: {row.error_message}"
        case "pending" | "processing":
            return "A daemon makes the digest; `seodang digest` shows when it is there."
        case _:
            return str(row.error_message)
