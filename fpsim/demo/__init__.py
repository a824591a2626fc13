"""The main job, end to end: model, quantize, execute, golden vectors, RTL, cost, report."""
