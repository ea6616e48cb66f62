// Coming back after the connection was lost. The server keeps what was missed.

import assert from "node:assert/strict";
import { collect, next, until } from "../lib/harness.mjs";
import { ask, connected } from "../lib/client.mjs";

/** Loses the connection, and resolves when the server has noticed. */
async function lose(socket, watcher) {
  const { id } = socket;
  socket.io.engine.close();
  await until(() => !socket.connected);
  assert.deepEqual(await ask(watcher, "lost", id), [true]);
}

async function comeBack(socket) {
  socket.connect();
  await connected(socket);
}

/** The arguments of events without the offset behind them. */
const without = (offset) => offset.map((args) => args.slice(0, -1));

export default function (checks, clients) {
  checks.add("a lost connection is recovered", async (defer) => {
    const [socket, other] = await clients.many(defer, 2);
    assert.equal(socket.recovered, false);
    assert.deepEqual(await ask(socket, "join", "room", "some data"), []);
    const news = collect(socket, "news");
    await ask(other, "say", "room", "before");
    await until(() => news.length === 1);
    const { id } = socket;
    await lose(socket, other);
    await ask(other, "say", "room", "meanwhile");
    await ask(other, "say", "another room", "not for us");
    await ask(other, "say", "room", new Uint8Array([1, 2, 3]));
    await ask(other, "say", id, "to its own room");
    await comeBack(socket);
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    await ask(other, "say", "room", "after");
    await until(() => news.length === 5);
    assert.deepEqual(without(news).map(([value]) => (typeof value === "string" ? value : [...value])), [
      "before", "meanwhile", [1, 2, 3], "to its own room", "after",
    ]);
    const [state] = await ask(socket, "state");
    assert.deepEqual({ ...state, rooms: state.rooms.sort() }, { rooms: [id, "room"].sort(), data: "some data", recovered: true });
  });

  checks.add("a client that said goodbye is not recovered", async (defer) => {
    const [socket, other] = await clients.many(defer, 2);
    const news = collect(socket, "news");
    await ask(socket, "join", "room", "data");
    await ask(other, "say", "room", "before");
    await until(() => news.length === 1);
    const { id } = socket;
    socket.disconnect();
    assert.deepEqual(await ask(other, "lost", id), [true]);
    await ask(other, "say", "room", "meanwhile");
    await comeBack(socket);
    assert.equal(socket.recovered, false);
    assert.notEqual(socket.id, id);
    const [state] = await ask(socket, "state");
    assert.deepEqual(state, { rooms: [socket.id], data: null, recovered: false });
    assert.equal(news.length, 1);
  });

  checks.add("what was emitted to the lost socket arrives", async (defer) => {
    const [socket, other] = await clients.many(defer, 2);
    const news = collect(socket, "news");
    const { id } = socket;
    await ask(other, "tell", id, "before");
    await until(() => news.length === 1);
    await lose(socket, other);
    await ask(other, "tell", id, "meanwhile");
    await comeBack(socket);
    await until(() => news.length === 2);
    assert.deepEqual(without(news), [["before"], ["meanwhile"]]);
  });

  checks.add("numbered events survive many losses", async (defer) => {
    const socket = await clients.connect(defer, {
      reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 5, randomizationFactor: 0,
    });
    const numbers = collect(socket, "number");
    const finished = next(socket, "finished");
    const recoveries = collect(socket, "connect");
    await ask(socket, "join", "numbers", "");
    await ask(socket, "count", true);
    for (let losses = 0; losses < 5; losses++) {
      const seen = numbers.length;
      await until(() => socket.connected && numbers.length > seen + 10);
      socket.io.engine.close();
      await until(() => !socket.connected);
    }
    await until(() => socket.connected);
    await ask(socket, "count", false);
    const [total] = await finished;
    assert.deepEqual(without(numbers), Array.from({ length: total }, (_, n) => [n]));
    assert.equal(recoveries.length, 5);
    assert.equal(socket.recovered, true);
  });
}
