"""Find and fix what a crash or a setting left behind (law L6)."""
