"""What happens at the gate of this process, as lines of the log (docs/events.md)."""

from db.gate import GateListener, Priority
from services.kit.log import Event, get_logger

log = get_logger()


class GateLog(GateListener):
    """Asking and leaving at debug, entering at info, starving as a warning."""

    def queued(self, *, endpoint: str, priority: Priority, label: str, seq: int, queue_len: int) -> None:
        """Somebody asks."""
        log.debug(
            Event.GATE_QUEUED, endpoint=endpoint, priority=_word(priority), label=label, seq=seq, queue_len=queue_len
        )

    def entered(
        self, *, endpoint: str, priority: Priority, label: str, seq: int, queue_len: int, wait_ms: float
    ) -> None:
        """Somebody is inside."""
        log.info(
            Event.GATE_ENTERED,
            endpoint=endpoint,
            priority=_word(priority),
            label=label,
            seq=seq,
            queue_len=queue_len,
            wait_ms=round(wait_ms, 1),
        )

    def left(self, *, endpoint: str, priority: Priority, label: str, seq: int, duration_ms: float) -> None:
        """Somebody was inside."""
        log.debug(
            Event.GATE_LEFT,
            endpoint=endpoint,
            priority=_word(priority),
            label=label,
            seq=seq,
            duration_ms=round(duration_ms, 1),
        )

    def starved(self, *, endpoint: str, priority: Priority, label: str, seq: int, wait_ms: float) -> None:
        """Somebody of the last class waited for longer than is well."""
        log.warning(
            Event.GATE_STARVED,
            endpoint=endpoint,
            priority=_word(priority),
            label=label,
            seq=seq,
            wait_ms=round(wait_ms, 1),
        )


def _word(priority: Priority) -> str:
    return priority.name.lower()
