"""The table of commands, a module for each group; `cli.table` loads them one at a time."""
