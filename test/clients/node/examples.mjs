// Drives the pages of the examples in Chromium.
//
//   node examples.mjs --examples DIR --chromium /usr/bin/chromium --screenshots DIR [--only name,name]

import { Checks, flags } from "./lib/harness.mjs";
import { launch } from "./lib/browser.mjs";
import pages from "./pages/examples.mjs";

const { examples, chromium, screenshots, only } = flags();
const browser = await launch(chromium);
const checks = new Checks();
pages(checks, { browser, examples, screenshots });
const passed = await checks.run(only);
await browser.close();
process.exit(passed ? 0 : 1);
