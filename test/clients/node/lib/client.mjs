// Opens socket.io-client sockets in one of the three transport modes.

import { io, Manager } from "socket.io-client";

/** The transports of each mode, as socket.io-client takes them. */
export const MODES = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
};

/** Opens sockets against one server in one mode. */
export class Clients {
  /** `parser` is the form of packets, if not the client's own. */
  constructor(url, mode, parser) {
    if (!MODES[mode]) {
      throw new Error(`unknown mode ${mode}`);
    }
    this.url = url;
    this.mode = mode;
    this.parser = parser;
  }

  /** Whether the sockets have all that today's client can do. */
  get modern() {
    return true;
  }

  /** The transport a connection of this mode ends on. */
  get settled() {
    return this.mode === "polling" ? "polling" : "websocket";
  }

  options(extra) {
    const options = { transports: MODES[this.mode], forceNew: true, reconnection: false, timeout: 20_000 };
    return { ...options, ...(this.parser && { parser: this.parser }), ...extra };
  }

  /** A socket that has not connected yet; closed after the check. */
  open(defer, { nsp = "/", ...extra } = {}) {
    const socket = io(new URL(nsp, this.url).href, this.options(extra));
    defer(() => {
      socket.io.reconnection(false);
      socket.disconnect();
    });
    return socket;
  }

  /** A connected socket. */
  async connect(defer, extra) {
    const socket = this.open(defer, extra);
    await connected(socket);
    return socket;
  }

  /** A connected socket whose connection is on its final transport. */
  async connectSettled(defer, extra) {
    const socket = await this.connect(defer, extra);
    await settled(socket, this.settled);
    return socket;
  }

  /** Several connected sockets, each on a connection of its own. */
  many(defer, n) {
    return Promise.all(Array.from({ length: n }, () => this.connect(defer)));
  }

  /** A manager: several namespaces over one connection. */
  manager(defer, extra) {
    const manager = new Manager(this.url, this.options(extra));
    defer(() => manager._close());
    return manager;
  }
}

/** Resolves when the socket is connected, fails with its connect error. */
export function connected(socket) {
  if (socket.connected) {
    return Promise.resolve(socket);
  }
  return new Promise((done, fail) => {
    socket.once("connect", () => done(socket));
    socket.once("connect_error", fail);
  });
}

/** Resolves when the socket's connection runs on the named transport. */
export async function settled(socket, transport) {
  const { engine } = socket.io;
  if (engine.transport.name !== transport) {
    await new Promise((done, fail) => {
      engine.once("upgrade", done);
      engine.once("upgradeError", fail);
    });
  }
}

/** Emits with an acknowledgement and resolves with all of its arguments. */
export function ask(socket, event, ...args) {
  return new Promise((done, fail) => {
    if (!socket.timeout) { // the old client has none; the check itself has a deadline
      socket.emit(event, ...args, (...reply) => done(reply));
      return;
    }
    socket.timeout(20_000).emit(event, ...args, (err, ...reply) => (err ? fail(err) : done(reply)));
  });
}
