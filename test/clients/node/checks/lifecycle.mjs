// Connecting, upgrading, staying alive, ending and coming back.

import assert from "node:assert/strict";
import { collect, next, until } from "../lib/harness.mjs";
import { ask, connected, settled } from "../lib/client.mjs";

export default function (checks, clients) {
  checks.add("connect gives an id of its own", async (defer) => {
    const [a, b] = await clients.many(defer, 2);
    for (const socket of [a, b]) {
      assert.equal(socket.connected, true);
      assert.match(socket.id, /^[A-Za-z0-9_-]{16,}$/);
      if (clients.modern) {
        assert.notEqual(socket.id, socket.io.engine.id, "the connection's id is a secret, the socket's is not");
      }
    }
    assert.notEqual(a.id, b.id);
  });

  checks.add("ends up on the right transport", async (defer) => {
    const socket = await clients.connectSettled(defer);
    assert.equal(socket.io.engine.transport.name, clients.settled);
    assert.deepEqual(await ask(socket, "echo", "on", clients.settled), ["on", clients.settled]);
  });

  checks.add("heartbeats keep an idle connection", async (defer) => {
    const socket = await clients.connectSettled(defer);
    const pings = collect(socket.io, "ping");
    const { id } = socket;
    await until(() => pings.length >= 3);
    assert.deepEqual(await ask(socket, "echo", 1), [1]);
    assert.equal(socket.id, id);
  });

  checks.add("the client disconnects", async (defer) => {
    const [watcher, socket] = [await clients.connectSettled(defer), await clients.connectSettled(defer)];
    const { id } = socket;
    const gone = next(socket, "disconnect");
    socket.disconnect();
    assert.equal((await gone)[0], "io client disconnect");
    assert.deepEqual(await ask(watcher, "reason-of", id), ["client namespace disconnect"]);
  });

  checks.add("the client disconnects right after an event", async (defer) => {
    const watcher = await clients.connect(defer);
    const socket = await clients.connect(defer);
    const told = next(watcher, "shout");
    const { id } = socket;
    socket.emit("shout", "last words");
    socket.disconnect();
    assert.deepEqual(await told, ["last words"]);
    assert.deepEqual(await ask(watcher, "reason-of", id), ["client namespace disconnect"]);
  });

  checks.add("the client closes the connection", async (defer) => {
    const [watcher, socket] = [await clients.connectSettled(defer), await clients.connectSettled(defer)];
    const { id } = socket;
    socket.io.engine.close();
    assert.deepEqual(await ask(watcher, "reason-of", id), ["transport close"]);
  });

  if (clients.settled === "websocket") {
    checks.add("the client's connection is cut", async (defer) => {
      const [watcher, socket] = [await clients.connectSettled(defer), await clients.connectSettled(defer)];
      const { id } = socket;
      socket.io.engine.transport.ws._socket.destroy();
      assert.deepEqual(await ask(watcher, "reason-of", id), ["transport close"]);
    });
  }

  for (const close of [false, true]) {
    checks.add(`the server disconnects the ${close ? "whole connection" : "socket"}`, async (defer) => {
      const [watcher, socket] = [await clients.connectSettled(defer), await clients.connectSettled(defer)];
      const { id } = socket;
      const gone = next(socket, "disconnect");
      socket.emit("kick", close);
      assert.equal((await gone)[0], "io server disconnect");
      assert.deepEqual(await ask(watcher, "reason-of", id), ["server namespace disconnect"]);
    });
  }

  checks.add("an event right before the server disconnects arrives", async (defer) => {
    const socket = await clients.connect(defer);
    const seen = collect(socket, "bye");
    const gone = next(socket, "disconnect");
    socket.emit("say-bye");
    assert.equal((await gone)[0], "io server disconnect");
    assert.deepEqual(seen, [["bye"]]);
  });

  checks.add("reconnects by itself with a new id", async (defer) => {
    const socket = await clients.connect(defer, { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 });
    await settled(socket, clients.settled);
    const { id } = socket;
    const attempts = collect(socket.io, "reconnect");
    socket.io.engine.close();
    await next(socket, "connect");
    assert.notEqual(socket.id, id);
    assert.equal(attempts.length, 1);
    assert.deepEqual(await ask(socket, "echo", "back"), ["back"]);
  });

  checks.add("what is emitted while offline is sent once after reconnecting", async (defer) => {
    const socket = await clients.connect(defer, { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 });
    await settled(socket, clients.settled);
    const seen = collect(socket, "echo");
    socket.io.engine.close();
    await until(() => !socket.connected);
    socket.emit("echo", "kept");
    await connected(socket);
    await ask(socket, "echo", "fence");
    assert.deepEqual(seen, [["kept"]]);
  });

  checks.add("fifty clients come and go", async (defer) => {
    const sockets = await clients.many(defer, 50);
    assert.equal(new Set(sockets.map((s) => s.id)).size, 50);
    const replies = await Promise.all(sockets.map((s, i) => ask(s, "add", i, 1)));
    assert.deepEqual(replies, sockets.map((_, i) => [i + 1]));
    const [watcher, ...rest] = sockets;
    const ids = rest.map((s) => s.id);
    rest.forEach((s) => s.disconnect());
    for (const id of ids) {
      assert.deepEqual(await ask(watcher, "reason-of", id), ["client namespace disconnect"]);
    }
  });
}
