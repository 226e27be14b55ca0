"""What happens to one task: claimed, completed, blocked, released, reset."""
