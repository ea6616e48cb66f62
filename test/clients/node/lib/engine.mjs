// Opens engine.io-client sockets of either protocol in one of the three
// transport modes.

import { MODES } from "./client.mjs";
import { next } from "./harness.mjs";

/** Opens sockets against one server in one mode. */
export class EngineClients {
  #make;

  /** Loads the version of engine.io-client that speaks the protocol. */
  static async load(url, hasty, mode, protocol) {
    if (!MODES[mode]) {
      throw new Error(`unknown mode ${mode}`);
    }
    if (protocol === "3") {
      const { default: open } = await import("engine.io-client-3");
      return new EngineClients(url, hasty, mode, 3, open);
    }
    const { Socket } = await import("engine.io-client");
    return new EngineClients(url, hasty, mode, 4, (address, options) => new Socket(address, options));
  }

  constructor(url, hasty, mode, protocol, make) {
    this.url = url;
    this.hasty = hasty;
    this.mode = mode;
    this.protocol = protocol;
    this.#make = make;
  }

  /** The transport a connection of this mode ends on. */
  get settled() {
    return this.mode === "polling" ? "polling" : "websocket";
  }

  /** A socket that has not opened yet; closed after the check. */
  start(defer, { url = this.url, ...extra } = {}) {
    const socket = this.#make(url, { transports: MODES[this.mode], ...extra });
    socket.on("error", () => {}); // "close" follows, and is what checks look at
    defer(() => socket.close());
    return socket;
  }

  /** An open socket, perhaps before its upgrade. */
  async open(defer, extra) {
    const socket = this.start(defer, extra);
    await next(socket, "open");
    return socket;
  }

  /** An open socket on its final transport. */
  async openSettled(defer, extra) {
    const socket = this.start(defer, extra);
    const done = this.mode === "upgrade" ? next(socket, "upgrade") : next(socket, "open");
    await done;
    return socket;
  }
}

/** Sends a message and resolves with the next one that comes. */
export async function exchange(socket, data) {
  const answer = next(socket, "message");
  socket.send(data);
  return (await answer)[0];
}

/** How the session with this id ended for the server, asked by another session: why, and the numbers it had got. */
export async function endOf(watcher, id) {
  const answer = await exchange(watcher, `!end ${id}`);
  const [, reason, numbers] = /^end ([^:]*):(.*)$/.exec(answer);
  return { reason, numbers: numbers === "" ? [] : numbers.split(",").map(Number) };
}

/** Why the server says that the session with this id ended. */
export async function reasonOf(watcher, id) {
  return (await endOf(watcher, id)).reason;
}
