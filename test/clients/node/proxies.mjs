// Runs checks of socket.io-client through a proxy with two servers behind it.
//
//   node proxies.mjs --url http://127.0.0.1:80 --mode polling|websocket|upgrade --sticky cookie|address
//   node proxies.mjs --url http://127.0.0.1:80 --mode polling --control http://127.0.0.1:81
//
// The second form is for a proxy that keeps no client to one server, until a request
// to the control address makes it.

import { Checks, flags } from "./lib/harness.mjs";
import { Clients } from "./lib/client.mjs";
import { rerouted, routed } from "./checks/proxies.mjs";

const { url, mode, sticky, control } = flags();
const clients = new Clients(url, mode);
const checks = new Checks();
if (control) {
  rerouted(checks, clients, control);
} else {
  routed(checks, clients, sticky);
}
process.exit((await checks.run()) ? 0 : 1);
