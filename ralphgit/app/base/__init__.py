"""Fetch the base branch, move it by compare-and-swap, and tell whether it has some work."""
