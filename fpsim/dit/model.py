"""The diffusion transformer of Peebles and Xie, as the paper describes it (arXiv 2212.09748, section 3).

Written from the paper. Parameter names are those of the published checkpoints, so a name means the same
thing here, in a checkpoint and in the accelerator's layer table. The network predicts the noise only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

TIME_FREQUENCIES = 256  # width of the sinusoidal code of a timestep, before its MLP
MLP_RATIO = 4
NORM_EPS = 1e-6
MAX_PERIOD = 10_000.0  # of the sinusoids, for timesteps and positions alike (arXiv 1706.03762, 3.5)


@dataclass(frozen=True)
class DiTConfig:
    """The shape of a DiT.

    Attributes:
        hidden: width of a token, a multiple of 4 (two axes, a sine and a cosine each) and of `heads`.
        depth: number of blocks.
        heads: attention heads.
        patch: side of a patch in pixels, a divisor of `image`.
        image: side of the square image in pixels.
        channels: image channels.
        classes: number of classes; label `classes` is the null class of classifier-free guidance.
    """

    hidden: int = 96
    depth: int = 6
    heads: int = 3
    patch: int = 2
    image: int = 8
    channels: int = 1
    classes: int = 10

    def __post_init__(self) -> None:
        for name in ("hidden", "depth", "heads", "patch", "image", "channels", "classes"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r}: expected an integer of at least 1")
        if self.hidden % 4 or self.hidden % self.heads:
            raise ValueError(f"hidden={self.hidden}: expected a multiple of 4 and of heads={self.heads}")
        if self.image % self.patch:
            raise ValueError(f"patch={self.patch}: expected a divisor of image={self.image}")

    @property
    def grid(self) -> int:
        """Patches along one side of the image."""
        return self.image // self.patch

    @property
    def tokens(self) -> int:
        """Patches in the image, the sequence length of the attention."""
        return self.grid**2

    @property
    def patch_values(self) -> int:
        """Values of one patch, `patch² · channels`."""
        return self.patch**2 * self.channels


def sincos_positions(width: int, grid: int) -> Tensor:
    """Fixed 2-D sine-cosine positions.

    The first half of the channels codes the column, the second half the row; each half holds the sines
    and then the cosines of `position / 10000^(i / n)`, `i` in `0 .. n-1`, `n = width / 4`.

    Returns:
        float32 (grid², width), rows in raster order, values in [-1, 1].
    """
    if width % 4:
        raise ValueError(f"width={width}: expected a multiple of 4")
    n = width // 4
    frequencies = MAX_PERIOD ** (-torch.arange(n, dtype=torch.float64) / n)
    row, column = torch.meshgrid(*[torch.arange(grid, dtype=torch.float64)] * 2, indexing="ij")
    halves = []
    for positions in (column, row):
        angles = positions.reshape(-1, 1) * frequencies
        halves += [angles.sin(), angles.cos()]
    return torch.cat(halves, dim=1).float()


def timestep_code(t: Tensor, width: int = TIME_FREQUENCIES) -> Tensor:
    """Sinusoidal code of timesteps: the cosines, then the sines, of `t / 10000^(i / (width/2))`.

    Args:
        t: (B,) timesteps, any integer or float dtype.
        width: even number of channels.

    Returns:
        float32 (B, width), values in [-1, 1].
    """
    if width % 2:
        raise ValueError(f"width={width}: expected an even number")
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float32, device=t.device) / half
    angles = t.float()[:, None] * torch.exp(-math.log(MAX_PERIOD) * exponents)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def _modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """`x (1 + scale) + shift`, one shift and scale per sample: (B, T, h), (B, h), (B, h)."""
    return x * (1 + scale[:, None]) + shift[:, None]


class PatchEmbed(nn.Module):
    """Image (B, C, S, S) to tokens (B, T, h) in raster order."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(config.channels, config.hidden, config.patch, stride=config.patch)

    def forward(self, x: Tensor) -> Tensor:
        """Cut into patches and project each."""
        y: Tensor = self.proj(x)
        return y.flatten(2).transpose(1, 2)


class TimestepEmbedder(nn.Module):
    """Timesteps (B,) to condition vectors (B, h)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(TIME_FREQUENCIES, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, t: Tensor) -> Tensor:
        """Sinusoidal code, then the MLP."""
        y: Tensor = self.mlp(timestep_code(t))
        return y


class LabelEmbedder(nn.Module):
    """Labels (B,) to condition vectors (B, h); one more row than classes, for the null class."""

    def __init__(self, classes: int, hidden: int) -> None:
        super().__init__()
        self.embedding_table = nn.Embedding(classes + 1, hidden)

    def forward(self, labels: Tensor) -> Tensor:
        """Look the labels up."""
        y: Tensor = self.embedding_table(labels)
        return y


class Attention(nn.Module):
    """Multi-head self-attention with one fused q, k, v projection."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.proj = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, h) to (B, T, h)."""
        batch, tokens, hidden = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, hidden // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (hidden // self.heads) ** -0.5).softmax(dim=-1)
        y: Tensor = self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, hidden))
        return y


class Mlp(nn.Module):
    """Two linears around a tanh-approximated GELU."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden, MLP_RATIO * hidden)
        self.fc2 = nn.Linear(MLP_RATIO * hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, h) to (B, T, h)."""
        y: Tensor = self.fc2(nn.functional.gelu(self.fc1(x), approximate="tanh"))
        return y


class DiTBlock(nn.Module):
    """A transformer block with adaLN-Zero conditioning (paper, figure 3)."""

    LINEARS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")  # in execution order

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden, elementwise_affine=False, eps=NORM_EPS)
        self.attn = Attention(hidden, heads)
        self.norm2 = nn.LayerNorm(hidden, elementwise_affine=False, eps=NORM_EPS)
        self.mlp = Mlp(hidden)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden, 6 * hidden))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Tokens (B, T, h) and condition (B, h) to tokens (B, T, h)."""
        modulation: Tensor = self.adaLN_modulation(condition)
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation.chunk(6, dim=1)
        x = x + gate1[:, None] * self.attn(_modulate(self.norm1(x), shift1, scale1))
        y: Tensor = x + gate2[:, None] * self.mlp(_modulate(self.norm2(x), shift2, scale2))
        return y


class FinalLayer(nn.Module):
    """Tokens (B, T, h) to patches (B, T, patch² C)."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.norm_final = nn.LayerNorm(config.hidden, elementwise_affine=False, eps=NORM_EPS)
        self.linear = nn.Linear(config.hidden, config.patch_values)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(config.hidden, 2 * config.hidden))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Modulated norm, then the linear decoder."""
        shift, scale = self.adaLN_modulation(condition).chunk(2, dim=1)
        y: Tensor = self.linear(_modulate(self.norm_final(x), shift, scale))
        return y


class DiT(nn.Module):
    """Noise prediction eps(x, t, label).

    A fresh model predicts zero: every adaLN projection and the final layer start at zero (adaLN-Zero).
    Initial weights come from torch's global generator; call `torch.manual_seed` before for a fixed start.
    """

    def __init__(self, config: DiTConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiTConfig()
        self.x_embedder = PatchEmbed(config)
        self.t_embedder = TimestepEmbedder(config.hidden)
        self.y_embedder = LabelEmbedder(config.classes, config.hidden)
        self.pos_embed = nn.Parameter(sincos_positions(config.hidden, config.grid)[None], requires_grad=False)
        self.blocks = nn.ModuleList(DiTBlock(config.hidden, config.heads) for _ in range(config.depth))
        self.final_layer = FinalLayer(config)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.x_embedder.proj.weight.view(self.config.hidden, -1))
        assert self.x_embedder.proj.bias is not None
        nn.init.zeros_(self.x_embedder.proj.bias)
        nn.init.normal_(self.y_embedder.embedding_table.weight, std=0.02)
        for name in ("0.weight", "2.weight"):
            nn.init.normal_(self.t_embedder.mlp.get_parameter(name), std=0.02)
        modulated = [*self.blocks, self.final_layer]
        for linear in [m.adaLN_modulation[1] for m in modulated] + [self.final_layer.linear]:
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)

    def linear_names(self) -> tuple[str, ...]:
        """Names of the linears that an accelerator runs, four per block, in execution order."""
        return tuple(f"blocks.{i}.{name}" for i in range(self.config.depth) for name in DiTBlock.LINEARS)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Predict the noise in `x`.

        Args:
            x: float32 (B, C, S, S), noisy images.
            t: int64 (B,), timesteps from 0 (clean) to 999.
            labels: int64 (B,), classes 0 .. classes-1, or `classes` for the null class.

        Returns:
            float32 (B, C, S, S).

        Raises:
            ValueError: on a shape that does not fit the configuration.
        """
        c = self.config
        if x.shape[1:] != (c.channels, c.image, c.image):
            raise ValueError(f"x: shape {tuple(x.shape)}, expected (B, {c.channels}, {c.image}, {c.image})")
        if t.shape != x.shape[:1] or labels.shape != x.shape[:1]:
            raise ValueError(
                f"t, labels: shapes {tuple(t.shape)}, {tuple(labels.shape)}, expected ({x.shape[0]},) each"
            )
        tokens = self.x_embedder(x) + self.pos_embed
        condition = self.t_embedder(t) + self.y_embedder(labels)
        for block in self.blocks:
            tokens = block(tokens, condition)
        return self._unpatchify(self.final_layer(tokens, condition))

    def _unpatchify(self, patches: Tensor) -> Tensor:
        """(B, T, patch² C), a patch's values in (row, column, channel) order, to (B, C, S, S)."""
        c = self.config
        grid = patches.reshape(-1, c.grid, c.grid, c.patch, c.patch, c.channels)
        return grid.permute(0, 5, 1, 3, 2, 4).reshape(-1, c.channels, c.image, c.image)
