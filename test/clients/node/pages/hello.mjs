// The page of the hello app: both sides count, and both sides show it.

import assert from "node:assert/strict";
import { until } from "../lib/harness.mjs";
import { ServerProcess } from "../lib/server.mjs";
import { Visitor } from "../lib/browser.mjs";

export default function (checks, { browser, binary }) {
  for (const [name, look] of Object.entries({
    desktop: {},
    "360 px wide": { width: 360, height: 720 },
    dark: { dark: true },
  })) {
    checks.add(`hello page: ${name}`, async (defer) => {
      const server = await new ServerProcess(binary, "hello").start();
      defer(() => server.stop());
      const visitor = await Visitor.open(browser, defer, server.url, look);
      await visitor.page.waitForFunction(() =>
        /[\w-]{16,}/.test(document.querySelector('[data-testid="sid"]')?.textContent ?? ""),
      );
      const sid = (await visitor.get("sid").textContent()).match(/[\w-]{16,}/)[0];
      // Both sides count, the page shows the server's and the server prints the page's.
      await visitor.page.waitForFunction(() =>
        /hello[^]*hello/.test(document.querySelector('[data-testid="log"]')?.textContent ?? ""),
      );
      await until(() => server.output.includes(sid) && /hey[^]*hey/.test(server.output));
      await visitor.fits();
      visitor.clean();
      assert.equal(await server.stop(), 0, "exit code after SIGTERM");
    });
  }
}
