"""What a crash or a setting left behind, and its repair (law L6)."""
