"""One module per command: `Options`, and `run(call, options) -> Outcome` (`cli.command_call`)."""
