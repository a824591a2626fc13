"""cocotb benches, one module per unit; they run inside the simulator, started by `fpsim.verify.runner`."""
