"""The demo: `python -m demo` plays ralphgit's whole story in a temporary folder.

`scenes` tells it, `three_loops` has three workers at work at once, `stage` is the folder with its
repositories and the only place that starts programs, `narrator` the only one that prints.
Nothing is acted: every line that begins with a prompt is a command that ran, and whatever
ends otherwise than the story says it does fails the demo.
"""
