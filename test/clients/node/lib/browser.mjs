// Opens pages in Debian's Chromium and watches them for trouble.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** How long a page may take to show what is expected, in milliseconds. */
const PATIENCE = 20_000;

/** Launches Chromium with a new, empty profile and no traffic of its own. */
export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A visitor: a browser context of its own (storage, size, colours) with one page. */
export class Visitor {
  /** Errors of scripts and of the console, except for connections that fail. */
  errors = [];
  /** Requests that left the server's origin. */
  foreign = [];

  static async open(browser, defer, url, { width = 1100, height = 760, dark = false, scale = 1 } = {}) {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      deviceScaleFactor: scale,
    });
    defer(() => context.close());
    context.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor();
    visitor.context = context;
    visitor.page = await context.newPage();
    visitor.#watch(new URL(url).host);
    await visitor.page.goto(url);
    return visitor;
  }

  #watch(host) {
    this.page.on("pageerror", (err) => this.errors.push(String(err)));
    this.page.on("console", (message) => {
      // The browser itself notes every failed request; a server that is away is part of the test.
      if (message.type() === "error" && !/Failed to load resource|WebSocket connection to/.test(message.text())) {
        this.errors.push(message.text());
      }
    });
    this.page.on("request", (request) => {
      const url = new URL(request.url());
      if (/^(https?|wss?):$/.test(url.protocol) && url.host !== host) {
        this.foreign.push(request.url());
      }
    });
  }

  /** The element with a data-testid. */
  get(id) {
    return this.page.getByTestId(id);
  }

  /** Waits until an element with this data-testid and text is visible. */
  see(id, text) {
    const all = this.get(id);
    return (text === undefined ? all : all.filter({ hasText: text })).first().waitFor({ state: "visible" });
  }

  /** Waits until the connection is in this state. */
  status(text) {
    return this.page.waitForFunction(
      ([pattern]) => {
        const status = document.querySelector('[data-testid="connection-status"]');
        return new RegExp(pattern, "i").test(status?.textContent ?? "");
      },
      [text],
      { timeout: PATIENCE },
    );
  }

  /** Fails if the page ever reported an error or asked another host. */
  clean() {
    assert.deepEqual(this.errors, [], "errors of the page");
    assert.deepEqual(this.foreign, [], "requests to other hosts");
  }

  /** Fails if the page is wider than the window. */
  async fits() {
    const [page, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(page <= window, `the page is ${page} px wide in a window of ${window} px`);
  }

  /** The colour behind the page, as [red, green, blue]. */
  background() {
    return this.page.evaluate(() => {
      const opaque = (element) => getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
      const [body, root] = [opaque(document.body), opaque(document.documentElement)];
      return (body.length === 4 && body[3] === 0 ? root : body).slice(0, 3);
    });
  }
}
