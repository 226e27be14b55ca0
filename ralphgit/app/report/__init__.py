"""`report`: all that is known about the tasks, as one page that needs nothing else."""
