// What a client sees of two servers behind a proxy.

import assert from "node:assert/strict";
import http from "node:http";
import { collect, next, until } from "../lib/harness.mjs";
import { ask, settled } from "../lib/client.mjs";

/** Options that connect from another address of the loopback interface. */
function from(address) {
  return { agent: new http.Agent({ localAddress: address, keepAlive: true }), withCredentials: true };
}

/** A proxy that sends each client to the same server again. */
export function routed(checks, clients, sticky) {
  checks.add("every request reaches the same server, and both get clients", async (defer) => {
    const used = new Set();
    for (let i = 0; used.size < 2; i++) {
      assert.ok(i < 64, "all clients were sent to one server");
      // By address, one client each; by cookie, all are at one address.
      const socket = await clients.connectSettled(defer, from(sticky === "address" ? `127.0.1.${i + 1}` : "127.0.1.1"));
      const [name] = await ask(socket, "who");
      for (let n = 0; n < 8; n++) {
        assert.deepEqual((await ask(socket, "who"))[0], name);
      }
      used.add(name);
    }
  });

  checks.add("the server knows the client's address, and no forged one", async (defer) => {
    const forged = {
      "X-Forwarded-For": "192.0.2.1, 127.0.0.1",
      "X-Forwarded-Proto": "https",
      Forwarded: "for=192.0.2.2;proto=https",
    };
    const socket = await clients.connectSettled(defer, { ...from("127.0.2.3"), extraHeaders: forged });
    assert.deepEqual((await ask(socket, "who")).slice(1), ["127.0.2.3", false]);
  });

  checks.add("a long wait", async (defer) => {
    const socket = await clients.connectSettled(defer, from("127.0.2.4"));
    const pings = collect(socket.io, "ping");
    const gone = collect(socket, "disconnect");
    await until(() => pings.length >= 4);
    assert.deepEqual(await ask(socket, "echo", "still here"), ["still here"]);
    assert.deepEqual(gone, []);
    assert.equal(socket.io.engine.transport.name, clients.settled);
  });

  checks.add("messages of any size, both ways", async (defer) => {
    const socket = await clients.connectSettled(defer, from("127.0.2.5"));
    for (const size of [0, 1, 100, 5_000, 70_000, 700_000]) {
      const text = "é".repeat(size / 2);
      assert.deepEqual(await ask(socket, "echo", text), [text]);
      const data = Buffer.alloc(size, size % 251);
      const [back] = await ask(socket, "echo", data);
      assert.ok(data.equals(back), `${size} bytes`);
    }
  });

  checks.add("many messages at once keep their order", async (defer) => {
    const socket = await clients.connect(defer, from("127.0.2.6"));
    const seen = collect(socket, "echo");
    for (let i = 0; i < 300; i++) {
      socket.emit("echo", i);
    }
    await settled(socket, clients.settled);
    await ask(socket, "echo", "fence");
    assert.deepEqual(seen.flat(), Array.from({ length: 300 }, (_, i) => i));
  });

  checks.add("a client that lost its connection comes back", async (defer) => {
    const socket = await clients.connectSettled(defer, {
      ...from("127.0.2.7"),
      reconnection: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
    });
    const { id } = socket;
    const again = next(socket, "connect");
    socket.io.engine.close();
    await again;
    assert.notEqual(socket.id, id);
    assert.deepEqual(await ask(socket, "echo", "back"), ["back"]);
  });
}

/** A proxy that sends each request to the next server, until told otherwise. */
export function rerouted(checks, clients, control) {
  checks.add("a session is unknown elsewhere, and the client recovers", async (defer) => {
    const socket = clients.open(defer, {
      ...from("127.0.3.1"),
      reconnection: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
    });
    const refusals = [];
    socket.io.on("open", () => {
      socket.io.engine.once("error", (err) => {
        refusals.push([err.description, err.context?.responseText]);
      });
    });
    await until(() => refusals.length >= 3);
    for (const [status, body] of refusals) {
      assert.equal(status, 400);
      assert.equal(body, '{"code":1,"message":"Session ID unknown"}');
    }
    await fetch(control, { method: "POST" });
    await until(() => socket.connected);
    const [name] = await ask(socket, "who");
    for (let n = 0; n < 8; n++) {
      assert.deepEqual(await ask(socket, "who"), [name, "127.0.3.1", false]);
    }
  });
}
