"""Recipes that turn floating-point layers into codes and scales."""
