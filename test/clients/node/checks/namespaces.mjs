// Namespaces: several over one connection, middleware that refuses or accepts.

import assert from "node:assert/strict";
import { next } from "../lib/harness.mjs";
import { ask, connected } from "../lib/client.mjs";

export default function (checks, clients) {
  checks.add("refused by middleware, with message and data", async (defer) => {
    const socket = clients.open(defer, { nsp: "/admin", auth: { token: "wrong" } });
    const [err] = await next(socket, "connect_error");
    assert.equal(err.message, "not authorized");
    assert.deepEqual(err.data, { code: 401, hint: "token" });
    assert.equal(socket.connected, false);
  });

  checks.add("refused, then accepted on the same connection", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    await connected(main);
    const admin = manager.socket("/admin", { auth: {} });
    const [err] = await next(admin, "connect_error");
    assert.equal(err.message, "not authorized");
    assert.deepEqual(await ask(main, "echo", "still here"), ["still here"]);
    admin.auth = { token: "secret", user: "ada" };
    admin.connect();
    await connected(admin);
    assert.deepEqual(await ask(admin, "whoami"), ["ada"]);
  });

  checks.add("auth may come from a function", async (defer) => {
    const socket = await clients.connect(defer, {
      nsp: "/admin",
      auth: (give) => give({ token: "secret", user: "grace" }),
    });
    assert.deepEqual(await ask(socket, "whoami"), ["grace"]);
  });

  checks.add("an unknown namespace is refused", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    await connected(main);
    const nowhere = manager.socket("/nowhere");
    const [err] = await next(nowhere, "connect_error");
    assert.equal(err.message, "Invalid namespace");
    assert.deepEqual(await ask(main, "echo", 1), [1]);
  });

  checks.add("events stay in their namespace", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    const admin = manager.socket("/admin", { auth: { token: "secret" } });
    await Promise.all([connected(main), connected(admin)]);
    assert.notEqual(main.id, admin.id);
    const wrong = [];
    main.on("echo", (...args) => wrong.push(args));
    const got = next(admin, "echo");
    admin.emit("echo", "for admin", Buffer.from([1]));
    assert.deepEqual(await got, ["for admin", Buffer.from([1])]);
    await ask(main, "echo", "fence");
    assert.deepEqual(wrong, []);
  });

  checks.add("leaving one namespace leaves the other alone", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    const admin = manager.socket("/admin", { auth: { token: "secret" } });
    await Promise.all([connected(main), connected(admin)]);
    const { id } = admin;
    admin.disconnect();
    assert.deepEqual(await ask(main, "reason-of", id), ["client namespace disconnect"]);
    admin.connect();
    await connected(admin);
    assert.notEqual(admin.id, id);
    assert.deepEqual(await ask(main, "echo", 1), [1]);
  });

  checks.add("the handshake reaches the server", async (defer) => {
    const socket = await clients.connect(defer, {
      auth: { token: "t", list: [1] },
      query: { colour: "blue & green", n: 7 },
      extraHeaders: { "X-Test": "yes" },
    });
    const [seen] = await ask(socket, "handshake");
    assert.deepEqual(seen.auth, { token: "t", list: [1] });
    assert.equal(seen.colour, "blue & green");
    assert.equal(seen.n, "7");
    assert.equal(seen.header, "yes");
    assert.equal(seen.loopback, true);
  });
}
