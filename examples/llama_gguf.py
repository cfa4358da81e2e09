"""A small language model of the Llama family, from a GGUF file, on the CPU; `small_model_server.py` serves it.

A token costs a pass over all weights, and that is as fast as the memory: weights are kept in 8 bits, and the requests
that are under way share each pass. All sums over weights are sums of integers, so that an answer does not depend on
what else was asked at the same time. Not for models that are large, or of another family.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import gguf
import jinja2.sandbox
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from torch.nn import functional

STEPS = 63.5
"""Half the steps of an activation in 7 bits: with 8, sums of pairs overflow in fbgemm on older processors."""
CONTROL = 3
"""The type that GGUF gives to tokens that no text holds, such as the end of a message."""


class Linear(Protocol):
    """Multiplies rows, `(n, inputs)`, by a matrix: `(n, outputs)`."""

    def __call__(self, rows: Tensor) -> Tensor: ...


class FloatLinear:
    """In 32 bits, for processors that `Int8Linear` does not know. Here a row's last digits depend on the other rows."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight

    def __call__(self, rows: Tensor) -> Tensor:
        return functional.linear(rows, self._weight)


class Int8Linear:
    """Weights in 8 bits, one scale for each output; activations in twice 7 bits, one scale for each row."""

    def __init__(self, weight: Tensor) -> None:
        scales = (weight.abs().amax(1) / 127).clamp_min(1e-12).double()
        padded = functional.pad(weight, (0, 8))
        zeros = torch.zeros(len(weight), dtype=torch.long)
        quantized = torch.quantize_per_channel(padded, scales, zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(quantized, None)

    def __call__(self, rows: Tensor) -> Tensor:
        """In two parts, each of which is a number of steps: what rounding takes from the first is the second."""
        size = rows.abs().amax(-1, keepdim=True).clamp_min(1e-30)
        scaled = rows / size
        coarse = (scaled * STEPS).round().clamp(-63, 63) / STEPS
        fine = ((scaled - coarse) * (2 * STEPS)).clamp(-1, 1)  # by rounding, a hair beyond
        parts = torch.cat([coarse, fine])
        # The range that fbgemm finds is that of all rows together. Two inputs of weight 0 make it -1 to 1, always.
        ends = parts.new_zeros(len(parts), 8)
        ends[:, 0], ends[:, 1] = 1, -1
        out = torch.ops.quantized.linear_dynamic(torch.cat([parts, ends], -1), self._packed, True)
        first, second = out.split(len(rows))
        return (first + second / (2 * STEPS)) * size


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights of one layer."""

    attention_norm: Tensor
    qkv: Linear
    attention_out: Linear
    mlp_norm: Tensor
    gate_up: Linear
    down: Linear


class Cache:
    """Keys and values of the tokens that one request has so far. Not for several threads."""

    def __init__(self, layers: int, heads: int, capacity: int, width: int) -> None:
        self.keys = torch.empty(layers, heads, capacity, width)
        self.values = torch.empty(layers, heads, capacity, width)
        self.length = 0

    def put(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append to a layer: `(heads, n, width)`. Gives all that the layer has."""
        end = self.length + keys.shape[1]
        self.keys[layer, :, self.length : end] = keys
        self.values[layer, :, self.length : end] = values
        return self.keys[layer, :, :end], self.values[layer, :, :end]


class Llama:
    """The model. Its weights do not change; a `Cache` belongs to the caller.

    Raises: ValueError (the file holds a model of another family).
    """

    def __init__(self, reader: gguf.GGUFReader, *, int8: bool) -> None:
        if (family := _field(reader, "general.architecture")) != "llama":
            raise ValueError(f"a model of the family {family!r}: only 'llama' is known here")
        make = Int8Linear if int8 else FloatLinear
        tensors = {tensor.name: tensor for tensor in reader.tensors}

        def read(*names: str) -> Tensor:
            found = (tensors[f"{name}.weight"] for name in names)
            return torch.cat([torch.from_numpy(gguf.dequantize(one.data, one.tensor_type)) for one in found]).clone()

        def layer(at: str) -> Layer:
            return Layer(
                attention_norm=read(f"{at}.attn_norm"),
                qkv=make(read(f"{at}.attn_q", f"{at}.attn_k", f"{at}.attn_v")),
                attention_out=make(read(f"{at}.attn_output")),
                mlp_norm=read(f"{at}.ffn_norm"),
                gate_up=make(read(f"{at}.ffn_gate", f"{at}.ffn_up")),
                down=make(read(f"{at}.ffn_down")),
            )

        self.context: int = _field(reader, "llama.context_length")
        """Tokens of a prompt and its answer together, at most."""
        self._heads: int = _field(reader, "llama.attention.head_count")
        self._kv_heads: int = _field(reader, "llama.attention.head_count_kv")
        self._epsilon: float = _field(reader, "llama.attention.layer_norm_rms_epsilon")
        self._embeddings = read("token_embd")
        self._width = self._embeddings.shape[1] // self._heads
        self._layers = [layer(f"blk.{number}") for number in range(_field(reader, "llama.block_count"))]
        self._norm = read("output_norm")
        self._head = make(read("output") if "output.weight" in tensors else self._embeddings)
        frequencies = _field(reader, "llama.rope.freq_base") ** -(
            torch.arange(0, self._width, 2).double() / self._width
        )
        angles = torch.arange(self.context).double()[:, None, None] * frequencies
        self._cos, self._sin = angles.cos().float(), angles.sin().float()

    def cache(self, capacity: int) -> Cache:
        """For a request of so many tokens, those of the answer included."""
        return Cache(len(self._layers), self._kv_heads, capacity, self._width)

    @torch.inference_mode()
    def read(self, tokens: list[int], cache: Cache) -> Tensor:
        """Take in a prompt, with an empty cache. Gives the logits of the token after it."""
        return self._pass(tokens, [cache])[0]

    @torch.inference_mode()
    def step(self, tokens: list[int], caches: list[Cache]) -> Tensor:
        """One token for each of several requests. Gives the logits of the next ones: `(requests, vocabulary)`."""
        return self._pass(tokens, caches)

    def _pass(self, tokens: list[int], caches: list[Cache]) -> Tensor:
        """All tokens are of one request, or each is of its own."""
        places = torch.tensor([cache.length for cache in caches])
        if len(caches) == 1:
            places = places + torch.arange(len(tokens))
        turn = self._cos[places], self._sin[places]
        rows = self._embeddings[torch.tensor(tokens)]
        for number, layer in enumerate(self._layers):
            qkv = layer.qkv(self._normed(rows, layer.attention_norm)).view(len(tokens), -1, self._width)
            rows = rows + layer.attention_out(self._attend(number, qkv, turn, caches))
            gate, up = layer.gate_up(self._normed(rows, layer.mlp_norm)).chunk(2, -1)
            rows = rows + layer.down(functional.silu(gate) * up)
        for cache in caches:
            cache.length += len(tokens) // len(caches)
        return self._head(self._normed(rows[-len(caches) :], self._norm))

    def _attend(self, layer: int, qkv: Tensor, turn: tuple[Tensor, Tensor], caches: list[Cache]) -> Tensor:
        """Each request over its own tokens, unpadded: what another one holds changes nothing."""
        queries, keys, values = qkv.split([self._heads, self._kv_heads, self._kv_heads], 1)
        queries, keys = _turned(queries, *turn), _turned(keys, *turn)
        share = len(qkv) // len(caches)
        seen = []
        for number, cache in enumerate(caches):
            mine = slice(number * share, (number + 1) * share)
            all_keys, all_values = cache.put(layer, keys[mine].transpose(0, 1), values[mine].transpose(0, 1))
            if share == 1:  # the query heads that share a key head stand where several tokens would
                query = queries[mine].reshape(self._kv_heads, -1, self._width)
                found = functional.scaled_dot_product_attention(query[None], all_keys[None], all_values[None])
            else:
                group = self._heads // self._kv_heads
                found = functional.scaled_dot_product_attention(
                    queries[mine].transpose(0, 1)[None],
                    all_keys.repeat_interleave(group, 0)[None],
                    all_values.repeat_interleave(group, 0)[None],
                    is_causal=True,
                ).transpose(1, 2)
            seen.append(found.reshape(share, -1))
        return torch.cat(seen)

    def _normed(self, rows: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(rows, rows.shape[-1:], weight, self._epsilon)


def _turned(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of `(n, heads, width)`; GGUF keeps the two numbers of a pair side by side."""
    even, odd = heads[..., 0::2], heads[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class Chat:
    """Text to tokens and back, and the model's own form of a conversation. Thread-safe."""

    def __init__(self, reader: gguf.GGUFReader) -> None:
        if (kind := _field(reader, "tokenizer.ggml.model")) != "gpt2":
            raise ValueError(f"a tokenizer of the kind {kind!r}: only 'gpt2' is known here")
        texts: list[str] = _field(reader, "tokenizer.ggml.tokens")
        merges = [tuple(text.split(" ")) for text in _field(reader, "tokenizer.ggml.merges")]
        self._tokenizer = Tokenizer(models.BPE({text: number for number, text in enumerate(texts)}, merges))
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        self._tokenizer.decoder = decoders.ByteLevel()
        kinds = _field(reader, "tokenizer.ggml.token_type")
        control = [text for text, kind in zip(texts, kinds, strict=True) if kind == CONTROL]
        self._tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in control])
        self.end: int = _field(reader, "tokenizer.ggml.eos_token_id")
        """The token that ends an answer."""
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(_field(reader, "tokenizer.chat_template"))

    def prompt(self, messages: list[dict[str, str]]) -> list[int]:
        """Tokens of a conversation, and of the beginning of the answer to it."""
        text = self._template.render(messages=messages, add_generation_prompt=True)
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


def load(file: Path, *, int8: bool | None = None) -> tuple[Llama, Chat]:
    """The model and the tokenizer of a GGUF file. `int8` None: where this processor can.

    Raises: ValueError (no GGUF file, or a model that is not known here), FileNotFoundError.
    """
    engine = "fbgemm" in torch.backends.quantized.supported_engines
    if int8 and not engine:
        raise ValueError("torch has no fbgemm on this processor: use --precision float32")
    if engine:
        torch.backends.quantized.engine = "fbgemm"
    reader = gguf.GGUFReader(file)
    return Llama(reader, int8=engine if int8 is None else int8), Chat(reader)


def _field(reader: gguf.GGUFReader, name: str) -> Any:
    """Raises: ValueError (the file does not say)."""
    field = reader.get_field(name)
    if field is None:
        raise ValueError(f"the file does not say {name}")
    return field.contents()
