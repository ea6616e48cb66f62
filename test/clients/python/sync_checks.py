"""Checks of python-socketio's synchronous client (requests, websocket-client).

    python sync_checks.py --url http://127.0.0.1:3000 --mode polling|websocket|upgrade
"""

import argparse
import contextlib
import os
import queue
import sys
import time

import socketio
from socketio.exceptions import ConnectionError as RefusedError

from harness import (
    CUT, DEADLINE, IMPATIENT, LEFT, LOST, MODES, SETTLED,
    blob, close_session, equal, failed, one_of, passed, plan,
)

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--mode", required=True, choices=MODES)
arguments = parser.parse_args()


@contextlib.contextmanager
def client(namespaces=("/",), auth=None, prepare=None, **options):
    """A connected client; prepare(sio) registers handlers before it connects."""
    sio = socketio.Client(**{"reconnection": False, "request_timeout": DEADLINE, **options})
    if prepare:
        prepare(sio)
    sio.connect(
        arguments.url,
        transports=MODES[arguments.mode],
        namespaces=list(namespaces),
        auth=auth,
        wait_timeout=DEADLINE,
    )
    try:
        yield sio
    finally:
        sio.disconnect()


def inbox(sio, event, namespace="/"):
    """A queue of the argument tuples of every such event from now on."""
    got = queue.Queue()
    sio.on(event, lambda *args: got.put(args), namespace=namespace)
    return got


def take(got):
    """The next entry of an inbox."""
    return got.get(timeout=DEADLINE)


def ask(sio, event, *args, namespace="/"):
    """Emits with an acknowledgement and returns it."""
    return sio.call(event, args if args else None, namespace=namespace, timeout=DEADLINE)


def pongs(sio):
    """A queue with an entry for every heartbeat that is answered from now on."""
    got, send = queue.Queue(), sio.eio._send_packet

    def telling(packet):
        send(packet)
        if packet.packet_type == 3:  # pong
            got.put(packet)

    sio.eio._send_packet = telling
    return got


def quiet(sio):
    """Waits until nothing is under way to the server, nor will be for a moment. A polling client
    that disconnects during a POST, such as a pong's, leaves without a word otherwise."""
    if SETTLED[arguments.mode] == "polling":
        take(pongs(sio))
        sio.eio.queue.join()


def transport_is_settled():
    with client() as sio:
        equal(sio.transport(), SETTLED[arguments.mode], "transport")
        equal(ask(sio, "echo", "x"), "x")


def echo_event():
    with client() as sio:
        got = inbox(sio, "echo")
        sio.emit("echo", (1, -2.5, "zwei ☃", True, None, [1, [2]], {"a": {"b": None}}))
        equal(take(got), (1, -2.5, "zwei ☃", True, None, [1, [2]], {"a": {"b": None}}))
        sio.emit("echo")
        equal(take(got), ())


# S6.3, S6.6
def acknowledgement():
    with client() as sio:
        equal(list(ask(sio, "echo", 1, "two")), [1, "two"])
        equal(ask(sio, "add", 20, 22), 42)
        replies = queue.Queue()
        for n in range(50):
            sio.emit("add", (n, n), callback=replies.put)
        equal(sorted(replies.get(timeout=DEADLINE) for _ in range(50)), [2 * n for n in range(50)])


# S2.4, S2.13
def binary_both_ways():
    value = {"list": [blob(1), {"deep": blob(2)}], "plain": "x", "empty": b"", "big": blob(70_000)}
    with client() as sio:
        equal(ask(sio, "echo", value), value)
        equal(ask(sio, "echo-any", value), value)
        got = inbox(sio, "echo")
        sio.emit("echo", (blob(300), "text", blob(3)))
        equal(take(got), (blob(300), "text", blob(3)))
        made = inbox(sio, "made")
        sio.emit("make-binary", 500)
        equal(take(made), ({"count": 500, "parts": [blob(500), {"inner": blob(1)}]}, blob(2)))


# S6.2, S6.6
def server_asks():
    with client() as sio:
        sio.on("question", lambda text, number: ({"text": text + "!", "number": number + 1}, "second"))
        sio.on("question-binary", lambda data: bytes(reversed(data)))
        answered = inbox(sio, "answered")
        sio.emit("ask-me", ("well", 41))
        equal(take(answered), ({"text": "well!", "number": 42}, "second"))
        equal(ask(sio, "ask-me-binary", b"\x01\x02\x03"), b"\x03\x02\x01")


# S7.1 to S7.3, S7.5
def rooms_and_broadcast():
    with client() as a, client() as b, client() as c:
        room = "python room of " + a.get_sid()
        at_a, at_b, at_c = (inbox(s, "room") for s in (a, b, c))
        ask(a, "join", room)
        ask(b, "join", room)
        ask(a, "to-room", room, "others")
        ask(a, "in-room", room, {"photo": blob(3)})
        ask(a, "leave", room)
        ask(b, "in-room", room, "rest")
        # Nothing more can be on its way to a client whose fence has come back.
        for s in (a, b, c):
            equal(ask(s, "echo", "fence"), "fence")
        # The threaded client handles each packet on a thread of its own.
        got = [take(at_b)[0] for _ in range(3)]
        equal(sorted(got, key=str), sorted(["others", {"photo": blob(3)}, "rest"], key=str))
        equal(take(at_a), ({"photo": blob(3)},))
        equal((at_a.qsize(), at_b.qsize(), at_c.qsize()), (0, 0, 0), "surplus")


# S3.6
def namespace_refused():
    errors = queue.Queue()
    try:
        with client(
            ["/admin"],
            auth={"token": "wrong"},
            prepare=lambda sio: sio.on("connect_error", errors.put, namespace="/admin"),
        ):
            pass
    except RefusedError:
        equal(take(errors), {"message": "not authorized", "data": {"code": 401, "hint": "token"}})
    else:
        raise AssertionError("connected with a wrong token")


# S3.3
def unknown_namespace():
    errors = queue.Queue()
    try:
        with client(["/nowhere"], prepare=lambda sio: sio.on("connect_error", errors.put, namespace="/nowhere")):
            pass
    except RefusedError:
        equal(take(errors), {"message": "Invalid namespace"})
    else:
        raise AssertionError("connected to a namespace that there is none of")


def namespace_accepted():
    with client(["/", "/admin"], auth={"token": "secret", "user": "ada"}) as sio:
        equal(ask(sio, "whoami", namespace="/admin"), "ada")
        equal(ask(sio, "echo", "main"), "main")
        if sio.get_sid() == sio.get_sid("/admin"):
            raise AssertionError("one id in two namespaces")
        wrong, right = inbox(sio, "echo"), inbox(sio, "echo", "/admin")
        sio.emit("echo", ("for admin", blob(3)), namespace="/admin")
        equal(take(right), ("for admin", blob(3)))
        equal(ask(sio, "echo", "fence"), "fence")
        equal(wrong.qsize(), 0, "surplus")


# S4.2
def handshake():
    sio = socketio.Client(reconnection=False)
    url = arguments.url + "/?colour=blue%20%26%20green&n=7"
    sio.connect(
        url,
        headers={"X-Test": "yes"},
        auth={"list": [1]},
        transports=MODES[arguments.mode],
        wait_timeout=DEADLINE,
    )
    try:
        seen = ask(sio, "handshake")
        want = {"auth": {"list": [1]}, "colour": "blue & green", "n": "7", "header": "yes", "loopback": True}
        equal(seen, want)
    finally:
        sio.disconnect()


# S3.13
def client_disconnects():
    with client() as watcher:
        with client() as sio:
            sid = sio.get_sid()
            quiet(sio)
        one_of(ask(watcher, "reason-of", sid), LEFT)


def server_disconnects():
    for close in (False, True):
        gone = queue.Queue()
        with client() as watcher, client(prepare=lambda s: s.on("disconnect", gone.put)) as sio:
            sid = sio.get_sid()
            sio.emit("kick", close)
            equal(take(gone), "server disconnect")
            equal(ask(watcher, "reason-of", sid), "server namespace disconnect")


# S3.9: the connection is lost, and the client comes back by itself.
def reconnects():
    connected, gone = queue.Queue(), queue.Queue()

    def prepare(sio):
        sio.on("connect", lambda: connected.put(sio.get_sid()))
        sio.on("disconnect", gone.put)

    with client() as watcher, client(prepare=prepare, **IMPATIENT) as sio:
        sid = take(connected)
        if SETTLED[arguments.mode] == "polling":
            close_session(arguments.url, sio.eio.sid)
        else:
            sio.eio.send("no packet")
        one_of(take(gone), LOST)
        if take(connected) == sid:
            raise AssertionError("it came back with the same id")
        equal(ask(sio, "echo", "back"), "back")
        one_of(ask(watcher, "reason-of", sid), CUT)


def heartbeats():
    with client() as sio:
        got = pongs(sio)
        for _ in range(3):
            take(got)
        equal(ask(sio, "echo", 1), 1)


# S6.9
def numbered_messages():
    with client() as sio:
        answers, pushed = inbox(sio, "answer"), inbox(sio, "push")
        sio.emit("push-me", 200)
        for n in range(200):
            sio.emit("number", n)
        # The threaded client handles each packet on a thread of its own, so the order
        # in which they get here is not that of their arrival.
        equal(sorted(take(pushed)[0] for _ in range(200)), list(range(200)), "pushed")
        equal(sorted(take(answers)[0] for _ in range(200)), list(range(200)), "answers")
        equal(ask(sio, "numbers"), list(range(200)), "received by the server")


CHECKS = {
    "transport is settled": transport_is_settled,
    "echo event": echo_event,
    "acknowledgement": acknowledgement,
    "binary both ways": binary_both_ways,
    "the server asks": server_asks,
    "rooms and broadcast": rooms_and_broadcast,
    "namespace refused": namespace_refused,
    "unknown namespace": unknown_namespace,
    "namespace accepted": namespace_accepted,
    "handshake": handshake,
    "the client disconnects": client_disconnects,
    "the server disconnects": server_disconnects,
    "reconnects by itself": reconnects,
    "heartbeats": heartbeats,
    "numbered messages": numbered_messages,
}

plan(CHECKS)
ok = True
for name, check in CHECKS.items():
    started = time.monotonic()
    try:
        check()
    except Exception:  # every failure of a check is a result
        ok = False
        failed(name, started)
    else:
        passed(name, started)
# The client's own worker threads may still be ending; they hold no result.
sys.stdout.flush()
os._exit(0 if ok else 1)
