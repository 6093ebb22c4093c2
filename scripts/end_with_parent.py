"""What keeps a child process from outliving a parent that was killed without a chance to clean up."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with_parent(how: signal.Signals = signal.SIGTERM) -> None:
    """Asks Linux to send `how` to this process when its parent dies; elsewhere does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(how))
