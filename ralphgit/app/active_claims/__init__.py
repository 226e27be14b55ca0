"""Find who works on what: claims on branches, in worktrees and in leases; and what is free."""
