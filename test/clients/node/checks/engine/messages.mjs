// Text and bytes there and back.

import assert from "node:assert/strict";
import { collect, until } from "../../lib/harness.mjs";
import { exchange } from "../../lib/engine.mjs";

/** n bytes that run through every value. */
const blob = (n) => Buffer.from(Uint8Array.from({ length: n }, (_, i) => i));

export default function (checks, clients) {
  // E49, E65, E86, E91, E97
  checks.add("texts come back as they were", async (defer) => {
    const socket = await clients.open(defer);
    const texts = ["hello", "", "4", "b", "€ ¥ 日本語", "😀 \u{10ffff}", "a\nb\\n\u2028\u0000", "x".repeat(125), "x".repeat(126), "ü".repeat(40_000)];
    for (const text of texts) {
      assert.equal((await exchange(socket, text)) ?? "", text);
    }
  });

  // E49, E65, E92
  checks.add("bytes come back as they were", async (defer) => {
    const socket = await clients.open(defer);
    for (const n of [1, 2, 3, 4, 125, 126, 65_535, 65_536]) {
      const got = await exchange(socket, blob(n));
      assert.ok(blob(n).equals(Buffer.from(got)), `${n} bytes`);
    }
  });

  // E66
  checks.add("no bytes at all come back", async (defer) => {
    const socket = await clients.openSettled(defer);
    const got = await exchange(socket, Buffer.alloc(0));
    assert.equal(Buffer.from(got).length, 0);
  });

  // E38
  checks.add("bytes come as base64 where asked for", async (defer) => {
    const socket = await clients.openSettled(defer, { forceBase64: true });
    const got = await exchange(socket, blob(300));
    assert.ok(blob(300).equals(Buffer.from(got)));
  });

  // E41, E49, E92
  checks.add("texts and bytes keep their order", async (defer) => {
    const socket = await clients.open(defer);
    const seen = collect(socket, "message");
    const sent = Array.from({ length: 60 }, (_, i) => (i % 3 === 1 ? blob(i) : `text ${i}`));
    sent.forEach((data) => socket.send(data));
    await until(() => seen.length === sent.length);
    const plain = (data) => (typeof data === "string" ? data : Buffer.from(data).toString("hex"));
    assert.deepEqual(seen.map(([data]) => plain(data)), sent.map(plain));
  });

  // E4, E98
  checks.add("big messages pass", async (defer) => {
    const socket = await clients.openSettled(defer);
    const text = "0123456789".repeat(90_000);
    assert.ok((await exchange(socket, text)) === text);
    const got = await exchange(socket, blob(700_000));
    assert.ok(blob(700_000).equals(Buffer.from(got)));
  });

  // E97: heartbeats go on between
  checks.add("a hundred messages of 64 KiB pass", async (defer) => {
    const socket = await clients.openSettled(defer);
    const seen = collect(socket, "message");
    for (let i = 0; i < 100; i++) {
      socket.send(String(i).padStart(65_536, "."));
      await until(() => seen.length > i - 4);
    }
    await until(() => seen.length === 100);
    assert.ok(seen.every(([data], i) => data === String(i).padStart(65_536, ".")));
  });
}
