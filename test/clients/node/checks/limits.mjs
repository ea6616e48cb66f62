// Message sizes at and over the server's limit (1,000,000 bytes, the default).

import assert from "node:assert/strict";
import { next } from "../lib/harness.mjs";
import { ask } from "../lib/client.mjs";

export default function (checks, clients) {
  checks.add("a large text passes", async (defer) => {
    const socket = await clients.connectSettled(defer);
    // MessagePack is binary data, which are base64 over polling, and so larger by a third.
    const text = "x".repeat(clients.parser && clients.mode === "polling" ? 700_000 : 900_000);
    const [got] = await ask(socket, "echo", text);
    assert.ok(got === text, `got ${got.length} characters`);
  });

  checks.add("a large binary passes", async (defer) => {
    const socket = await clients.connectSettled(defer);
    const data = Buffer.alloc(700_000, 7);
    const [got] = await ask(socket, "echo", data);
    assert.ok(data.equals(got), `got ${got.length} bytes`);
  });

  checks.add("a message over the limit ends the connection, the others go on", async (defer) => {
    const [watcher, socket] = [await clients.connectSettled(defer), await clients.connectSettled(defer)];
    const gone = next(socket, "disconnect");
    socket.emit("echo", "x".repeat(1_000_001));
    const [reason] = await gone;
    assert.match(reason, /^transport (error|close)$/);
    assert.deepEqual(await ask(watcher, "echo", "fine"), ["fine"]);
  });
}
