"""The task graph itself: tasks added and edited, and files moved between layouts."""
