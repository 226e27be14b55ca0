"""Import tasks of other tools, import them again, and export tasks."""
