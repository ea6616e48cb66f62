// What today's server offers beside the basics: dynamic namespaces, what sees events on
// their way, and operations on many sockets. The client is the witness of all of it.

import assert from "node:assert/strict";
import { collect, next } from "../lib/harness.mjs";
import { ask, connected } from "../lib/client.mjs";

let rooms = 0;

/** A room that no other check uses. */
const freshRoom = (socket) => `room ${socket.id} ${++rooms}`;

/** The reason for which a socket's client says that it was disconnected. */
const reason = async (socket) => (await next(socket, "disconnect"))[0];

export default function (checks, clients) {
  // S3.4, S9.3
  checks.add("a namespace is made because a client asks for it", async (defer) => {
    const manager = clients.manager(defer);
    const name = `/room-${clients.mode}-1`;
    const room = manager.socket(name);
    const welcome = next(room, "welcome");
    await connected(room);
    assert.deepEqual(await welcome, [name]);
    assert.deepEqual(await ask(room, "where"), [name]);
    const other = await clients.connect(defer, { nsp: name });
    const heard = next(room, "from-other");
    other.emit("others", "hi");
    assert.deepEqual(await heard, ["hi"]);
  });

  checks.add("a function decides about a namespace, by the client's auth data", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    await connected(main);
    const refused = manager.socket("/private-1", { auth: { token: "guess" } });
    const [err] = await next(refused, "connect_error");
    assert.equal(err.message, "Invalid namespace");
    refused.auth = { token: "secret" };
    refused.connect();
    await connected(refused);
    assert.deepEqual(await ask(refused, "where"), ["/private-1"]);
    assert.deepEqual(await ask(main, "echo", 1), [1]);
  });

  // S9.5
  checks.add("what is sent to a parent reaches all its namespaces", async (defer) => {
    const manager = clients.manager(defer);
    const [a, b, main] = [`/room-${clients.mode}-a`, `/room-${clients.mode}-b`, "/"].map((nsp) => manager.socket(nsp));
    await Promise.all([a, b, main].map(connected));
    const heard = [a, b].map((s) => collect(s, "from-parent"));
    const wrong = collect(main, "from-parent");
    const text = `to all ${a.id}`;
    await ask(main, "to-all-rooms", text);
    await Promise.all([a, b].map((s) => ask(s, "where")));
    for (const list of heard) {
      assert.deepEqual(list.filter(([t]) => t === text), [[text, Buffer.from([1])]]);
    }
    assert.deepEqual(wrong, []);
  });

  // S8.1, S8.2 and S8.3
  checks.add("the server sees what comes and what goes", async (defer) => {
    const socket = await clients.connect(defer);
    const heard = [];
    socket.onAny((event) => heard.push(`out ${event}`));
    await ask(socket, "watch-me");
    socket.emit("nobody-listens");
    socket.emit("echo", 1);
    socket.emit("echo", Buffer.from([1]));
    socket.emit("message", "hi");
    const [seen] = await ask(socket, "seen");
    assert.deepEqual(seen.filter((l) => l.startsWith("in ")), ["in nobody-listens", "in echo", "in echo", "in message", "in seen"]);
    assert.deepEqual(seen.filter((l) => l.startsWith("out ")), heard);
    assert.deepEqual(heard, ["out echo", "out echo", "out message"]);
  });

  // S8.4
  checks.add("a middleware of events refuses and rewrites", async (defer) => {
    const socket = await clients.connect(defer);
    await ask(socket, "guard-me");
    assert.deepEqual(await ask(socket, "forbidden", 1), [{ error: "forbidden" }]);
    assert.deepEqual(await ask(socket, "rewritten", 1), ["by the middleware", Buffer.from([7])]);
    assert.deepEqual(await ask(socket, "echo", 2), [2]);
    assert.equal(socket.connected, true);
  });

  // S6.8
  checks.add("volatile events arrive whole and in order, or not at all", async (defer) => {
    const socket = await clients.connectSettled(defer);
    const got = collect(socket, "volatile");
    const done = next(socket, "volatile-done");
    socket.emit("volatile-me", 50);
    assert.deepEqual(await done, [50]);
    let last = -1;
    for (const [i, data] of got) {
      assert.ok(i > last, `${i} after ${last}`);
      assert.deepEqual(data, Buffer.from([i]));
      last = i;
    }
    assert.deepEqual(await ask(socket, "echo", 1), [1]);
  });

  // S6.9
  checks.add("what each sender emits arrives in order, whichever way it goes", async (defer) => {
    const socket = await clients.connect(defer); // in the middle of an upgrade, perhaps
    const [senders, each] = [4, 120];
    const expected = new Array(senders).fill(0);
    const wrong = [];
    const all = new Promise((done) => {
      socket.on("pushed", (sender, i, ...binary) => {
        if (expected[sender]++ !== i || (i % 4 === 1 ? binary[0]?.length !== i % 7 : binary.length !== 0)) {
          wrong.push([sender, i, binary]);
        }
        if (expected.every((n) => n === each)) {
          done();
        }
      });
    });
    socket.emit("push-from-all-sides", senders, each);
    await all;
    assert.deepEqual(wrong, []);
    assert.deepEqual(await ask(socket, "echo", 1), [1]);
  });

  checks.add("events that are not to be compressed arrive as well", async (defer) => {
    const socket = await clients.connect(defer);
    const got = collect(socket, "plain");
    const text = "long ".repeat(2000);
    socket.emit("uncompressed-me", text);
    await ask(socket, "echo", "fence");
    assert.deepEqual(got, [[text], [text]]);
  });

  // S7.9 to S7.11
  checks.add("the server asks many and gets their answers", async (defer) => {
    const [asking, ...others] = await clients.many(defer, 4);
    const room = freshRoom(asking);
    await Promise.all(others.map((s) => ask(s, "join", room)));
    others.forEach((s, i) => s.on("question-of-all", (what, answer) => answer(`${what} ${i}`)));
    const [answers, why] = await ask(asking, "ask-room", room, 20_000);
    assert.deepEqual(answers.sort(), [0, 1, 2].map((i) => `${room} ${i}`));
    assert.equal(why, "");
  });

  checks.add("the server asks many, and some do not answer in time", async (defer) => {
    const [asking, ...others] = await clients.many(defer, 3);
    const room = freshRoom(asking);
    await Promise.all(others.map((s) => ask(s, "join", room)));
    others[0].on("question-of-all", (_, answer) => answer("here"));
    assert.deepEqual(await ask(asking, "ask-room", room, 300), [["here"], "timeout"]);
    others[1].on("question-of-all", () => others[1].disconnect());
    assert.deepEqual(await ask(asking, "ask-room", room, 20_000), [["here"], "disconnected"]);
  });

  // S7.12 and S7.13
  checks.add("sockets are fetched, made to join and to leave", async (defer) => {
    const [a, b] = await Promise.all([1, 2].map((n) => clients.connect(defer, { auth: { n } })));
    const [room, other] = [freshRoom(a), freshRoom(b)];
    await Promise.all([ask(a, "join", room), ask(b, "join", room), ask(b, "set-data", { name: "b" })]);
    const [found] = await ask(a, "fetch", room);
    const byId = (x, y) => (x.id < y.id ? -1 : 1);
    assert.deepEqual(found.sort(byId), [
      { id: a.id, rooms: [a.id, room], auth: { n: 1 }, data: null },
      { id: b.id, rooms: [b.id, room], auth: { n: 2 }, data: { name: "b" } },
    ].sort(byId));
    await ask(a, "make-join", room, other);
    await ask(a, "make-leave", b.id, room);
    assert.deepEqual(await ask(b, "rooms"), [[b.id, other]]);
    assert.deepEqual(await ask(a, "rooms"), [[a.id, room, other]]);
    const heard = [a, b].map((s) => next(s, "room"));
    await ask(a, "in-room", other, "x");
    assert.deepEqual(await Promise.all(heard), [["x"], ["x"]]);
  });

  // S8.6 and S8.7
  checks.add("sockets are sent away, and do not come back by themselves", async (defer) => {
    const watcher = await clients.connect(defer);
    const [a, b] = await Promise.all([1, 2].map(() => clients.connectSettled(defer, { reconnection: true, reconnectionDelay: 10 })));
    for (const [socket, all] of [[a, false], [b, true]]) {
      const { id } = socket;
      const room = freshRoom(socket);
      await ask(socket, "join", room);
      const [why] = await Promise.all([reason(socket), ask(watcher, "make-go", room, all)]);
      assert.equal(why, "io server disconnect");
      assert.deepEqual(await ask(watcher, "reason-of", id), ["server namespace disconnect"]);
      assert.equal(socket.active, false);
      socket.connect();
      await connected(socket);
      assert.notEqual(socket.id, id);
    }
  });

  checks.add("the client says why it was disconnected", async (defer) => {
    const [mine, lost] = await Promise.all([1, 2].map(() => clients.connectSettled(defer)));
    const why = reason(mine);
    mine.disconnect();
    assert.equal(await why, "io client disconnect");
    const closed = reason(lost);
    lost.io.engine.close();
    assert.equal(await closed, "forced close");
  });

  // S2.12: whoever gets data that only look like a placeholder gets them as they are.
  checks.add("data that look like a placeholder arrive", async (defer) => {
    const [a, b] = await clients.many(defer, 2);
    const like = { _placeholder: true, num: 0 };
    const room = freshRoom(a);
    await ask(b, "join", room);
    const heard = next(b, "room");
    await ask(a, "to-room", room, [like]);
    assert.deepEqual(await heard, [[like]]);
    assert.deepEqual(await ask(a, "echo", like), [like]);
    assert.deepEqual(await ask(a, "echo-any", like), [like]);
    assert.equal(b.connected, true);
  });
}
