"""Resolve conflicts in the records, by task (docs/resolve.md)."""
