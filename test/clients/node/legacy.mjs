// Runs every check of socket.io-client 2, which speaks the protocols before today's,
// against a server of the end-to-end fixture.
//
//   node legacy.mjs --url http://127.0.0.1:3000 --mode polling|websocket|upgrade [--only name,name]

import { Checks, flags } from "./lib/harness.mjs";
import { LegacyClients } from "./lib/legacy.mjs";
import acks from "./checks/acks.mjs";
import binary from "./checks/binary.mjs";
import events from "./checks/events.mjs";
import legacy from "./checks/legacy.mjs";
import lifecycle from "./checks/lifecycle.mjs";
import limits from "./checks/limits.mjs";
import ordering from "./checks/ordering.mjs";
import rooms from "./checks/rooms.mjs";

const { url, mode, only } = flags();
const clients = new LegacyClients(url, mode);
const checks = new Checks();
for (const group of [events, acks, binary, rooms, legacy, lifecycle, ordering, limits]) {
  group(checks, clients);
}
// Sockets that a failed check left behind must not keep the process alive.
process.exit((await checks.run(only)) ? 0 : 1);
