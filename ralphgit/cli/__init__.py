"""Parse the command line, make one call into `app`, render the result."""
