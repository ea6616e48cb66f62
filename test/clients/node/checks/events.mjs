// Events with JSON arguments, both ways.

import assert from "node:assert/strict";
import { collect, next } from "../lib/harness.mjs";
import { ask } from "../lib/client.mjs";

/** Text that breaks careless encoders: controls, separators, quotes, astral characters, HTML. */
const AWKWARD = "\u0000\u001e\u001f\n\t\"\\/ é ☃ 😀 \u2028\u2029 \ufeff <b>&amp;</b> 1-2,[3]";

export default function (checks, clients) {
  checks.add("echo event with every JSON type", async (defer) => {
    const socket = await clients.connect(defer);
    const args = [1, -2.5, "two", true, false, null, [], {}, { a: { b: [1, { c: "d" }] } }];
    const got = next(socket, "echo");
    socket.emit("echo", ...args);
    assert.deepEqual(await got, args);
  });

  checks.add("event without arguments", async (defer) => {
    const socket = await clients.connect(defer);
    const got = next(socket, "echo");
    socket.emit("echo");
    assert.deepEqual(await got, []);
  });

  checks.add("awkward text survives raw and typed handlers", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "echo", AWKWARD), [AWKWARD]);
    assert.deepEqual(await ask(socket, "echo-text", AWKWARD), [AWKWARD]);
  });

  checks.add("numbers keep their value", async (defer) => {
    const socket = await clients.connect(defer);
    const numbers = [0, -1, 0.1, -1e-7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    if (!clients.parser) {
      numbers.push(1e21, Number.MAX_VALUE); // the encoder of the MessagePack client takes 64 bits of integers
    }
    assert.deepEqual(await ask(socket, "echo", ...numbers), numbers);
    assert.deepEqual(await ask(socket, "echo-any", numbers), [numbers]);
  });

  checks.add("missing arguments are zero values, surplus ones are ignored", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "defaults"), ["", 0, null]);
    assert.deepEqual(await ask(socket, "defaults", "a"), ["a", 0, null]);
    assert.deepEqual(await ask(socket, "defaults", "a", 2, { x: 3 }, "surplus"), ["a", 2, { x: 3 }]);
  });

  checks.add("send and message", async (defer) => {
    const socket = await clients.connect(defer);
    const got = next(socket, "message");
    socket.send("hello", 1);
    assert.deepEqual(await got, ["hello", 1]);
  });

  if (clients.modern) {
    checks.add("catch-all listener sees the server's events", async (defer) => {
      const socket = await clients.connect(defer);
      const got = new Promise((done) => socket.onAny((...all) => done(all)));
      socket.emit("echo", "x");
      assert.deepEqual(await got, ["echo", "x"]);
    });
  }

  if (clients.modern) {
    checks.add("volatile and compress flags", async (defer) => {
      const socket = await clients.connectSettled(defer);
      const seen = collect(socket, "echo");
      socket.compress(false).emit("echo", 1);
      assert.deepEqual(await ask(socket, "echo", "fence"), ["fence"]);
      assert.deepEqual(seen, [[1]]);
      // A volatile event may be dropped, never doubled or altered.
      socket.volatile.emit("echo", 2);
      assert.deepEqual(await ask(socket, "echo", "fence"), ["fence"]);
      assert.ok(seen.length <= 2 && seen.every(([n], i) => n === i + 1), JSON.stringify(seen));
    });
  }

  checks.add("an argument of the wrong type is reported and breaks nothing", async (defer) => {
    const socket = await clients.connect(defer);
    socket.emit("add", "not", "numbers");
    assert.deepEqual(await ask(socket, "add", 2, 3), [5]);
    const [errors] = await ask(socket, "errors-of", socket.id);
    assert.equal(errors.length, 1, JSON.stringify(errors));
  });

  checks.add("an unknown event breaks nothing", async (defer) => {
    const socket = await clients.connect(defer);
    socket.emit("nobody listens", { a: 1 });
    assert.deepEqual(await ask(socket, "echo", 1), [1]);
  });

  checks.add("a burst of a thousand events arrives in order", async (defer) => {
    const socket = await clients.connect(defer);
    const seen = collect(socket, "echo");
    for (let i = 0; i < 1000; i++) {
      socket.emit("echo", i);
    }
    await ask(socket, "echo", "fence");
    assert.deepEqual(seen.map(([n]) => n), Array.from({ length: 1000 }, (_, i) => i));
  });
}
