"""The accelerator: configuration, tiles, schedule, cycles, and the layer as the machine runs it."""
