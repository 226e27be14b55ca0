"""Make the page of `report`: all that is known about the tasks, in one file."""
