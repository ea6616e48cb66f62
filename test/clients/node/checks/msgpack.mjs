// What MessagePack has and JSON has not, and packets that are none.

import assert from "node:assert/strict";
import { ask, connected } from "../lib/client.mjs";
import { next } from "../lib/harness.mjs";

const DATES = ["2026-11-25T13:59:26.123Z", "1969-07-20T20:17:40.001Z", "1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"];

const NUMBERS = [
  0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -32, -33, -128, -129, -32768,
  -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53) + 1, 0.1, -1.5, 1.5e-300, 5e-324,
];

export default function (checks, clients) {
  // S14.3
  checks.add("dates stay dates", async (defer) => {
    const socket = await clients.connect(defer);
    const dates = DATES.map((text) => new Date(text));
    assert.deepEqual(await ask(socket, "echo", ...dates), dates, "raw");
    assert.deepEqual(await ask(socket, "echo-any", { dates }), [{ dates }], "through an any");
    assert.deepEqual(await ask(socket, "echo-time", { at: dates[0], list: dates }), [{ at: dates[0], list: dates }]);
  });

  checks.add("all sizes of numbers", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "echo-any", NUMBERS), [NUMBERS]);
    assert.deepEqual(await ask(socket, "echo-any", [NaN, Infinity, -Infinity]), [[NaN, Infinity, -Infinity]]);
    const integers = NUMBERS.filter(Number.isInteger).filter((n) => Math.abs(n) < 2 ** 53);
    assert.deepEqual(await ask(socket, "echo-integers", integers), [integers]);
  });

  checks.add("undefined is null", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "echo-any", undefined), [null]);
    assert.deepEqual(await ask(socket, "echo-any", { a: undefined, b: [undefined] }), [{ a: null, b: [null] }]);
    assert.deepEqual(await ask(socket, "echo", undefined, 1), [undefined, 1], "raw it stays what it is");
  });

  checks.add("an ArrayBuffer is binary data", async (defer) => {
    const socket = await clients.connect(defer);
    const { buffer } = new Uint8Array([1, 2, 3]);
    assert.deepEqual(await ask(socket, "echo-any", buffer), [Buffer.from([1, 2, 3])]);
    const large = new ArrayBuffer(100_000);
    const [back] = await ask(socket, "echo-any", { large });
    assert.equal(back.large.length, 100_000);
  });

  // S2.17
  checks.add("an event's name may be a number", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, 7, "seven"), ["seven"]);
  });

  checks.add("long arrays, maps and strings", async (defer) => {
    const socket = await clients.connect(defer);
    for (const n of [15, 16, 31, 32, 255, 256, 65535, 65536]) {
      const list = Array.from({ length: n }, (_, i) => i % 100);
      const map = Object.fromEntries(list.map((_, i) => [`k${i}`, i]));
      const text = "ü".repeat(n / 2);
      const bytes = Buffer.alloc(n, 7);
      for (const value of [list, map, text, bytes]) {
        assert.deepEqual(await ask(socket, "echo-any", value), [value]);
      }
    }
  });

  // S14.5
  checks.add("a packet that is none ends the connection", async (defer) => {
    for (const bad of [Buffer.from([0xc1]), Buffer.from([0x82]), "2[]", Buffer.from([0x80])]) {
      const socket = await clients.connectSettled(defer);
      const other = await clients.connect(defer);
      const { id } = socket;
      const gone = next(socket, "disconnect");
      socket.io.engine.write(bad);
      await gone;
      assert.deepEqual(await ask(other, "reason-of", id), ["forced close"]);
    }
  });

  checks.add("a reserved name ends the connection", async (defer) => {
    const socket = await clients.connectSettled(defer);
    const gone = next(socket, "disconnect");
    socket.packet({ type: 2, data: ["disconnect"], options: {} });
    await gone;
  });

  checks.add("auth with dates and binary data", async (defer) => {
    const socket = clients.open(defer, { auth: { at: new Date(0), raw: Buffer.from("hi"), none: undefined } });
    await connected(socket);
    const [seen] = await ask(socket, "handshake");
    assert.deepEqual(seen.auth, { at: "1970-01-01T00:00:00.000Z", raw: "aGk=", none: null });
  });
}
