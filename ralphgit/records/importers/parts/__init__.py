"""Read what several import formats share: Markdown, ids, fields, notes."""
