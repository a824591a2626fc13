"""The seam where an accelerator plugs in: the linears of the blocks, replaced or observed by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from fpsim.dit.model import DiT
from fpsim.dit.video_model import VideoDiT

LinearLike = Callable[[Tensor], Tensor]
BlockModel = DiT | VideoDiT  # each names the linears of its blocks: `linear_names`
M = TypeVar("M", bound=BlockModel)

Group = Literal["spatial", "temporal", "cross", "ffn"]
GROUPS: tuple[Group, ...] = get_args(Group)
_GROUP_OF: dict[str, Group] = {
    "attn": "spatial",
    "attn_temp": "temporal",
    "cross_attn": "cross",
    "mlp": "ffn",
}


def layer_group(name: str) -> Group:
    """The group of a block linear, as ViDiT-Q (arXiv 2406.02540) has them; a `DiT` has two of the four.

    Args:
        name: `blocks.i.` and then `attn`, `attn_temp`, `cross_attn` or `mlp` and the linear, as in
            `block_linears`.

    Raises:
        ValueError: a name that is none of these.
    """
    parts = name.split(".")
    if len(parts) != 4 or parts[0] != "blocks" or parts[2] not in _GROUP_OF:
        raise ValueError(f"name={name!r}: expected blocks.i.<part>.<linear>, part of {', '.join(_GROUP_OF)}")
    return _GROUP_OF[parts[2]]


def block_linears(model: BlockModel) -> dict[str, nn.Linear]:
    """The linears that an accelerator runs, by name, in execution order.

    Four per block of a `DiT`: `blocks.i.attn.qkv`, `.attn.proj`, `.mlp.fc1`, `.mlp.fc2`; nine per block of a
    `VideoDiT`. The values are the model's own modules. Embeddings, modulation and the final layer are not
    among them.

    Raises:
        ValueError: if a linear has been replaced (`with_linears`).
    """
    linears: dict[str, nn.Linear] = {}
    for name in model.linear_names():
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


def with_linears(model: M, linears: Mapping[str, LinearLike]) -> M:
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
def observe(model: BlockModel, callback: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Within the context, `callback(name, x)` sees the input of every block linear, before it runs.

    Works on a model and on a `with_linears` copy alike. `x` is the live float32 (..., K) tensor, (B, T, K) in
    a `DiT`: copy what is to be kept. Calls come in execution order, once per forward pass and linear.
    """

    def call(name: str, _module: nn.Module, inputs: tuple[Any, ...]) -> None:
        callback(name, inputs[0])

    handles: list[RemovableHandle] = []
    try:
        handles.extend(
            model.get_submodule(name).register_forward_pre_hook(partial(call, name))
            for name in model.linear_names()
        )
        yield
    finally:
        for handle in handles:
            handle.remove()
