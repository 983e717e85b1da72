"""Model folders made in a moment, for the real `mlx_lm.server`: one says a given text, one babbles on.

With `o_proj` and `down_proj` zero, a Llama looks at nothing but its last token: a table "last token -> next token".
The text is cut into pieces that are no two alike, each piece is a token, and `lm_head` lets each follow the one before,
at any temperature. The server, its batching, streaming, parsers and cancelling are the real ones.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

MARKS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
"""Tokens of their own: the server tells reasoning and tool calls from an answer by these."""
UNKNOWN, END, SAY = "<unk>", "<end>", "<say>"
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}" + SAY
HEADS = 4
BABBLE = [
    " 값은",
    " 압력",
    " 밸브",
    " 단위",
    " 계기",
    " 점검",
    " 교대",
    " 기록",
    " 온도",
    " 배관",
    " 펌프",
    " 확인",
    " 주기",
    " 안전",
    " 절차",
]


def scripted(folder: Path, text: str, piece_chars: int = 4) -> Path:
    """Make a model that answers every question with `text`, and then ends."""
    pieces = cut(text, piece_chars)
    vocabulary = _vocabulary(pieces)
    table = np.zeros((len(vocabulary), _width(len(vocabulary))), np.float32)
    path = [SAY, *pieces, END]
    for last, following in pairwise(path):
        table[vocabulary[following], vocabulary[last]] = 1.0
    return _save(folder, vocabulary, table, layers=1)


def babbling(folder: Path, width: int = 512, layers: int = 4, seed: int = 1) -> Path:
    """Make a model with random weights that never ends by itself; wider and deeper is slower."""
    vocabulary = _vocabulary(BABBLE)
    table = np.zeros((len(vocabulary), width), np.float32)
    # The best word stands some forty above the marks and the end, whose logits are 0: none of these is ever said.
    table[vocabulary[BABBLE[0]] :] = np.random.default_rng(seed).standard_normal((len(BABBLE), width))
    return _save(folder, vocabulary, table, layers, seed)


def cut(text: str, piece_chars: int) -> list[str]:
    """Cut a text into pieces of which no two are alike, most of them `piece_chars` long; marks stay whole."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        mark = next((mark for mark in MARKS if text.startswith(mark, at)), None)
        end = at + (len(mark) if mark else piece_chars)
        while not mark and text[at:end] in pieces:
            assert end < len(text), f"the end of the text, {text[at:]!r}, stands in it before: end it otherwise"
            end += 1
        stops = [place for sign in MARKS if (place := text.find(sign, at + 1, end + len(sign))) > at]
        end = end if mark else min([end, *stops])
        assert text[at:end] not in pieces, f"{text[at:end]!r} would be said twice: choose another text"
        pieces.append(text[at:end])
        at = end
    return pieces


def _vocabulary(pieces: list[str]) -> dict[str, int]:
    words = [UNKNOWN, END, SAY, *MARKS, *(piece for piece in pieces if piece not in MARKS)]
    return {word: number for number, word in enumerate(words)}


def _width(size: int) -> int:
    """Give the hidden size of a table: a place for each token, and whole heads of an even size."""
    return -(-size // (2 * HEADS)) * 2 * HEADS


def _save(folder: Path, vocabulary: dict[str, int], table: np.ndarray, layers: int, seed: int | None = None) -> Path:
    folder.mkdir(parents=True)
    width = table.shape[1]
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": width, "num_hidden_layers": layers,
        "intermediate_size": 2 * width, "num_attention_heads": HEADS, "rms_norm_eps": 1e-5,
        "vocab_size": len(vocabulary), "max_position_embeddings": 1 << 20, "tie_word_embeddings": False,
        "bos_token_id": vocabulary[SAY], "eos_token_id": vocabulary[END],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    save_file(_weights(table, layers, seed), folder / "model.safetensors", metadata={"format": "mlx"})
    _save_tokenizer(folder, vocabulary)
    return folder


def _weights(table: np.ndarray, layers: int, seed: int | None) -> dict[str, np.ndarray]:
    """Lay out a Llama's weights, all zero without a seed."""
    size, width = table.shape
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        if seed is None:
            return np.zeros((rows, columns), np.float32)
        return random.standard_normal((rows, columns), np.float32) * columns**-0.5

    ones = np.ones(width, np.float32)
    embedding = np.eye(size, width, dtype=np.float32) if seed is None else matrix(size, width)
    weights = {"model.embed_tokens.weight": embedding, "model.norm.weight": ones, "lm_head.weight": table}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        weights |= {f"{at}.self_attn.{name}_proj.weight": matrix(width, width) for name in "qkvo"}
        weights |= {f"{at}.mlp.{name}_proj.weight": matrix(2 * width, width) for name in ("gate", "up")}
        weights[f"{at}.mlp.down_proj.weight"] = matrix(width, 2 * width)
        weights |= {f"{at}.{name}_layernorm.weight": ones for name in ("input", "post_attention")}
    return weights


def _save_tokenizer(folder: Path, vocabulary: dict[str, int]) -> None:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.Fuse()  # a piece carries its own blanks
    tokenizer.add_special_tokens([END, SAY])
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in MARKS])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": UNKNOWN, "bos_token": SAY, "eos_token": END,
        "clean_up_tokenization_spaces": False, "chat_template": TEMPLATE, "tool_parser_type": "json_tools",
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False))
