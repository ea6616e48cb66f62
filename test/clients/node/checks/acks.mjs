// Acknowledgements, both ways.

import assert from "node:assert/strict";
import { next } from "../lib/harness.mjs";
import { ask } from "../lib/client.mjs";

export default function (checks, clients) {
  checks.add("acknowledgement with several arguments", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "echo", 1, "2", [3], { 4: null }), [1, "2", [3], { 4: null }]);
  });

  checks.add("acknowledgement without arguments", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "echo"), []);
  });

  if (clients.modern) {
    checks.add("emitWithAck", async (defer) => {
      const socket = await clients.connect(defer);
      assert.equal(await socket.emitWithAck("add", 20, 22), 42);
    });
  }

  checks.add("a hundred acknowledgements at once reach their callers", async (defer) => {
    const socket = await clients.connect(defer);
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(socket, "add", i, i)));
    assert.deepEqual(replies, Array.from({ length: 100 }, (_, i) => [2 * i]));
  });

  if (clients.modern) {
    checks.add("a missing acknowledgement times out at the client", async (defer) => {
      const socket = await clients.connect(defer);
      await assert.rejects(socket.timeout(100).emitWithAck("never-acks"), /operation has timed out/);
      assert.deepEqual(await ask(socket, "echo", "alive"), ["alive"]);
    });
  }

  checks.add("the server asks and gets the answer", async (defer) => {
    const socket = await clients.connect(defer);
    socket.on("question", (text, number, reply) => reply({ text: `${text}!`, number: number + 1 }, "second"));
    const got = next(socket, "answered");
    socket.emit("ask-me", "well", 41);
    assert.deepEqual(await got, [{ text: "well!", number: 42 }, "second"]);
  });

  checks.add("the server asks and gets binary in the answer", async (defer) => {
    const socket = await clients.connect(defer);
    socket.on("question-binary", (bytes, reply) => reply(Buffer.from(bytes).reverse()));
    const [got] = await ask(socket, "ask-me-binary", Buffer.from([1, 2, 3]));
    assert.deepEqual([...got], [3, 2, 1]);
  });

  checks.add("the server stops waiting for an answer", async (defer) => {
    const socket = await clients.connect(defer);
    const late = new Promise((done) => socket.on("silence", done));
    const [timedOut] = await ask(socket, "ask-me-in-vain");
    assert.equal(timedOut, true);
    // An answer that comes too late, or twice, is ignored.
    const reply = await late;
    reply("too late");
    assert.deepEqual(await ask(socket, "echo", "alive"), ["alive"]);
  });

  checks.add("the server asks asynchronously", async (defer) => {
    const socket = await clients.connect(defer);
    socket.on("question", (text, number, reply) => reply({ text, number }, "async"));
    const got = next(socket, "answered");
    socket.emit("ask-me-async", "hm", 7);
    assert.deepEqual(await got, [{ text: "hm", number: 7 }, "async"]);
  });
}
