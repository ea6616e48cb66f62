// Binary arguments anywhere in the data, both ways.

import assert from "node:assert/strict";
import { next } from "../lib/harness.mjs";
import { ask } from "../lib/client.mjs";

/** A buffer with every byte value, `n` bytes long. */
function bytes(n) {
  return Buffer.from(Uint8Array.from({ length: n }, (_, i) => i & 0xff));
}

export default function (checks, clients) {
  checks.add("binary argument as event and as acknowledgement", async (defer) => {
    const socket = await clients.connect(defer);
    const got = next(socket, "echo");
    socket.emit("echo", bytes(300), "text", bytes(3));
    assert.deepEqual(await got, [bytes(300), "text", bytes(3)]);
    assert.deepEqual(await ask(socket, "echo", bytes(256)), [bytes(256)]);
  });

  checks.add("binary nested in objects and arrays", async (defer) => {
    const socket = await clients.connect(defer);
    const value = { list: [bytes(1), { deep: [bytes(2)] }], plain: "x", map: { a: bytes(0), b: bytes(70_000) } };
    assert.deepEqual(await ask(socket, "echo", value, [bytes(5)]), [value, [bytes(5)]]);
    assert.deepEqual(await ask(socket, "echo-any", value), [value]);
  });

  checks.add("typed arrays and ArrayBuffer", async (defer) => {
    const socket = await clients.connect(defer);
    const whole = Uint8Array.from([9, 8, 7, 6, 5]);
    const reply = await ask(socket, "echo", whole.subarray(1, 3), whole.buffer);
    const want = [Buffer.from([8, 7]), Buffer.from([9, 8, 7, 6, 5])];
    // The encoder of the MessagePack client takes a view for all of its buffer, and gives it back as one.
    assert.deepEqual(reply, clients.parser ? [whole.buffer, whole.buffer] : want);
  });

  checks.add("an empty buffer is still binary", async (defer) => {
    const socket = await clients.connect(defer);
    const [got] = await ask(socket, "echo", Buffer.alloc(0));
    assert.ok(Buffer.isBuffer(got) && got.length === 0, String(got));
  });

  checks.add("binary in the fields of a struct", async (defer) => {
    const socket = await clients.connect(defer);
    const person = {
      name: "Ada",
      photo: bytes(1000),
      tags: ["a", "b"],
      files: { one: bytes(1), two: bytes(2) },
      parts: [bytes(3), bytes(4)],
    };
    assert.deepEqual(await ask(socket, "person", person), [person, 1010]);
  });

  checks.add("the server makes binary of its own", async (defer) => {
    const socket = await clients.connect(defer);
    const got = next(socket, "made");
    socket.emit("make-binary", 500);
    assert.deepEqual(await got, [{ count: 500, parts: [bytes(500), { inner: bytes(1) }] }, bytes(2)]);
  });

  checks.add("text that looks like a placeholder stays text", async (defer) => {
    const socket = await clients.connect(defer);
    const value = { _placeholder: true, num: 0 };
    assert.deepEqual(await ask(socket, "echo", value), [value]);
  });

  checks.add("binary and text events keep their order", async (defer) => {
    const socket = await clients.connect(defer);
    const order = [];
    socket.on("echo", (value) => order.push(Buffer.isBuffer(value) ? value.readUInt16BE() : value));
    for (let i = 0; i < 100; i++) {
      const binary = Buffer.alloc(2);
      binary.writeUInt16BE(i);
      socket.emit("echo", i % 2 ? binary : i);
    }
    await ask(socket, "echo", "fence");
    assert.deepEqual(order, Array.from({ length: 100 }, (_, i) => i));
  });
}
