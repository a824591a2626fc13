"""fpsim: a bit-accurate FP4 hardware simulator and RTL reference for quantized diffusion transformers."""
