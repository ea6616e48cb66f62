// Checks that a server has the bench application: node check.mjs URL
//
// It uses the client that the tests have installed (`make tools`).
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../test/clients/node/package.json", import.meta.url));
const { io } = require("socket.io-client");
const url = process.argv[2];

const open = (transports) => new Promise((done, fail) => {
  const socket = io(url, { transports, forceNew: true, reconnection: false });
  socket.once("connect", () => done(socket));
  socket.once("connect_error", fail);
});
const next = (socket, event) => new Promise((done) => socket.once(event, (...args) => done(args)));
const ask = (socket, ...args) => new Promise((done, fail) => {
  socket.timeout(5000).emit(...args, (err, ...answer) => (err ? fail(new Error(`${args[0]}: ${err.message}`)) : done(answer)));
});

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  const [a, b] = [await open(transports), await open(transports)];
  assert.deepEqual(await ask(a, "echo", "text", 1), ["text", 1]);
  const all = [next(a, "bcast"), next(b, "bcast")];
  a.emit("bcast", "y", 2);
  assert.deepEqual(await Promise.all(all), [["y", 2], ["y", 2]]);
  await ask(b, "join", "room");
  const one = next(b, "rcast");
  a.once("rcast", () => assert.fail("it is not in the room"));
  a.emit("rcast", "room", "z", 3);
  assert.deepEqual(await one, ["z", 3]);
  await ask(b, "leave", "room");
  a.close();
  b.close();
  console.log("ok", transports.join("+"));
}
