"""`seodang gate status`: who holds the model and who waits, so that "waiting" and "broken" look different."""

from dataclasses import dataclass

from db.gate_rows import GateCount, GateSeat
from services.command.place import Place
from services.command.show import duration, out, table
from services.model.endpoint import servers


@dataclass(frozen=True, slots=True)
class GateState:
    """Every model server with its counts, and each holder and waiter that Postgres knows."""

    endpoints: list[GateCount]
    seats: list[GateSeat]


def gate_state(place: Place) -> GateState:
    """Look at the gate; servers of the settings that nobody has used yet are counted with nobody."""
    counted = {row.endpoint: row for row in place.db.many(GateCount, "gate_counts")}
    for name, capacity in servers(place.settings.models, place.settings.gate.capacity).items():
        counted.setdefault(name, GateCount(name, capacity, 0, 0, 0, 0))
    return GateState(list(counted.values()), place.db.many(GateSeat, "gate_status"))


def show_gate(state: GateState) -> None:
    """Print how the gate stands."""
    counts = [
        (row.endpoint, row.capacity, row.inflight, row.foreground, row.study, row.background) for row in state.endpoints
    ]
    table("Model servers", ("endpoint", "capacity", "in flight", "foreground", "study", "background"), counts)
    seats = [
        (row.state, row.priority, duration(row.seconds), row.label, row.behind or "", row.pid, row.endpoint)
        for row in state.seats
    ]
    table("Who holds it, who waits", ("state", "class", "since", "label", "and behind", "pid", "endpoint"), seats)
    if not counts:
        out.print("No model server is set: answers are quoted by the built-in answerer.")
    elif not seats:
        out.print("Nobody calls a model now.")
