// The client that the server itself hands out, in a page, on every transport.

import assert from "node:assert/strict";
import { ServerProcess } from "../lib/server.mjs";
import { MODES } from "../lib/client.mjs";
import { Visitor } from "../lib/browser.mjs";

/** Runs in the page: echoes text and binary, both ways, and says how it went. */
async function talk({ transports, last }) {
  const socket = window.io({ transports, forceNew: true, reconnection: false });
  const fail = (what) => (err) => Promise.reject(new Error(`${what}: ${err?.message ?? err}`));
  await new Promise((done, no) => {
    socket.on("connect", done);
    socket.on("connect_error", no);
  }).catch(fail("connecting"));
  const { engine } = socket.io;
  if (engine.transport.name !== last) {
    await new Promise((done) => engine.once("upgrade", done));
  }
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);
  const ask = (...args) => socket.timeout(10_000).emitWithAck("echo", ...args);
  const text = await ask("grüße ☃ 😀").catch(fail("text"));
  const nested = await ask({ list: [bytes.buffer], blob: new Blob([bytes]) }).catch(fail("binary"));
  const event = new Promise((done) => socket.once("echo", (...args) => done(args)));
  socket.emit("echo", bytes, 7);
  const [back, seven] = await event;
  const same = (buffer) => buffer instanceof ArrayBuffer && new Uint8Array(buffer).every((b, i) => b === bytes[i]);
  const result = {
    transport: engine.transport.name,
    text,
    binary: [nested.list[0], nested.blob, back].map((b) => same(b) && b.byteLength),
    seven,
  };
  socket.disconnect();
  return result;
}

export default function (checks, { browser, binary }) {
  for (const [mode, transports] of Object.entries(MODES)) {
    checks.add(`bundle in a page: ${mode}`, async (defer) => {
      const server = await new ServerProcess(binary, "bench").start();
      defer(() => server.stop());
      const visitor = await Visitor.open(browser, defer, server.url);
      await visitor.page.addScriptTag({ url: "/socket.io/socket.io.min.js" });
      const last = transports.at(-1);
      const result = await visitor.page.evaluate(talk, { transports, last });
      assert.deepEqual(result, { transport: last, text: "grüße ☃ 😀", binary: [5000, 5000, 5000], seven: 7 });
      visitor.clean();
    });
  }

  checks.add("every file of the bundle is served", async (defer) => {
    const server = await new ServerProcess(binary, "bench").start();
    defer(() => server.stop());
    for (const name of ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"]) {
      for (const file of [name, `${name}.map`]) {
        const answer = await fetch(`${server.url}/socket.io/${file}`);
        const body = await answer.text();
        assert.equal(answer.status, 200, file);
        assert.ok(body.length > 10_000, `${file} has ${body.length} characters`);
        const again = await fetch(`${server.url}/socket.io/${file}`, {
          headers: { "If-None-Match": answer.headers.get("etag") },
        });
        assert.equal(again.status, 304, `${file} asked again`);
      }
    }
  });
}
