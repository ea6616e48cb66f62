// What socket.io-client 2 does in another way than today's: it is in "/" without
// asking, and gives a query where auth data would go.

import assert from "node:assert/strict";
import { next } from "../lib/harness.mjs";
import { ask, connected } from "../lib/client.mjs";

export default function (checks, clients) {
  // S5.2 to S5.5
  checks.add("ids are made of the connection's", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    const admin = manager.socket("/admin", { query: { token: "secret", user: "ada" } });
    await Promise.all([connected(main), connected(admin)]);
    assert.equal(main.id, manager.engine.id);
    assert.equal(admin.id, `/admin#${manager.engine.id}`);
    assert.deepEqual(await ask(admin, "whoami"), ["ada"]);
  });

  checks.add("a middleware refuses with its data", async (defer) => {
    const socket = clients.open(defer, { nsp: "/admin?token=wrong" });
    assert.deepEqual(await next(socket, "error"), [{ code: 401, hint: "token" }]);
    assert.equal(socket.connected, false);
  });

  checks.add("an unknown namespace is refused", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    await connected(main);
    const refused = next(manager.socket("/nowhere"), "error");
    assert.deepEqual(await refused, [{ message: "Invalid namespace" }]);
    assert.deepEqual(await ask(main, "echo", 1), [1]);
  });

  checks.add("events stay in their namespace", async (defer) => {
    const manager = clients.manager(defer);
    const main = manager.socket("/");
    const admin = manager.socket("/admin", { query: { token: "secret" } });
    await Promise.all([connected(main), connected(admin)]);
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
    const admin = manager.socket("/admin", { query: { token: "secret" } });
    await Promise.all([connected(main), connected(admin)]);
    const { id } = admin;
    admin.disconnect();
    assert.deepEqual(await ask(main, "reason-of", id), ["client namespace disconnect"]);
    assert.deepEqual(await ask(main, "echo", 1), [1]);
  });

  checks.add("the handshake reaches the server", async (defer) => {
    const socket = await clients.connect(defer, {
      query: { colour: "blue & green", n: 7 },
      extraHeaders: { "X-Test": "yes" },
      transportOptions: { polling: { extraHeaders: { "X-Test": "yes" } }, websocket: { extraHeaders: { "X-Test": "yes" } } },
    });
    const [seen] = await ask(socket, "handshake");
    assert.deepEqual(seen, { auth: {}, colour: "blue & green", n: "7", header: "yes", loopback: true });
  });
}
