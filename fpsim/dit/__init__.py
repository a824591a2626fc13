"""The diffusion transformer, its sampler, its embedded workload and its metrics."""
