"""A diffusion transformer for short videos, with the layer groups that mixed precision tells apart.

The block is STDiT's (Open-Sora 1.0): a PixArt block (arXiv 2310.00426, figure 4) with attention over time
behind the attention over space. Four groups of linears follow, spatial attention, temporal attention,
cross-attention on the condition and FFN, which ViDiT-Q (arXiv 2406.02540) budgets by a metric each.
As there, temporal attention and cross-attention read the residual stream without a norm, and temporal
attention shares the gate of spatial attention. Ours: everything starts at zero as in adaLN-Zero, the time
positions join the tokens at the input, and the condition comes in two ways. What to draw reaches the tokens
through cross-attention only, as four learned tokens per class in the place of a text. Where it goes joins
the timestep in the modulation: a model of this size that gets the motion by cross-attention alone hardly
uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fpsim.dit.model import (
    NORM_EPS,
    Attention,
    DiTConfig,
    FinalLayer,
    LabelEmbedder,
    Mlp,
    PatchEmbed,
    TimestepEmbedder,
    sincos_positions,
    timestep_code,
)


@dataclass(frozen=True)
class VideoDiTConfig(DiTConfig):
    """The shape of a video DiT: that of a DiT for one frame, and what the video adds.

    Attributes:
        frames: frames of a video.
        condition_tokens: learned tokens per class that cross-attention reads.
        motions: number of motion classes; motion `motions` is the null motion of guidance.
    """

    hidden: int = 96
    depth: int = 4
    heads: int = 3
    patch: int = 4
    image: int = 12
    channels: int = 1
    classes: int = 10
    frames: int = 3
    condition_tokens: int = 4
    motions: int = 9

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("frames", "condition_tokens", "motions"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r}: expected an integer of at least 1")
        if self.channels != 1:
            raise ValueError(f"channels={self.channels}: expected 1, the frames stand in their place")


class CrossAttention(nn.Module):
    """Multi-head attention of the tokens on the condition tokens."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(hidden, hidden)
        self.kv = nn.Linear(hidden, 2 * hidden)
        self.proj = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Tokens (B, T, h) and condition tokens (B, C, h) to (B, T, h)."""
        batch, tokens, hidden = x.shape
        width = hidden // self.heads
        q = self.q(x).reshape(batch, tokens, self.heads, width).transpose(1, 2)
        k, v = self.kv(context).reshape(batch, -1, 2, self.heads, width).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * width**-0.5).softmax(dim=-1)
        y: Tensor = self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, hidden))
        return y


class VideoBlock(nn.Module):
    """A block: attention over space, over time, on the condition, then the FFN."""

    LINEARS = (  # in execution order
        "attn.qkv",
        "attn.proj",
        "attn_temp.qkv",
        "attn_temp.proj",
        "cross_attn.q",
        "cross_attn.kv",
        "cross_attn.proj",
        "mlp.fc1",
        "mlp.fc2",
    )

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden, elementwise_affine=False, eps=NORM_EPS)
        self.attn = Attention(hidden, heads)
        self.attn_temp = Attention(hidden, heads)
        self.cross_attn = CrossAttention(hidden, heads)
        self.norm2 = nn.LayerNorm(hidden, elementwise_affine=False, eps=NORM_EPS)
        self.mlp = Mlp(hidden)
        self.scale_shift_table = nn.Parameter(torch.zeros(6, hidden))

    def forward(self, x: Tensor, modulation: Tensor, context: Tensor) -> Tensor:
        """One block.

        Args:
            x: tokens (B, F, T, h), frame by frame.
            modulation: (B, 6, h), shared by the blocks; each adds its own table.
            context: condition tokens (B, C, h).

        Returns:
            Tokens (B, F, T, h).
        """
        batch, frames, tokens, hidden = x.shape
        parts = (modulation + self.scale_shift_table)[:, :, None, None].unbind(dim=1)  # (B, 1, 1, h) each
        shift1, scale1, gate1, shift2, scale2, gate2 = parts
        space = (self.norm1(x) * (1 + scale1) + shift1).reshape(batch * frames, tokens, hidden)
        x = x + gate1 * self.attn(space).reshape(x.shape)
        time = x.transpose(1, 2).reshape(batch * tokens, frames, hidden)
        seen = self.attn_temp(time).reshape(batch, tokens, frames, hidden).transpose(1, 2)
        x = x + gate1 * seen
        x = x + self.cross_attn(x.reshape(batch, frames * tokens, hidden), context).reshape(x.shape)
        y: Tensor = x + gate2 * self.mlp(self.norm2(x) * (1 + scale2) + shift2)
        return y


class VideoDiT(nn.Module):
    """Noise prediction eps(x, t, condition) for videos of one grey channel.

    Called as a `DiT` is, the frames in the place of the channels, so the samplers serve both. A fresh model
    predicts zero. Initial weights come from torch's global generator.
    """

    def __init__(self, config: VideoDiTConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VideoDiTConfig()
        hidden = config.hidden
        self.x_embedder = PatchEmbed(config)
        self.t_embedder = TimestepEmbedder(hidden)
        self.t_block = nn.Sequential(nn.SiLU(), nn.Linear(hidden, 6 * hidden))
        self.y_embedder = LabelEmbedder(config.classes, config.condition_tokens * hidden)
        self.motion_embedder = LabelEmbedder(config.motions, hidden)
        space = sincos_positions(hidden, config.grid)[None, None]
        time = timestep_code(torch.arange(config.frames), hidden)[None, :, None]
        self.pos_embed = nn.Parameter(space, requires_grad=False)
        self.pos_embed_temporal = nn.Parameter(time, requires_grad=False)
        self.blocks = nn.ModuleList(VideoBlock(hidden, config.heads) for _ in range(config.depth))
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
        for name in ("0.weight", "2.weight"):
            nn.init.normal_(self.t_embedder.mlp.get_parameter(name), std=0.02)
        zero = [self.t_block[1], self.final_layer.adaLN_modulation[1], self.final_layer.linear]
        for linear in [*zero, *(block.get_submodule("cross_attn.proj") for block in self.blocks)]:
            assert isinstance(linear, nn.Linear)
            nn.init.zeros_(linear.weight)

    def linear_names(self) -> tuple[str, ...]:
        """Names of the linears that an accelerator runs, nine per block, in execution order."""
        return tuple(f"blocks.{i}.{name}" for i in range(self.config.depth) for name in VideoBlock.LINEARS)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Predict the noise in `x`.

        Args:
            x: float32 (B, F, S, S), noisy videos.
            t: int64 (B,), timesteps from 0 (clean) to 999.
            condition: int64 (B, 2), class 0 .. classes-1 and motion 0 .. motions-1, or `classes` and
                `motions` for the null condition.

        Returns:
            float32 (B, F, S, S).

        Raises:
            ValueError: on a shape that does not fit the configuration.
        """
        c, batch = self.config, len(x)
        if x.shape[1:] != (c.frames, c.image, c.image):
            raise ValueError(f"x: shape {tuple(x.shape)}, expected (B, {c.frames}, {c.image}, {c.image})")
        if t.shape != (batch,) or condition.shape != (batch, 2):
            raise ValueError(
                f"t, condition: shapes {tuple(t.shape)}, {tuple(condition.shape)}, "
                f"expected ({batch},), ({batch}, 2)"
            )
        patches: Tensor = self.x_embedder(x.reshape(batch * c.frames, 1, c.image, c.image))
        tokens = patches.reshape(batch, c.frames, c.tokens, c.hidden)
        tokens = tokens + self.pos_embed + self.pos_embed_temporal
        labels, motions = condition.unbind(dim=1)
        code = self.t_embedder(t) + self.motion_embedder(motions)
        modulation = self.t_block(code).reshape(batch, 6, c.hidden)
        context = self.y_embedder(labels).reshape(batch, c.condition_tokens, c.hidden)
        for block in self.blocks:
            tokens = block(tokens, modulation, context)
        return self._unpatchify(self.final_layer(tokens.reshape(batch, -1, c.hidden), code))

    def _unpatchify(self, patches: Tensor) -> Tensor:
        """(B, F T, patch²), tokens frame by frame, to (B, F, S, S)."""
        c = self.config
        grid = patches.reshape(-1, c.frames, c.grid, c.grid, c.patch, c.patch)
        return grid.permute(0, 1, 2, 4, 3, 5).reshape(-1, c.frames, c.image, c.image)
