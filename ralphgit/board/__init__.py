"""`board`: the live view in a terminal. Textual draws it, and is loaded by `board.app` alone."""
