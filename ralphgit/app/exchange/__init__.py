"""Tasks of other tools: imported, imported again, and exported."""
