"""Open a repository with a task graph: its settings and its files, below every use case."""
