"""Bring a task's work to the base: by merge, or by pull request (SPEC 7)."""
