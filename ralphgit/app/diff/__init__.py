"""What a range does to the records, in tasks: as text, as Markdown, as JSON (SPEC 8)."""
