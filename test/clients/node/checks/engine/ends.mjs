// How sessions end, and what each side says of it.

import assert from "node:assert/strict";
import { collect, next } from "../../lib/harness.mjs";
import { endOf, exchange, reasonOf } from "../../lib/engine.mjs";

export default function (checks, clients) {
  // E51, E68, E82
  checks.add("the client closes", async (defer) => {
    const watcher = await clients.open(defer);
    const socket = await clients.openSettled(defer);
    const { id } = socket;
    const gone = next(socket, "close");
    socket.close();
    assert.equal((await gone)[0], "forced close");
    assert.equal(await reasonOf(watcher, id), "transport close");
  });

  // E42, E51, E68
  checks.add("what the client sends before it closes arrives", async (defer) => {
    const watcher = await clients.open(defer);
    const socket = await clients.openSettled(defer);
    const { id } = socket;
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    for (const i of numbers) {
      socket.send(`#${i}`);
    }
    socket.close();
    assert.deepEqual(await endOf(watcher, id), { reason: "transport close", numbers });
  });

  // E61, E68, E88
  checks.add("the server closes behind its last words", async (defer) => {
    const watcher = await clients.open(defer);
    const socket = await clients.openSettled(defer);
    const { id } = socket;
    const seen = collect(socket, "message");
    const gone = next(socket, "close");
    socket.send("!close");
    assert.equal((await gone)[0], "transport close");
    assert.deepEqual(seen, [["last words"]]);
    assert.equal(await reasonOf(watcher, id), "forced close");
  });

  // E88
  checks.add("the server closes at once", async (defer) => {
    const watcher = await clients.open(defer);
    const socket = await clients.openSettled(defer);
    const { id } = socket;
    const gone = next(socket, "close");
    socket.send("!discard");
    // A polling client may poll just behind the end, and is refused then.
    assert.match((await gone)[0], clients.settled === "polling" ? /^transport (close|error)$/ : /^transport close$/);
    assert.equal(await reasonOf(watcher, id), "forced close");
  });

  // E68
  if (clients.settled === "websocket") {
    checks.add("the connection is cut", async (defer) => {
      const watcher = await clients.open(defer);
      const socket = await clients.openSettled(defer);
      const { id } = socket;
      socket.transport.ws._socket.destroy();
      assert.equal(await reasonOf(watcher, id), "transport close");
    });
  }

  // E46, E68, W4
  checks.add("a message over the limit", async (defer) => {
    const watcher = await clients.open(defer);
    const socket = await clients.openSettled(defer);
    const { id } = socket;
    const gone = next(socket, "close");
    socket.send("x".repeat(1_000_001));
    assert.match((await gone)[0], /^transport (close|error)$/);
    if (clients.settled === "websocket") {
      assert.equal(await reasonOf(watcher, id), "transport error");
    }
    assert.equal(await exchange(watcher, "fine"), "fine");
  });

  // E77, E78, E82
  checks.add("a client without a heartbeat", async (defer) => {
    const socket = clients.start(defer, { url: clients.hasty });
    const { sendPacket } = socket;
    // Protocol 4: no pong. Protocol 3: no ping.
    const dropped = clients.protocol === 3 ? "ping" : "pong";
    const mute = (type, ...rest) => type !== dropped && sendPacket.call(socket, type, ...rest);
    socket.sendPacket = socket._sendPacket = mute;
    socket.onHeartbeat = () => {}; // of protocol 3: or it would be the first to give up, at times
    await next(socket, "open");
    const { id } = socket;
    await next(socket, "close");
    const watcher = await clients.open(defer);
    assert.equal(await reasonOf(watcher, id), "ping timeout");
  });
}
