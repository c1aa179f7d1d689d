"""Waits that look again and again, and end."""

import time


class Late(AssertionError):
    """Something did not come in its time."""


def until(what, seconds, look, every=0.2):
    """The first answer of `look` that is not empty."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Late(f"waited {seconds} s for {what}")
        time.sleep(every)
