// Opening a session, its transports and its heartbeat.

import assert from "node:assert/strict";
import { collect, until } from "../../lib/harness.mjs";
import { exchange } from "../../lib/engine.mjs";

export default function (checks, clients) {
  // E30, E31, E69 to E73
  checks.add("ends up on the right transport with the session it began with", async (defer) => {
    const socket = clients.start(defer);
    const handshakes = collect(socket, "handshake");
    await until(() => handshakes.length === 1 && socket.transport.name === clients.settled && socket.readyState === "open");
    const [[{ sid, upgrades, pingInterval, pingTimeout, maxPayload }]] = handshakes;
    assert.match(sid, /^[A-Za-z0-9_-]{20,}$/);
    assert.equal(socket.id, sid);
    assert.deepEqual(upgrades, clients.mode === "websocket" ? [] : ["websocket"]);
    assert.deepEqual([pingInterval, pingTimeout, maxPayload], [300, 30_000, 1_000_000]);
    assert.equal(await exchange(socket, "on it"), "on it");
    assert.equal(socket.id, sid);
  });

  // E77, E78
  checks.add("heartbeats keep an idle session", async (defer) => {
    const socket = await clients.openSettled(defer);
    const beats = collect(socket, clients.protocol === 3 ? "pong" : "ping");
    await until(() => beats.length >= 3);
    assert.equal(await exchange(socket, "alive"), "alive");
  });

  checks.add("fifty sessions come and go", async (defer) => {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => clients.open(defer)));
    assert.equal(new Set(sockets.map((s) => s.id)).size, 50);
    const answers = await Promise.all(sockets.map((s, i) => exchange(s, `hello ${i}`)));
    assert.deepEqual(answers, sockets.map((_, i) => `hello ${i}`));
  });
}
