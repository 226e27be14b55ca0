"""The table of commands, a module for each group; `cli.command_table` loads them one at a time."""
