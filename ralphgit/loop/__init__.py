"""The ralph loop: a worktree that takes tasks, one after the other, until none is left."""
