// The chat in two tabs, as two people use it.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { ServerProcess } from "../lib/server.mjs";
import { Visitor } from "../lib/browser.mjs";

/** Text that would run as a script if a page took it for HTML. */
const MARKUP = `<img src=x onerror="window.hacked=1"><b>bold</b>`;

/** Draws a picture in a page and returns it as a PNG file for an input element. */
async function picture(page, name = "sunset.png") {
  const base64 = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 300 });
    const g = canvas.getContext("2d");
    const sky = g.createLinearGradient(0, 0, 0, 300);
    sky.addColorStop(0, "#33427a");
    sky.addColorStop(0.55, "#d9707a");
    sky.addColorStop(1, "#f6c177");
    g.fillStyle = sky;
    g.fillRect(0, 0, 480, 300);
    g.fillStyle = "#ffe9c9";
    g.beginPath();
    g.arc(330, 190, 38, 0, 7);
    g.fill();
    for (const [colour, base, height] of [["#4a3d63", 230, 70], ["#2a2440", 262, 45]]) {
      g.fillStyle = colour;
      g.beginPath();
      g.moveTo(0, 300);
      for (let x = 0; x <= 480; x += 8) {
        g.lineTo(x, base - height * Math.abs(Math.sin(x / height)) * 0.6);
      }
      g.lineTo(480, 300);
      g.fill();
    }
    return canvas.toDataURL("image/png").split(",")[1];
  });
  return { name, mimeType: "image/png", buffer: Buffer.from(base64, "base64") };
}

/** A visitor who has joined the chat under a name. */
async function join(browser, defer, server, name, look) {
  const visitor = await Visitor.open(browser, defer, server.url, look);
  await visitor.get("name-input").fill(name);
  await visitor.get("join-button").click();
  await inside(visitor, name);
  return visitor;
}

/** Waits until a visitor is in a room. */
async function inside(visitor, name) {
  await visitor.get("message-input").waitFor({ state: "visible" });
  await visitor.see("my-name", name);
  await visitor.status("(^|[^s])connected");
}

/** Writes a message and sends it with the keyboard. */
async function say(visitor, text) {
  await visitor.get("message-input").fill(text);
  await visitor.get("message-input").press("Enter");
}

/** Makes a room and waits until it is the visitor's. */
async function newRoom(visitor, room) {
  await visitor.get("new-room-input").fill(room);
  await visitor.get("new-room-input").press("Enter");
  await visitor.see(`room-${room}`);
}

// That someone is typing is volatile: news of it that finds a transport busy, as
// during an upgrade, is dropped, and comes again while there is more typing.
async function typeUntilSeen(writer, reader) {
  let seen = false;
  const sight = reader.see("typing", "Ada").then(() => { seen = true; });
  while (!seen) {
    await writer.get("message-input").pressSequentially(".");
    await Promise.race([sight, new Promise((resolve) => setTimeout(resolve, 250))]);
  }
}

export default function (checks, { browser, binary, screenshots }) {
  /** Adds a check that has a chat server of its own. */
  const add = (name, fn) =>
    checks.add(`chat: ${name}`, async (defer) => {
      const server = await new ServerProcess(binary, "chat").start();
      defer(() => server.stop());
      await fn(defer, server);
    });

  /** Keeps a picture of a page for people to look at. */
  const shoot = async (visitor, name) => {
    await mkdir(screenshots, { recursive: true });
    return visitor.page.screenshot({ path: path.join(screenshots, name), animations: "disabled" });
  };

  add("two people see each other and talk", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    const grace = await join(browser, defer, server, "Grace");
    for (const visitor of [ada, grace]) {
      await visitor.see("member", "Ada");
      await visitor.see("member", "Grace");
    }
    await say(ada, "Hello Grace");
    await ada.see("message", "Hello Grace");
    await grace.see("message", "Hello Grace");
    await grace.get("message-input").fill("Hello Ada");
    await grace.get("send-button").click();
    await ada.see("message", "Hello Ada");
    assert.equal(await grace.get("message-input").inputValue(), "", "the field is empty after sending");
    assert.equal(await ada.get("message").filter({ hasText: "Hello Grace" }).count(), 1, "no copy of one's own message");
    await grace.context.close();
    await ada.get("member").filter({ hasText: "Grace" }).waitFor({ state: "detached" });
    ada.clean();
  });

  add("markup is text", async (defer, server) => {
    const ada = await join(browser, defer, server, "<b>Ada</b>");
    const grace = await join(browser, defer, server, "Grace");
    await say(ada, MARKUP);
    await grace.see("message", MARKUP);
    await grace.see("member", "<b>Ada</b>");
    for (const visitor of [ada, grace]) {
      assert.equal(await visitor.page.evaluate(() => window.hacked), undefined);
      assert.equal(await visitor.get("messages").locator("b").count(), 0);
      visitor.clean();
    }
  });

  add("an image travels as binary", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    const grace = await join(browser, defer, server, "Grace");
    await ada.get("image-input").setInputFiles(await picture(ada.page));
    for (const visitor of [ada, grace]) {
      await visitor.see("message-image");
      const shown = await visitor.get("message-image").first().evaluate(async (element) => {
        const image = element.matches("img") ? element : element.querySelector("img");
        await image.decode();
        return { protocol: new URL(image.src).protocol, width: image.naturalWidth, height: image.naturalHeight };
      });
      assert.deepEqual(shown, { protocol: "blob:", width: 480, height: 300 });
      visitor.clean();
    }
  });

  add("typing is seen and passes", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    const grace = await join(browser, defer, server, "Grace");
    await ada.get("message-input").pressSequentially("I am thinking");
    await typeUntilSeen(ada, grace);
    await ada.get("message-input").press("Enter");
    await grace.see("message", "I am thinking");
    await grace.page.waitForFunction(
      () => !/Ada/.test(document.querySelector('[data-testid="typing"]')?.textContent ?? ""),
    );
    ada.clean();
    grace.clean();
  });

  add("rooms are apart and keep their history", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    const grace = await join(browser, defer, server, "Grace");
    await newRoom(ada, "garden");
    await say(ada, "only for the garden");
    await ada.see("message", "only for the garden");
    await grace.see("room-garden");
    // A message in the room that Grace is in comes later, so what Ada said has not been sent to her.
    await say(grace, "in the first room");
    await grace.see("message", "in the first room");
    assert.equal(await grace.get("message").filter({ hasText: "only for the garden" }).count(), 0);
    assert.equal(await ada.get("message").filter({ hasText: "in the first room" }).count(), 0);
    await grace.get("room-garden").click();
    await grace.see("message", "only for the garden");
    await grace.see("member", "Ada");
    ada.clean();
    grace.clean();
  });

  add("a reload keeps name, room and history", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    await newRoom(ada, "library");
    await say(ada, "before the reload");
    await ada.see("message", "before the reload");
    await ada.page.reload();
    await inside(ada, "Ada");
    await ada.see("message", "before the reload");
    await say(ada, "after the reload");
    await ada.see("message", "after the reload");
    const grace = await join(browser, defer, server, "Grace");
    await grace.get("room-library").click();
    await grace.see("message", "after the reload");
    await grace.see("member", "Grace");
    assert.equal(await grace.get("member").filter({ hasText: "Ada" }).count(), 1, "the old tab is gone");
    ada.clean();
  });

  add("everything works with the keyboard", async (defer, server) => {
    const grace = await join(browser, defer, server, "Grace");
    const visitor = await Visitor.open(browser, defer, server.url);
    const { page } = visitor;
    /** Presses Tab until the element has the focus. */
    const tabTo = async (id) => {
      for (let i = 0; i < 40; i++) {
        if (await visitor.get(id).evaluate((e) => e === document.activeElement)) {
          return;
        }
        await page.keyboard.press("Tab");
      }
      assert.fail(`Tab never reaches ${id}`);
    };
    await visitor.get("name-input").waitFor({ state: "visible" });
    await tabTo("name-input");
    await page.keyboard.type("Ada");
    await page.keyboard.press("Enter");
    await inside(visitor, "Ada");
    await tabTo("message-input");
    await page.keyboard.type("no mouse");
    await page.keyboard.press("Enter");
    await grace.see("message", "no mouse");
    for (const id of ["new-room-input", "send-button", "message-input"]) {
      await tabTo(id);
    }
    // Whoever cannot see the page is told of what comes in, and what the fields are.
    assert.ok(await page.locator('[aria-live], [role="log"], [role="status"]').count(), "a live region");
    for (const id of ["message-input", "new-room-input", "image-input"]) {
      const named = await visitor
        .get(id)
        .evaluate((e) => Boolean(e.labels?.length || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby")));
      assert.ok(named, `${id} has a label`);
    }
    visitor.clean();
  });

  add("a killed server comes back", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    const grace = await join(browser, defer, server, "Grace");
    await say(ada, "before the crash");
    await grace.see("message", "before the crash");
    await server.kill();
    await ada.status("reconnecting");
    await grace.status("reconnecting");
    await say(ada, "written while away");
    await server.start();
    for (const visitor of [ada, grace]) {
      await visitor.status("(^|[^s])connected");
      await visitor.see("member", "Ada");
      await visitor.see("member", "Grace");
    }
    // Unsent text is sent after all, or still in its field for sending again.
    const sent = grace.get("message").filter({ hasText: "written while away" });
    if ((await ada.get("message-input").inputValue()) === "written while away") {
      await ada.get("message-input").press("Enter");
    }
    await sent.first().waitFor({ state: "visible" });
    assert.equal(await sent.count(), 1, "sent once");
    await say(grace, "welcome back");
    await ada.see("message", "welcome back");
    ada.clean();
    grace.clean();
  });

  for (const [name, look] of Object.entries({
    desktop: {},
    dark: { dark: true },
    "360 px wide": { width: 360, height: 740 },
    "360 px wide, dark": { width: 360, height: 740, dark: true },
  })) {
    add(`looks: ${name}`, async (defer, server) => {
      const welcome = await Visitor.open(browser, defer, server.url, look);
      await welcome.get("name-input").waitFor({ state: "visible" });
      await welcome.fits();
      await shoot(welcome, `welcome ${name}.png`);
      const ada = await join(browser, defer, server, "Ada Lovelace, Countess of Words", look);
      await say(ada, "A message of some length, with a word like Donaudampfschifffahrtsgesellschaft".repeat(2));
      await say(ada, "x".repeat(300));
      await ada.get("image-input").setInputFiles(await picture(ada.page));
      await ada.see("message-image");
      await ada.fits();
      assert.ok(await ada.get("message-input").isVisible());
      const [red, green, blue] = await ada.background();
      const light = (red + green + blue) / 3;
      assert.ok(look.dark ? light < 100 : light > 180, `background ${[red, green, blue]}`);
      await shoot(ada, `chat ${name}.png`);
      welcome.clean();
      ada.clean();
    });
  }

  add("screenshot of two tabs", async (defer, server) => {
    const size = { width: 700, height: 680, scale: 2 };
    const ada = await join(browser, defer, server, "Ada", size);
    const grace = await join(browser, defer, server, "Grace", { ...size, dark: true });
    const lines = [
      [ada, "Good evening! Is the new server up?"],
      [grace, "It is. One event loop per core, and it hardly notices us."],
      [ada, "Then it will not mind a picture of tonight's sky."],
    ];
    for (const [who, text] of lines) {
      await say(who, text);
      await ada.see("message", text);
      await grace.see("message", text);
    }
    await ada.get("image-input").setInputFiles(await picture(ada.page));
    await grace.see("message-image");
    await say(grace, "Beautiful. And it came as plain binary, no base64.");
    await ada.see("message", "no base64");
    await ada.get("message-input").pressSequentially("Just as");
    await typeUntilSeen(ada, grace);
    const shots = [await shoot(ada, "ada.png"), await shoot(grace, "grace.png")];

    const both = await browser.newPage({ viewport: { width: 1480, height: 760 }, deviceScaleFactor: 1.5 });
    defer(() => both.close());
    const tabs = shots.map((png) => `<img src="data:image/png;base64,${png.toString("base64")}">`);
    await both.setContent(`<!doctype html><style>
      body { margin: 0; height: 100vh; display: flex; gap: 24px; align-items: center; justify-content: center;
             background: linear-gradient(135deg, #dfe6f3, #c9d2e6); }
      img { width: 700px; border-radius: 14px; box-shadow: 0 12px 40px #1b254540; }
    </style>${tabs.join("")}`);
    await both.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth));
    await writeFile(path.join(screenshots, "chat.png"), await both.screenshot());
    ada.clean();
    grace.clean();
  });

  add("SIGTERM ends the server with code 0", async (defer, server) => {
    const ada = await join(browser, defer, server, "Ada");
    assert.equal(await server.stop(), 0);
    await ada.status("reconnecting");
  });
}
