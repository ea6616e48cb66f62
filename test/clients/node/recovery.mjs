// Runs the checks of connection state recovery against a server that has it.
//
//   node recovery.mjs --url http://127.0.0.1:3000 --mode polling|websocket|upgrade [--parser msgpack] [--only name,name]

import msgpack from "socket.io-msgpack-parser";
import { Checks, flags } from "./lib/harness.mjs";
import { Clients } from "./lib/client.mjs";
import recovery from "./checks/recovery.mjs";

const { url, mode, parser, only } = flags();
const checks = new Checks();
recovery(checks, new Clients(url, mode, parser && msgpack));
process.exit((await checks.run(only)) ? 0 : 1);
