"""The diffusion transformer, its sampler, its embedded workload and its metrics.

`model` and `diffusion` are the network and the sampler, `hooks` the seam where an accelerator plugs in,
`domains` what there are models of, `checkpoint` and `workload` the committed weights and noise, `stress` the
synthetic outliers, `metrics` the distances. `python -m fpsim.dit.train --domain glyphs` makes a domain's
files, `python -m fpsim.dit.evaluate --domain glyphs` its card.
"""

from fpsim.dit.checkpoint import (
    SampleNoise,
    load_digits_dit,
    load_dit,
    load_image_dit,
    load_noise,
    load_trained,
    save_dit,
)
from fpsim.dit.diffusion import add_noise, alpha_bars, ddim_sample, ddim_timesteps
from fpsim.dit.domains import DOMAINS, Domain, get_domain
from fpsim.dit.files import DataFileError
from fpsim.dit.hooks import block_linears, observe, with_linears
from fpsim.dit.metrics import (
    GaussianStats,
    ImageMetric,
    frechet_distance,
    gaussian_stats,
    load_metric,
    paired_mse,
    sqnr_db,
)
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.stress import add_outliers, outlier_channels

__all__ = [
    "DOMAINS",
    "DataFileError",
    "DiT",
    "DiTConfig",
    "Domain",
    "GaussianStats",
    "ImageMetric",
    "SampleNoise",
    "add_noise",
    "add_outliers",
    "alpha_bars",
    "block_linears",
    "ddim_sample",
    "ddim_timesteps",
    "frechet_distance",
    "gaussian_stats",
    "get_domain",
    "load_digits_dit",
    "load_dit",
    "load_image_dit",
    "load_metric",
    "load_noise",
    "load_trained",
    "observe",
    "outlier_channels",
    "paired_mse",
    "save_dit",
    "sqnr_db",
    "with_linears",
]
