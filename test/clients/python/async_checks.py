"""Checks of python-socketio's asyncio client (aiohttp).

    python async_checks.py --url http://127.0.0.1:3000 --mode polling|websocket|upgrade
"""

import argparse
import asyncio
import contextlib
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


@contextlib.asynccontextmanager
async def client(namespaces=("/",), auth=None, prepare=None, query="", headers=None, **options):
    """A connected client; prepare(sio) registers handlers before it connects."""
    sio = socketio.AsyncClient(**{"reconnection": False, "request_timeout": DEADLINE, **options})
    if prepare:
        prepare(sio)
    await sio.connect(
        arguments.url + query,
        headers=headers or {},
        transports=MODES[arguments.mode],
        namespaces=list(namespaces),
        auth=auth,
        wait_timeout=DEADLINE,
    )
    try:
        yield sio
    finally:
        await sio.disconnect()


def inbox(sio, event, namespace="/"):
    """A queue of the argument tuples of every such event from now on."""
    got = asyncio.Queue()
    sio.on(event, lambda *args: got.put_nowait(args), namespace=namespace)
    return got


async def ask(sio, event, *args, namespace="/"):
    """Emits with an acknowledgement and returns it."""
    return await sio.call(event, args if args else None, namespace=namespace, timeout=DEADLINE)


def pongs(sio):
    """A queue with an entry for every heartbeat that is answered from now on."""
    got, send = asyncio.Queue(), sio.eio._send_packet

    async def telling(packet):
        await send(packet)
        if packet.packet_type == 3:  # pong
            got.put_nowait(packet)

    sio.eio._send_packet = telling
    return got


async def quiet(sio):
    """Waits until nothing is under way to the server, nor will be for a moment. A polling client
    that disconnects during a POST, such as a pong's, leaves without a word otherwise."""
    if SETTLED[arguments.mode] == "polling":
        await pongs(sio).get()
        await sio.eio.queue.join()


async def transport_is_settled():
    async with client() as sio:
        equal(sio.transport(), SETTLED[arguments.mode], "transport")
        equal(await ask(sio, "echo", "x"), "x")


# S6.3, S6.6
async def echo_and_acknowledgement():
    async with client() as sio:
        got = inbox(sio, "echo")
        await sio.emit("echo", (1, "zwei ☃", None, {"a": [True]}))
        equal(await got.get(), (1, "zwei ☃", None, {"a": [True]}))
        equal(list(await ask(sio, "echo", 1, "two")), [1, "two"])
        replies = await asyncio.gather(*(ask(sio, "add", n, n) for n in range(50)))
        equal(replies, [2 * n for n in range(50)])


# S2.4, S2.13
async def binary_both_ways():
    value = {"list": [blob(1), {"deep": blob(2)}], "empty": b"", "big": blob(70_000)}
    async with client() as sio:
        equal(await ask(sio, "echo", value), value)
        equal(await ask(sio, "echo-any", value), value)
        made = inbox(sio, "made")
        await sio.emit("make-binary", 500)
        equal(await made.get(), ({"count": 500, "parts": [blob(500), {"inner": blob(1)}]}, blob(2)))


# S6.2, S6.6
async def server_asks():
    async with client() as sio:

        async def question(text, number):
            return {"text": text + "!", "number": number + 1}, "second"

        sio.on("question", question)
        sio.on("question-binary", lambda data: bytes(reversed(data)))
        answered = inbox(sio, "answered")
        for event in ("ask-me", "ask-me-async"):
            await sio.emit(event, ("well", 41))
            equal(await answered.get(), ({"text": "well!", "number": 42}, "second"))
        equal(await ask(sio, "ask-me-binary", b"\x01\x02\x03"), b"\x03\x02\x01")


# S7.1 to S7.3, S7.5
async def rooms_and_broadcast():
    async with client() as a, client() as b, client() as c:
        room = "asyncio room of " + a.get_sid()
        at_a, at_b, at_c = (inbox(s, "room") for s in (a, b, c))
        await ask(a, "join", room)
        await ask(b, "join", room)
        await ask(a, "to-room", room, {"photo": blob(3)})
        await ask(a, "in-room", room, "all")
        await ask(a, "leave", room)
        await ask(b, "in-room", room, "rest")
        # Nothing more can be on its way to a client whose fence has come back.
        for s in (a, b, c):
            equal(await ask(s, "echo", "fence"), "fence")
        equal(await at_b.get(), ({"photo": blob(3)},))
        equal(await at_b.get(), ("all",))
        equal(await at_b.get(), ("rest",))
        equal(await at_a.get(), ("all",))
        equal((at_a.qsize(), at_b.qsize(), at_c.qsize()), (0, 0, 0), "surplus")


# S3.6
async def namespaces_refused_and_accepted():
    errors = asyncio.Queue()
    try:
        async with client(
            ["/admin"],
            auth={"token": "wrong"},
            prepare=lambda sio: sio.on("connect_error", errors.put_nowait, namespace="/admin"),
        ):
            pass
    except RefusedError:
        equal(await errors.get(), {"message": "not authorized", "data": {"code": 401, "hint": "token"}})
    else:
        raise AssertionError("connected with a wrong token")
    async with client(["/", "/admin"], auth={"token": "secret", "user": "ada"}) as sio:
        equal(await ask(sio, "whoami", namespace="/admin"), "ada")
        equal(await ask(sio, "echo", "main"), "main")


# S3.3
async def unknown_namespace():
    errors = asyncio.Queue()
    try:
        async with client(
            ["/nowhere"],
            prepare=lambda sio: sio.on("connect_error", errors.put_nowait, namespace="/nowhere"),
        ):
            pass
    except RefusedError:
        equal(await errors.get(), {"message": "Invalid namespace"})
    else:
        raise AssertionError("connected to a namespace that there is none of")


# S4.2
async def handshake():
    async with client(auth={"list": [1]}, query="/?colour=blue%20%26%20green&n=7", headers={"X-Test": "yes"}) as sio:
        want = {"auth": {"list": [1]}, "colour": "blue & green", "n": "7", "header": "yes", "loopback": True}
        equal(await ask(sio, "handshake"), want)


# S3.9: the connection is lost, and the client comes back by itself.
async def reconnects():
    connected, gone = asyncio.Queue(), asyncio.Queue()

    def prepare(sio):
        sio.on("connect", lambda: connected.put_nowait(sio.get_sid()))
        sio.on("disconnect", gone.put_nowait)

    async with client() as watcher, client(prepare=prepare, **IMPATIENT) as sio:
        sid = await connected.get()
        if SETTLED[arguments.mode] == "polling":
            await asyncio.to_thread(close_session, arguments.url, sio.eio.sid)
        else:
            await sio.eio.send("no packet")
        one_of(await gone.get(), LOST)
        if await connected.get() == sid:
            raise AssertionError("it came back with the same id")
        equal(await ask(sio, "echo", "back"), "back")
        one_of(await ask(watcher, "reason-of", sid), CUT)


async def heartbeats():
    async with client() as sio:
        got = pongs(sio)
        for _ in range(3):
            await got.get()
        equal(await ask(sio, "echo", 1), 1)


# S3.13
async def disconnects():
    async with client() as watcher:
        async with client() as sio:
            sid = sio.get_sid()
            await quiet(sio)
        one_of(await ask(watcher, "reason-of", sid), LEFT)
        gone = asyncio.Queue()
        for close in (False, True):
            async with client(prepare=lambda s: s.on("disconnect", gone.put_nowait)) as sio:
                sid = sio.get_sid()
                await sio.emit("kick", close)
                equal(await gone.get(), "server disconnect")
                equal(await ask(watcher, "reason-of", sid), "server namespace disconnect")


# S6.9
async def numbered_messages():
    async with client() as sio:
        answers, pushed = inbox(sio, "answer"), inbox(sio, "push")
        await sio.emit("push-me", 200)
        for n in range(200):
            await sio.emit("number", n)
        equal([(await pushed.get())[0] for _ in range(200)], list(range(200)), "pushed")
        equal([(await answers.get())[0] for _ in range(200)], list(range(200)), "answers")
        equal(await ask(sio, "numbers"), list(range(200)), "received by the server")


CHECKS = {
    "transport is settled": transport_is_settled,
    "echo and acknowledgement": echo_and_acknowledgement,
    "binary both ways": binary_both_ways,
    "the server asks": server_asks,
    "rooms and broadcast": rooms_and_broadcast,
    "namespaces refused and accepted": namespaces_refused_and_accepted,
    "unknown namespace": unknown_namespace,
    "handshake": handshake,
    "disconnects": disconnects,
    "reconnects by itself": reconnects,
    "heartbeats": heartbeats,
    "numbered messages": numbered_messages,
}


async def main():
    plan(CHECKS)
    ok = True
    for name, check in CHECKS.items():
        started = time.monotonic()
        try:
            await asyncio.wait_for(check(), DEADLINE)
        except Exception:  # every failure of a check is a result
            ok = False
            failed(name, started)
        else:
            passed(name, started)
    return ok


sys.exit(0 if asyncio.run(main()) else 1)
