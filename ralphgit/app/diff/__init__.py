"""Show what a range does to the records, by task: as text, Markdown or JSON (SPEC 8)."""
