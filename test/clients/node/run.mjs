// Runs every check of socket.io-client against a server of the end-to-end fixture.
//
//   node run.mjs --url http://127.0.0.1:3000 --mode polling|websocket|upgrade [--only name,name]

import { Checks, flags } from "./lib/harness.mjs";
import { Clients } from "./lib/client.mjs";
import acks from "./checks/acks.mjs";
import binary from "./checks/binary.mjs";
import events from "./checks/events.mjs";
import features from "./checks/features.mjs";
import lifecycle from "./checks/lifecycle.mjs";
import limits from "./checks/limits.mjs";
import namespaces from "./checks/namespaces.mjs";
import ordering from "./checks/ordering.mjs";
import rooms from "./checks/rooms.mjs";

const { url, mode, only } = flags();
const clients = new Clients(url, mode);
const checks = new Checks();
for (const group of [events, acks, binary, rooms, namespaces, lifecycle, ordering, limits, features]) {
  group(checks, clients);
}
// Sockets that a failed check left behind must not keep the process alive.
process.exit((await checks.run(only)) ? 0 : 1);
