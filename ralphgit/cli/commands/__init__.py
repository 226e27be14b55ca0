"""One module per command: `run(around, options, warnings, screen) -> Outcome`."""
