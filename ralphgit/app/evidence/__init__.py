"""What was observed about tasks: recorded, judged, reviewed, and bound to content."""
