"""Linked worktrees of workers: made, surveyed, removed."""
