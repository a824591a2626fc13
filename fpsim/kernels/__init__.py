"""The same units on arrays, in numba; written without looking at the law, and equal to it."""
