"""Make, survey and remove linked worktrees of workers."""
