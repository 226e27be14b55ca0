"""What several import formats share: Markdown, ids, fields, notes."""
