"""The circuit breaker of each role: a server that fails again and again is left alone for a while, by all processes.

In: how calls ended. Out: leave to call, or CircuitOpen with the time until somebody may. After that time exactly one
caller of all processes probes; its success closes the breaker, its failure opens it for as long again. The state is a
row per role in Postgres and the clock is the database's: what one process learned, the others need not learn again.
"""

from db.model_rows import BreakerState
from db.pool import Database
from services.model.errors import CircuitOpen, ModelTimeout, ModelUnavailable, ReplyBroken

ERROR_CHARS = 500
"""Longest error that is kept with a breaker."""


def counts(error: BaseException) -> bool:
    """Say whether an error opens the circuit: a server that is down, hangs or breaks off.

    A wrong model name counts too: some servers drop the loaded model for each try of a name they do not know.
    """
    return isinstance(error, ModelUnavailable | ModelTimeout | ReplyBroken) and not isinstance(error, CircuitOpen)


class Breaker:
    """Counts failures of each role and opens its circuit; remembers nothing itself, so any number stand side by side.

    Args:
        failures: so many in a row open the circuit.
        open_s: for so long; then one call probes.
    """

    def __init__(self, db: Database, failures: int, open_s: float) -> None:
        self._db, self._failures, self._open_s = db, failures, open_s

    async def admit(self, role: str) -> None:
        """Give leave to call, perhaps as the probe; to be asked at the gate's inner side, just before the request.

        A probe that ends without a word (killed, cancelled) is replaced after `open_s`.

        Raises:
            CircuitOpen: `after_s` is when it is worth trying again.
        """
        state = await self._db.one(BreakerState, "breaker_states", role=role, open_s=self._open_s)
        if state is None or state.opened_at is None:
            return
        if state.wait_s == 0 and await self._db.value("breaker_take_probe", role=role, open_s=self._open_s):
            return
        # At 0 another was quicker with the probe: it has as long to report as the circuit was open.
        raise CircuitOpen(
            f"The model for {role} failed {state.failures} times in a row, at last with: {state.last_error}",
            "Look at its server; one call will try it, and its success lets all others through.",
            after_s=state.wait_s or self._open_s,
        )

    async def succeeded(self, role: str) -> None:
        """Close the circuit and forget the failures; writes nothing where there were none."""
        await self._db.none("breaker_reset", role=role)

    async def failed(self, role: str, error: BaseException) -> bool:
        """Count a failure; True when it opened the circuit, or opened it again after a probe."""
        text = f"{type(error).__name__}: {error}".replace("\0", "")[:ERROR_CHARS]
        return bool(await self._db.value("breaker_count", role=role, limit=self._failures, error=text))

    async def states(self) -> list[BreakerState]:
        """List the roles that ever failed, for a person to look at."""
        return await self._db.many(BreakerState, "breaker_states", role=None, open_s=self._open_s)
