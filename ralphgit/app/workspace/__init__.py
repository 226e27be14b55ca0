"""A repository with a task graph, its settings and its files: what every use case stands on."""
