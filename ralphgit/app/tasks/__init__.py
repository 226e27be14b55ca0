"""Add and edit tasks, and move them between the layouts of the graph."""
