"""Run the gate in a forge's CI: `python -I -m ralphgit.ci github|gitlab`.

It judges what the event is about, says it where people look (annotations or a report, a job
summary, one comment that is kept up to date), and exits as `check` does. Nothing of the repository
is run; what the event says is data.
"""
