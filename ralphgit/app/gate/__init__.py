"""Check records and changes: what `ralphgit check` reports (SPEC 8)."""
