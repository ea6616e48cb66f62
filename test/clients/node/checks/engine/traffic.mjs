// Numbered messages both ways while many clients change their transport: none
// lost, doubled or out of order.

import assert from "node:assert/strict";
import http from "node:http";
import { collect, until } from "../../lib/harness.mjs";

const CLIENTS = 200;
const MESSAGES = 200;
/** So many of the messages are held back until the transport is settled. */
const AFTER = 50;

const numbers = Array.from({ length: MESSAGES }, (_, i) => String(i));

export default function (checks, clients) {
  // E72, E73, E98
  checks.add(`${MESSAGES} numbers each way from ${CLIENTS} clients at once`, async (defer) => {
    // Connections are kept alive, as in a browser: with one for each request, the
    // clients together would use up the ports of this machine.
    const agent = new http.Agent({ keepAlive: true });
    defer(() => agent.destroy());
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const socket = await clients.open(defer, { agent });
        const seen = collect(socket, "message");
        const closed = collect(socket, "close");
        socket.send(`!push ${MESSAGES} ${AFTER} ${clients.settled}`);
        for (const n of numbers) {
          if (n === String(MESSAGES - AFTER)) {
            await until(() => socket.transport.name === clients.settled || closed.length > 0);
          }
          socket.send(`#${n}`);
          if (n % 4 === 0) {
            await new Promise((done) => setTimeout(done, 1));
          }
        }
        socket.send("!numbers");
        const isList = ([data]) => data.startsWith("numbers ");
        await until(() => (seen.length > MESSAGES && seen.some(isList)) || closed.length > 0);
        assert.deepEqual(closed, []);
        assert.deepEqual(seen.find(isList)[0].slice(8).split(","), numbers, "client to server");
        const pushed = seen.filter((m) => !isList(m)).map(([data]) => data);
        assert.deepEqual(pushed, numbers.map((n) => `#${n}`), "server to client");
        assert.equal(socket.transport.name, clients.settled);
      }),
    );
  });
}
