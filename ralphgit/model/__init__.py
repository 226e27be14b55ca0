"""Define what the records are: pure values, with no file, no clock, no git."""
