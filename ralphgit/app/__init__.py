"""One module per use case. It joins records, rules and git, and prints nothing."""
