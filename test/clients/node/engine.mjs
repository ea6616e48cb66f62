// Runs every check of engine.io-client against the bare server of the end-to-end
// fixture.
//
//   node engine.mjs --url http://127.0.0.1:3000 --hasty http://127.0.0.1:3001 --protocol 3|4
//     --mode polling|websocket|upgrade [--only name,name]
//
// hasty is a server with a heartbeat that is too short to keep up with.

import { Checks, flags } from "./lib/harness.mjs";
import { EngineClients } from "./lib/engine.mjs";
import ends from "./checks/engine/ends.mjs";
import messages from "./checks/engine/messages.mjs";
import sessions from "./checks/engine/sessions.mjs";
import traffic from "./checks/engine/traffic.mjs";

const { url, hasty, mode, protocol, only } = flags();
const clients = await EngineClients.load(url, hasty, mode, protocol);
const checks = new Checks();
for (const group of [sessions, messages, ends, traffic]) {
  group(checks, clients);
}
// Sockets that a failed check left behind must not keep the process alive.
process.exit((await checks.run(only)) ? 0 : 1);
