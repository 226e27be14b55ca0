"""What holds for every test."""

import signal

# A test run under nohup would hand its deafness to hang-ups on to what the tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
