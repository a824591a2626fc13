"""fpsim: what exactly does an FP4 accelerator compute, does the RTL compute the same, and what does it cost?"""
