"""Numbers for Prometheus, all with the prefix `seodang_`; a registry of its own for every process."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from services.web.pulse import Standing


class Metrics:
    """The counters of one process, and gauges that are set when somebody asks."""

    def __init__(self) -> None:
        self._registry = made = CollectorRegistry()
        self.requests = Counter("seodang_http_requests", "HTTP requests.", ["method", "route", "status"], registry=made)
        self.latency = Histogram("seodang_http_request_seconds", "Time to a reply's end.", ["route"], registry=made)
        self.asks = Counter("seodang_asks", "Asks told to their askers, by outcome.", ["outcome"], registry=made)
        self._depth = Gauge("seodang_queue_jobs", "Active rows.", ["stage", "status"], registry=made)
        self._oldest = Gauge("seodang_queue_oldest_seconds", "Age of the oldest.", ["stage", "status"], registry=made)
        self._alive = Gauge("seodang_workers", "Daemons alive.", ["stage"], registry=made)
        self._inflight = Gauge("seodang_gate_inflight", "Calls that hold a model.", ["endpoint"], registry=made)
        self._waiters = Gauge("seodang_gate_waiters", "Calls that wait.", ["endpoint", "class"], registry=made)
        self._database = Gauge("seodang_database_up", "1 while Postgres answers.", registry=made)

    def text(self, standing: Standing | None, stages: Iterable[str]) -> bytes:
        """Write everything in Prometheus' text format; without a standing the database counts as away."""
        self._database.set(0 if standing is None else 1)
        for gauge in (self._depth, self._oldest, self._alive, self._inflight, self._waiters):
            gauge.clear()
        if standing is not None:
            self._set_queues(standing)
            self._set_workers(standing, stages)
            self._set_gates(standing)
        return generate_latest(self._registry)

    def _set_queues(self, standing: Standing) -> None:
        for row in standing.queues:
            self._depth.labels(row.stage, row.status).set(row.count)
            self._oldest.labels(row.stage, row.status).set(row.oldest_seconds)

    def _set_workers(self, standing: Standing, stages: Iterable[str]) -> None:
        alive = Tally(row.stage for row in standing.daemons)
        for stage in {*stages, *alive}:
            self._alive.labels(stage).set(alive[stage])

    def _set_gates(self, standing: Standing) -> None:
        for row in standing.gates:
            self._inflight.labels(row.endpoint).set(row.inflight)
            for name in ("foreground", "study", "background"):
                self._waiters.labels(row.endpoint, name).set(getattr(row, name))
