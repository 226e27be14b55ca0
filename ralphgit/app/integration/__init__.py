"""Several branches together: ordered, merged, proved and landed (SPEC 6)."""
