"""Change the state of one task: claim, complete, block, release, reset."""
