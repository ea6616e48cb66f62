// Runs the checks of socket.io-client with MessagePack in place of JSON, against a server
// of the end-to-end fixture that has the same parser.
//
//   node msgpack.mjs --url http://127.0.0.1:3000 --mode polling|websocket|upgrade [--only name,name]

import parser from "socket.io-msgpack-parser";
import { Checks, flags } from "./lib/harness.mjs";
import { Clients } from "./lib/client.mjs";
import acks from "./checks/acks.mjs";
import binary from "./checks/binary.mjs";
import events from "./checks/events.mjs";
import lifecycle from "./checks/lifecycle.mjs";
import limits from "./checks/limits.mjs";
import msgpack from "./checks/msgpack.mjs";
import namespaces from "./checks/namespaces.mjs";
import ordering from "./checks/ordering.mjs";
import rooms from "./checks/rooms.mjs";

const { url, mode, only } = flags();
const clients = new Clients(url, mode, parser);
const checks = new Checks();
for (const group of [events, acks, binary, rooms, namespaces, lifecycle, ordering, limits, msgpack]) {
  group(checks, clients);
}
// Sockets that a failed check left behind must not keep the process alive.
process.exit((await checks.run(only)) ? 0 : 1);
