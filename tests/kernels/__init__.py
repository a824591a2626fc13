"""The kernels against other libraries, exact fractions and numpy's integers."""
