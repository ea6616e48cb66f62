// Numbered messages both ways while connections change their transport: none
// lost, doubled or reordered.

import assert from "node:assert/strict";
import { collect, until } from "../lib/harness.mjs";
import { ask, connected } from "../lib/client.mjs";

const CLIENTS = 20;
const MESSAGES = 200;
/** So many of the messages are held back until the transport is settled. */
const AFTER = 50;

const numbers = Array.from({ length: MESSAGES }, (_, i) => i);

export default function (checks, clients) {
  checks.add(`${MESSAGES} numbered messages each way from ${CLIENTS} clients`, async (defer) => {
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const socket = clients.open(defer);
        await connected(socket);
        const answers = collect(socket, "answer");
        const pushed = collect(socket, "push");
        // The server pushes on its own account while it also answers ours.
        socket.emit("push-me", MESSAGES);
        const { engine } = socket.io;
        for (const n of numbers) {
          if (n === MESSAGES - AFTER) {
            await until(() => engine.transport.name === clients.settled);
          }
          socket.emit("number", n);
          if (n % 3 === 0) {
            await new Promise((done) => setImmediate(done));
          }
        }
        await until(() => pushed.length >= MESSAGES && answers.length >= MESSAGES);
        const [received] = await ask(socket, "numbers");
        assert.deepEqual(received, numbers, "client to server");
        assert.deepEqual(answers.map(([n]) => n), numbers, "answers of the server");
        assert.deepEqual(pushed.map(([n]) => n), numbers, "pushed by the server");
        assert.equal(engine.transport.name, clients.settled);
      }),
    );
  });
}
