"""Make what `init` puts around the graph, and undo it."""
