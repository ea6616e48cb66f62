// Opens socket.io-client 2 sockets in one of the three transport modes.

import io from "socket.io-client-2";
import { Clients } from "./client.mjs";

/** Opens sockets of the old client against one server in one mode. */
export class LegacyClients extends Clients {
  get modern() {
    return false;
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

  /** A manager: several namespaces over one connection. */
  manager(defer, extra) {
    const manager = new io.Manager(this.url, this.options(extra));
    defer(() => manager.close());
    return manager;
  }
}
