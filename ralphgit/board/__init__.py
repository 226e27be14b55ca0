"""Show the live view in a terminal. Only `board.app` loads Textual, which draws it."""
