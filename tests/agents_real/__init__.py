"""Real coding agents in a loop, against a local server instead of a model."""
