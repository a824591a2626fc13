"""The seam where an accelerator plugs in: the linears of the blocks, replaced or observed by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from fpsim.dit.model import DiT

LinearLike = Callable[[Tensor], Tensor]

BLOCK_LINEARS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")  # in execution order


def block_linears(model: DiT) -> dict[str, nn.Linear]:
    """The linears that an accelerator runs, by name, in execution order.

    Four per block: `blocks.i.attn.qkv`, `.attn.proj`, `.mlp.fc1`, `.mlp.fc2`. The values are the model's own
    modules. Embeddings, adaLN projections and the final layer are not among them.

    Raises:
        ValueError: if a linear has been replaced (`with_linears`).
    """
    linears: dict[str, nn.Linear] = {}
    for i in range(model.config.depth):
        for suffix in BLOCK_LINEARS:
            name = f"blocks.{i}.{suffix}"
            module = model.get_submodule(name)
            if not isinstance(module, nn.Linear):
                raise ValueError(f"model: {name} is a {type(module).__name__}, expected an unreplaced Linear")
            linears[name] = module
    return linears


class ReplacedLinear(nn.Module):
    """Calls a function where a linear was, and checks what comes back.

    Attributes:
        name: the linear's name in the model.
        function: float32 (..., K) to float32 (..., N).
    """

    def __init__(self, name: str, function: LinearLike, in_features: int, out_features: int) -> None:
        super().__init__()
        self.name = name
        self.function = function
        self.in_features = in_features
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        """Call the function; ValueError if its result has another shape or dtype than the linear's."""
        y = self.function(x)
        expected = (*x.shape[:-1], self.out_features)
        if y.shape != expected or y.dtype != torch.float32:
            raise ValueError(
                f"linears[{self.name!r}]: gave {y.dtype} {tuple(y.shape)}, expected torch.float32 {expected}"
            )
        return y


def with_linears(model: DiT, linears: Mapping[str, LinearLike]) -> DiT:
    """A copy of the model whose named linears call the given functions; the model itself is unchanged.

    The copy owns its weights. Functions are kept by reference, never copied.

    Args:
        model: the model, its block linears not replaced before.
        linears: for some or all names of `block_linears`, a function from float32 (..., K) to
            float32 (..., N). It answers for the bias too.

    Raises:
        ValueError: on a name that `block_linears` does not list.
    """
    known = block_linears(model)
    unknown = sorted(set(linears) - set(known))
    if unknown:
        raise ValueError(
            f"linears: unknown names {', '.join(unknown)}; expected names out of {', '.join(known)}"
        )
    result = copy.deepcopy(model)
    for name, function in linears.items():
        parent, _, attribute = name.rpartition(".")
        old = known[name]
        new = ReplacedLinear(name, function, old.in_features, old.out_features)
        setattr(result.get_submodule(parent), attribute, new)
    return result


@contextmanager
def observe(model: DiT, callback: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Within the context, `callback(name, x)` sees the input of every block linear, before it runs.

    Works on a model and on a `with_linears` copy alike. `x` is the live float32 (B, T, K) tensor: copy what
    is to be kept. Calls come in execution order, once per forward pass and linear.
    """

    def call(name: str, _module: nn.Module, inputs: tuple[Any, ...]) -> None:
        callback(name, inputs[0])

    handles = []
    try:
        for i in range(model.config.depth):
            for suffix in BLOCK_LINEARS:
                name = f"blocks.{i}.{suffix}"
                handles.append(model.get_submodule(name).register_forward_pre_hook(partial(call, name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
