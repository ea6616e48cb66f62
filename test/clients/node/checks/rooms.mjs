// Rooms and broadcasts. That something does NOT arrive is shown by a fence: an
// acknowledged event to the same client, which cannot overtake the broadcast.

import assert from "node:assert/strict";
import { collect } from "../lib/harness.mjs";
import { ask } from "../lib/client.mjs";

/** Waits until everything the server has sent to these sockets so far has arrived. */
function fence(...sockets) {
  return Promise.all(sockets.map((s) => ask(s, "echo", "fence")));
}

export default function (checks, clients) {
  checks.add("join, leave and the list of rooms", async (defer) => {
    const socket = await clients.connect(defer);
    assert.deepEqual(await ask(socket, "rooms"), [[socket.id]]);
    await ask(socket, "join", "red");
    await ask(socket, "join", "blue");
    assert.deepEqual((await ask(socket, "rooms"))[0].sort(), [socket.id, "red", "blue"].sort());
    await ask(socket, "leave", "red");
    assert.deepEqual((await ask(socket, "rooms"))[0].sort(), [socket.id, "blue"].sort());
  });

  checks.add("a room gets what is sent to it, others do not", async (defer) => {
    const [a, b, c] = await clients.many(defer, 3);
    const room = `room of ${a.id}`;
    await Promise.all([ask(a, "join", room), ask(b, "join", room)]);
    const [atA, atB, atC] = [a, b, c].map((s) => collect(s, "room"));

    await ask(a, "to-room", room, "others");
    await ask(a, "in-room", room, "all");
    await fence(a, b, c);
    assert.deepEqual(atA, [["all"]]);
    assert.deepEqual(atB, [["others"], ["all"]]);
    assert.deepEqual(atC, []);

    await ask(c, "to-room", room, "from outside");
    await ask(b, "leave", room);
    await ask(a, "in-room", room, "after leaving");
    await fence(a, b, c);
    assert.deepEqual(atA, [["all"], ["from outside"], ["after leaving"]]);
    assert.deepEqual(atB, [["others"], ["all"], ["from outside"]]);
  });

  checks.add("a socket in two rooms gets one copy, except leaves out", async (defer) => {
    const [a, b, c] = await clients.many(defer, 3);
    const [one, two] = [`one ${a.id}`, `two ${a.id}`];
    await Promise.all([ask(a, "join", one), ask(a, "join", two), ask(b, "join", one), ask(c, "join", two)]);
    const [atA, atB, atC] = [a, b, c].map((s) => collect(s, "room"));
    await ask(a, "in-rooms", [one, two], [], "both");
    await ask(a, "in-rooms", [one], [two], "one but not two");
    await fence(a, b, c);
    assert.deepEqual(atA, [["both"]]);
    assert.deepEqual(atB, [["both"], ["one but not two"]]);
    assert.deepEqual(atC, [["both"]]);
  });

  checks.add("a socket's own id is a room", async (defer) => {
    const [a, b] = await clients.many(defer, 2);
    const [atA, atB] = [a, b].map((s) => collect(s, "room"));
    await ask(a, "to-room", b.id, "private");
    await fence(a, b);
    assert.deepEqual(atA, []);
    assert.deepEqual(atB, [["private"]]);
  });

  checks.add("broadcast to all others", async (defer) => {
    const [a, b, c] = await clients.many(defer, 3);
    const [atA, atB, atC] = [a, b, c].map((s) => collect(s, "shout"));
    await ask(a, "shout", a.id, { n: 1 });
    await fence(a, b, c);
    const mine = (seen) => seen.filter(([id]) => id === a.id);
    assert.deepEqual(mine(atA), []);
    assert.deepEqual(mine(atB), [[a.id, { n: 1 }]]);
    assert.deepEqual(mine(atC), [[a.id, { n: 1 }]]);
  });

  checks.add("broadcast to everyone, with binary", async (defer) => {
    const sockets = await clients.many(defer, 3);
    const seen = sockets.map((s) => collect(s, "news"));
    const id = sockets[0].id;
    await ask(sockets[0], "everyone", id, { photo: Buffer.from([1, 2, 3]) });
    await fence(...sockets);
    for (const list of seen) {
      assert.deepEqual(list.filter(([from]) => from === id), [[id, { photo: Buffer.from([1, 2, 3]) }]]);
    }
  });

  checks.add("a room forgets a socket that left the server", async (defer) => {
    const [a, b] = await clients.many(defer, 2);
    const room = `gone ${a.id}`;
    await Promise.all([ask(a, "join", room), ask(b, "join", room)]);
    assert.deepEqual(await ask(a, "room-size", room), [2]);
    const id = b.id;
    b.disconnect();
    await ask(a, "reason-of", id);
    assert.deepEqual(await ask(a, "room-size", room), [1]);
  });
}
