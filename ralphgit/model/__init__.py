"""What the records are. Pure values: no file, no clock, no git."""
