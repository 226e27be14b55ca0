"""Run the loop: one worktree takes tasks, one after the other, until none is left."""
