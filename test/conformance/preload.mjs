// Loaded into the suites' process before they are (node --import), so that they
// run as they are. They expect a server on port 3000: this leads their
// connections to CONFORMANCE_PORT instead.

import net from "node:net";
import process from "node:process";

const EXPECTED = 3000;
const port = Number(process.env.CONFORMANCE_PORT);

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  // Node passes on arguments that it has put in order, as one array.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (Number(options?.port) === EXPECTED) {
    options.port = port;
    options.host = "127.0.0.1";
  }
  return connect.apply(this, args);
};

// The suite of Engine.IO 3 asks for the open packet once it has seen "open". The
// npm package ws tells of both in the same turn if they came together, unless it
// is asked to behave as browsers do, so that the suite would wait in vain.
if (process.env.CONFORMANCE_SUITE === "v3") {
  let current;
  Object.defineProperty(globalThis, "WebSocket", {
    configurable: true,
    get: () => current,
    set(WebSocket) {
      current = class extends WebSocket {
        constructor(url, protocols, options) {
          super(url, protocols, { allowSynchronousEvents: false, ...options });
        }
      };
    },
  });
}
