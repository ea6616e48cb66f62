// The MessagePack build of the client that the server itself hands out, in a page, on every
// transport.

import assert from "node:assert/strict";
import { MODES } from "../lib/client.mjs";
import { Visitor } from "../lib/browser.mjs";

/** Runs in the page: sends what MessagePack can carry, both ways, and says what came back. */
async function talk({ transports, last }) {
  const options = { transports, forceNew: true, reconnection: false };
  const connect = (url, more) =>
    new Promise((done, no) => {
      const socket = window.io(url, { ...options, ...more });
      socket.on("connect", () => done(socket));
      socket.on("connect_error", no);
    });
  const socket = await connect("/");
  const { engine } = socket.io;
  if (engine.transport.name !== last) {
    await new Promise((done) => engine.once("upgrade", done));
  }
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);
  const same = (b) => (b instanceof ArrayBuffer ? new Uint8Array(b) : b).every((v, i) => v === bytes[i]) && b.byteLength;
  const ask = (...args) => socket.timeout(10_000).emitWithAck(...args);
  const date = new Date(1700000000123);
  const text = await ask("echo", "grüße ☃ 😀");
  const any = await ask("echo-any", { at: date, list: [bytes.buffer], none: null, half: 0.5, big: 2 ** 53 - 1 });
  const times = await ask("echo-time", { at: date, list: [date] });
  const event = new Promise((done) => socket.once("echo", (...args) => done(args)));
  socket.emit("echo", bytes.buffer, 7);
  const [back, seven] = await event;
  socket.on("question", (a, n, answer) => answer({ text: a + "!", number: n + 1 }, "second"));
  const answered = new Promise((done) => socket.once("answered", (...args) => done(args)));
  socket.emit("ask-me", "q", 1);
  const refused = await connect("/admin", { auth: { token: "wrong" } }).catch((err) => ({ message: err.message, data: err.data }));
  const admin = await connect("/admin", { auth: { token: "secret", user: "ada" } });
  const result = {
    transport: engine.transport.name,
    text,
    dates: [any.at, times.at, times.list[0]].map((d) => d instanceof Date && d.getTime()),
    numbers: [any.none, any.half, any.big, seven],
    binary: [same(any.list[0]), same(back)],
    answered: await answered,
    refused,
    user: await admin.timeout(10_000).emitWithAck("whoami"),
  };
  const gone = new Promise((done) => socket.on("disconnect", done));
  socket.emit("kick", true);
  result.reason = await gone;
  admin.disconnect();
  return result;
}

export default function (checks, { browser, url }) {
  for (const [mode, transports] of Object.entries(MODES)) {
    checks.add(`MessagePack bundle in a page: ${mode}`, async (defer) => {
      const visitor = await Visitor.open(browser, defer, url);
      await visitor.page.addScriptTag({ url: "/socket.io/socket.io.msgpack.min.js" });
      const last = transports.at(-1);
      const result = await visitor.page.evaluate(talk, { transports, last });
      assert.deepEqual(result, {
        transport: last,
        text: "grüße ☃ 😀",
        dates: [1700000000123, 1700000000123, 1700000000123],
        numbers: [null, 0.5, 2 ** 53 - 1, 7],
        binary: [5000, 5000],
        answered: [{ text: "q!", number: 2 }, "second"],
        refused: { message: "not authorized", data: { code: 401, hint: "token" } },
        user: "ada",
        reason: "io server disconnect",
      });
      visitor.clean();
    });
  }
}
