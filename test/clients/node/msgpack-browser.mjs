// Drives the MessagePack build of the browser bundle in Chromium, against a server of the
// end-to-end fixture that has the same parser and serves the bundle.
//
//   node msgpack-browser.mjs --url http://127.0.0.1:3000 --chromium /usr/bin/chromium [--only name,name]

import { Checks, flags } from "./lib/harness.mjs";
import { launch } from "./lib/browser.mjs";
import msgpack from "./pages/msgpack.mjs";

const { url, chromium, only } = flags();
const browser = await launch(chromium);
const checks = new Checks();
msgpack(checks, { browser, url });
const passed = await checks.run(only);
await browser.close();
process.exit(passed ? 0 : 1);
