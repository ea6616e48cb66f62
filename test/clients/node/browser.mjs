// Drives the demo pages and the browser bundle in Chromium against the built server.
//
//   node browser.mjs --binary bin/sio-gnet --chromium /usr/bin/chromium --screenshots DIR [--only name,name]

import { Checks, flags } from "./lib/harness.mjs";
import { launch } from "./lib/browser.mjs";
import bundle from "./pages/bundle.mjs";
import chat from "./pages/chat.mjs";
import hello from "./pages/hello.mjs";

const { binary, chromium, screenshots, only } = flags();
const browser = await launch(chromium);
const checks = new Checks();
for (const group of [bundle, hello, chat]) {
  group(checks, { browser, binary, screenshots });
}
const passed = await checks.run(only);
await browser.close();
process.exit(passed ? 0 : 1);
