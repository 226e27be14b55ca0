"""The gate: every record valid, every change legal, judged on the merged result (SPEC 8)."""
