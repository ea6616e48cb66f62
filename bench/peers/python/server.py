"""The bench application on python-socketio, with uvicorn on uvloop and httptools.

It takes its port from the command line and prints its URL."""

import socket
import sys

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", namespaces=["/", "/bench"])


def attach(namespace):
    @server.on("echo", namespace=namespace)
    async def echo(sid, *args):
        # What a handler returns is the acknowledgement; whether one is wanted, it can't see.
        return args

    @server.on("bcast", namespace=namespace)
    async def bcast(sid, *args):
        await server.emit("bcast", args, namespace=namespace)

    @server.on("join", namespace=namespace)
    async def join(sid, room):
        await server.enter_room(sid, room, namespace=namespace)
        return ()

    @server.on("leave", namespace=namespace)
    async def leave(sid, room):
        await server.leave_room(sid, room, namespace=namespace)
        return ()

    @server.on("rcast", namespace=namespace)
    async def rcast(sid, room, *args):
        await server.emit("rcast", args, room=room, namespace=namespace)


for name in ("/", "/bench"):
    attach(name)

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(socketio.ASGIApp(server), loop="uvloop", http="httptools", log_level="error", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
