"""What a single HTTP call to a model server is handed, after the gate let it in."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from services.model.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Connection:
    """The process's one HTTP client, the endpoint, and the headers that name role, class and label.

    The gate is held and the time limit runs while somebody has a Connection: send one request, and return.
    """

    http: httpx.AsyncClient
    endpoint: Endpoint
    headers: Mapping[str, str]
