"""Runs named checks and reports each as one JSON line on standard output.

The first line is the plan, {"plan": ["name", ...]}; then one line per check,
{"check": "name", "ok": true, "ms": 12} or {"check": "name", "ok": false, "error": "..."}.
"""

import json
import sys
import time
import traceback

import engineio.payload

# The library refuses poll answers of more than 16 packets unless told otherwise;
# a server that has more to say puts all of it into one answer.
engineio.payload.Payload.max_decode_packets = 10_000

#: How long one check may wait for anything, in seconds.
DEADLINE = 30


def plan(names):
    """Announces the checks that will run."""
    _report({"plan": list(names)})


def passed(name, started):
    """Reports a check that held; started is from time.monotonic()."""
    _report({"check": name, "ok": True, "ms": _ms(started)})


def failed(name, started):
    """Reports a check that raised; to be called in the except block."""
    _report({"check": name, "ok": False, "ms": _ms(started), "error": traceback.format_exc()})


def equal(got, want, what="value"):
    """Raises unless got == want, naming both."""
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def one_of(got, allowed, what="value"):
    """Raises unless got is one of the allowed values."""
    if got not in allowed:
        raise AssertionError(f"{what}: got {got!r}, want one of {allowed!r}")


def _ms(started):
    return int((time.monotonic() - started) * 1000)


def _report(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


#: What a server may see when the library disconnects: it writes the DISCONNECT
#: packet on another thread or task than the one that then closes the connection.
LEFT = ("client namespace disconnect", "transport close")

#: The transports of each mode, as python-socketio takes them (None: polling, then upgrade).
MODES = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}

#: The transport a connection of each mode ends on.
SETTLED = {"polling": "polling", "websocket": "websocket", "upgrade": "websocket"}


def blob(n):
    """n bytes that run through every value."""
    return bytes(i & 0xFF for i in range(n))
