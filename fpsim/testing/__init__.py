"""Hypothesis strategies for number formats, quantizers and accelerator configurations.

For property-based tests of your own code against `fpsim`; our tests use them too. README.md beside this file
tests a quantizer in ten lines.
"""

from fpsim.testing.strategies import blocks, codes, configs, operands, values

__all__ = ["blocks", "codes", "configs", "operands", "values"]
