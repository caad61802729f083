"""A small English embedding model behind OpenAI's API, for measuring: benchmarks/minilm.py, in the environment of the peers.

    .venv-peers/bin/python -m benchmarks.embedding_server --cache minilm.db &
    OPENAI_BASE_URL=http://127.0.0.1:8131/v1 NOD_EMBEDDING_MODEL=openai:all-minilm-l6-v2 \
        .venv/bin/python -m benchmarks.vector_weights FOLDER --weight 0 --weight 0.4

On two processors it embeds 6 to 30 passages a second; the cache keeps what it has embedded.
"""

import argparse
import json
import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from benchmarks.minilm import MiniLM

NAME = "all-minilm-l6-v2"


class Minilm:
    """The model, with what it has embedded before."""

    def __init__(self, cache: Path) -> None:
        self._model = MiniLM()
        self._cache = sqlite3.connect(cache, check_same_thread=False)  # one at a time, by the lock
        self._lock = Lock()
        self._cache.execute("CREATE TABLE IF NOT EXISTS e (h BLOB PRIMARY KEY, v BLOB)")

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vector of each text. Connections stay open, so each has a thread; one after the other embeds."""
        with self._lock:
            return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        keys = [sha256(text.encode()).digest() for text in texts]
        known = {key: found[0] for key in keys if (found := self._cache.execute("SELECT v FROM e WHERE h = ?", (key,)).fetchone())}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            made = self._model.embed_documents(list(new.values()))
            known |= {key: np.array(vector, "f4").tobytes() for key, vector in zip(new, made, strict=True)}
            self._cache.executemany("INSERT OR IGNORE INTO e VALUES (?, ?)", [(key, known[key]) for key in new])
            self._cache.commit()
        return [np.frombuffer(known[key], "f4").tolist() for key in keys]


def handler(minilm: Minilm) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests: POST /v1/embeddings, nothing else."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v1/embeddings" or body.get("model") != NAME:
                return self._say(404, {"error": {"message": f"Only {NAME} is here, at /v1/embeddings.", "code": "model_not_found"}})
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            rows = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(minilm.vectors(texts))]
            return self._say(200, {"object": "list", "data": rows, "model": NAME, "usage": {"prompt_tokens": 0, "total_tokens": 0}})

        def _say(self, status: int, what: dict[str, Any]) -> None:
            said = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  # so it is called
            """Say nothing."""

    return Handler


def main() -> None:
    """Serve until it is stopped."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=8131)
    options.add_argument("--cache", type=Path, default=Path(":memory:"), help="a file that keeps what was embedded")
    given = options.parse_args()
    ThreadingHTTPServer(("127.0.0.1", given.port), handler(Minilm(given.cache))).serve_forever()


if __name__ == "__main__":
    main()
