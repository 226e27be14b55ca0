"""The base branch: fetched, moved by compare-and-swap, and whether it has a piece of work."""
