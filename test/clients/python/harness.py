"""Runs named checks and reports each as one JSON line on standard output.

The first line is the plan, {"plan": ["name", ...]}; then one line per check,
{"check": "name", "ok": true, "ms": 12} or {"check": "name", "ok": false, "error": "..."}.
"""

import json
import sys
import time
import traceback
import urllib.request

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

#: What it may see of a connection that is lost: it closed it itself since what came was
#: no packet, or took the word of close_session.
CUT = ("forced close", "forced server close", "transport close")

#: What the library calls that.
LOST = ("transport close", "transport error")


def close_session(url, sid):
    """Ends a polling session behind the back of its client. A close packet of the server would
    not do: over polling, the library takes one for a wish that it stays away."""
    request = urllib.request.Request(f"{url}/socket.io/?EIO=4&transport=polling&sid={sid}", data=b"1")
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        equal(answer.read(), b"ok")


#: Options of a client that comes back at once.
IMPATIENT = {
    "reconnection": True,
    "reconnection_delay": 0.01,
    "reconnection_delay_max": 0.02,
    "randomization_factor": 0,
}

#: The transports of each mode, as python-socketio takes them (None: polling, then upgrade).
MODES = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}

#: The transport a connection of each mode ends on.
SETTLED = {"polling": "polling", "websocket": "websocket", "upgrade": "websocket"}


def blob(n):
    """n bytes that run through every value."""
    return bytes(i & 0xFF for i in range(n))
