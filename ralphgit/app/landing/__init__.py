"""How a task's work reaches the base: by merge, or by pull request (SPEC 7)."""
