"""Conflicts in the records, resolved by task (docs/resolve.md)."""
