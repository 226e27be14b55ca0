"""What was observed about tasks: recorded, surveyed, reviewed, and bound to content."""
