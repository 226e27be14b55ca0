"""Render what several commands show: pictures of the graph, safe Markdown, files for the user."""
