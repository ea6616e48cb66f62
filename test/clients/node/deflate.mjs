// Runs the ws package, and socket.io-client over it, with compression against a
// server of the end-to-end fixture that compresses.
//
//   node deflate.mjs --url http://127.0.0.1:3000 [--only name,name]

import assert from "node:assert/strict";
import { once } from "node:events";
import { io } from "socket.io-client";
import WebSocket from "ws";
import { Checks, flags } from "./lib/harness.mjs";

const { url, only } = flags();
const checks = new Checks();

/** What a client may offer. */
const offers = {
  "ws defaults": true,
  "no server takeover": { serverNoContextTakeover: true },
  "no client takeover": { clientNoContextTakeover: true },
  "no takeover": { serverNoContextTakeover: true, clientNoContextTakeover: true },
  "server window 8": { serverMaxWindowBits: 8 },
  "server window 9": { serverMaxWindowBits: 9, serverNoContextTakeover: true },
  "server window 15": { serverMaxWindowBits: 15 },
  "client window 9": { clientMaxWindowBits: 9 },
  "client window 15": { clientMaxWindowBits: 15 },
  "all small": { serverMaxWindowBits: 10, clientMaxWindowBits: 10, threshold: 0 },
};

/** Messages of many sizes, alike and not, in an order that makes windows matter. */
const messages = [];
for (const count of [0, 1, 20, 60, 400, 60, 2000, 30, 30]) {
  const item = (_, i) => ({ id: (i * 7919) % 10_007, name: `user-${i % 50}`, text: "grüße ".repeat(i % 5) });
  messages.push(Array.from({ length: count }, item), "x".repeat(50 * count));
}

for (const [name, perMessageDeflate] of Object.entries(offers)) {
  checks.add(`ws: ${name}`, async (defer) => {
    const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate });
    defer(async () => {
      ws.close();
      await once(ws, "close");
    });
    const waiting = [];
    const received = [];
    ws.on("message", (data) => {
      const text = data.toString();
      if (text === "2") {
        ws.send("3");
      } else if (waiting.length > 0) {
        waiting.shift()(text);
      } else {
        received.push(text);
      }
    });
    const next = () => (received.length > 0 ? received.shift() : new Promise((done) => waiting.push(done)));
    await once(ws, "open");
    assert.match(ws.extensions, /permessage-deflate/);
    assert.match(await next(), /^0{/);
    ws.send("40");
    assert.match(await next(), /^40{/);
    for (const compress of [true, false, true]) {
      for (const message of messages) {
        ws.send("42" + JSON.stringify(["echo", message]), { compress });
        assert.equal(await next(), "42" + JSON.stringify(["echo", message]));
      }
    }
  });

  checks.add(`socket.io-client: ${name}`, async (defer) => {
    const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, perMessageDeflate });
    defer(() => socket.disconnect());
    for (const message of messages) {
      assert.deepEqual(await socket.emitWithAck("echo", message), message);
      const bytes = Buffer.from(JSON.stringify(message));
      const back = await socket.emitWithAck("echo", bytes);
      assert.ok(bytes.equals(back));
    }
  });
}

process.exit((await checks.run(only)) ? 0 : 1);
