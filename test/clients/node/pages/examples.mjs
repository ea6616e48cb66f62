// The pages of the examples, each with two people.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { startExample } from "../lib/example.mjs";
import { Visitor } from "../lib/browser.mjs";

const PHONE = { width: 360, height: 720, dark: true, scale: 2 };

export default function (checks, { browser, examples, screenshots }) {
  /** Adds a check of an example with two visitors, one at a desk and one with a telephone in the dark. */
  const add = (name, fn) =>
    checks.add(`example: ${name}`, async (defer) => {
      const url = await startExample(examples, name, defer);
      const desk = await Visitor.open(browser, defer, url, { width: 1000, height: 700 });
      const phone = await Visitor.open(browser, defer, url, PHONE);
      await fn(desk, phone);
      await mkdir(screenshots, { recursive: true });
      for (const [who, visitor] of Object.entries({ desk, phone })) {
        await visitor.page.screenshot({ path: path.join(screenshots, `${name}-${who}.png`), animations: "disabled" });
        await visitor.fits();
        visitor.clean();
      }
    });

  /** How many pixels of the board are inked. */
  const inked = (visitor) =>
    visitor.get("board").evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let n = 0;
      for (let i = 3; i < data.length; i += 4) {
        n += data[i] > 0;
      }
      return n;
    });

  /** Waits until what a function of the page's state says is so. */
  const eventually = async (what, holds) => {
    for (let i = 0; !(await holds()); i++) {
      assert.ok(i < 2000, `waited in vain: ${what}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  };

  /** Draws a line through points, which are parts of the board's width and height. */
  async function draw(visitor, points) {
    const at = await visitor.get("board").boundingBox();
    const { mouse } = visitor.page;
    for (const [i, [x, y]] of points.entries()) {
      await mouse.move(at.x + x * at.width, at.y + y * at.height, { steps: i ? 2 : 1 });
      if (i === 0) {
        await mouse.down();
      }
    }
    await mouse.up();
  }

  const wave = (y, n) => Array.from({ length: n }, (_, i) => [0.1 + (0.8 * i) / n, y + 0.08 * Math.sin(i / 2.2)]);
  const circle = (x, y, r) => Array.from({ length: 22 }, (_, i) => [x + r * Math.cos(i * 0.3), y + 1.6 * r * Math.sin(i * 0.3)]);

  add("whiteboard", async (desk, phone) => {
    await desk.see("connection-status", "2 people here");
    await draw(desk, wave(0.75, 24));
    await desk.page.getByRole("button", { name: "blue" }).click();
    await desk.page.getByRole("button", { name: "broad" }).click();
    await draw(desk, circle(0.27, 0.36, 0.12));
    await eventually("the line comes to the other", async () => (await inked(phone)) > 1000);
    const before = await inked(desk);
    await phone.page.getByRole("button", { name: "orange" }).click();
    await draw(phone, circle(0.66, 0.36, 0.11));
    await eventually("the way back", async () => (await inked(desk)) > before);
    await desk.page.locator(".pointer").first().waitFor({ state: "attached" });

    // A newcomer sees the same board, up to the antialiasing of two runs.
    const [own, late] = [await inked(desk), await desk.context.newPage()];
    await late.goto(desk.page.url());
    const newcomer = { get: (id) => late.getByTestId(id) };
    await eventually("the board of a newcomer", async () => Math.abs((await inked(newcomer)) - own) < own / 100);
    await late.close();
  });

  add("dashboard", async (desk, phone) => {
    for (const visitor of [desk, phone]) {
      await visitor.page.waitForFunction(
        () => document.querySelector('[data-testid="clients"]')?.textContent === "2" &&
          /KiB|MiB/.test(document.querySelector('[data-testid="heap"]')?.textContent ?? ""),
      );
    }
    const goroutines = async (visitor) => Number(await visitor.get("goroutines").textContent());
    const idle = await goroutines(phone);
    await desk.get("load").click();
    await eventually("the work is seen by the other", async () => (await goroutines(phone)) >= idle + 40);
    await eventually("the work is done", async () => (await goroutines(desk)) < idle + 10);
  });

  add("chat", async (desk, phone) => {
    for (const [visitor, name] of [[desk, "Ada"], [phone, "Grace"]]) {
      await visitor.get("name").fill(name);
      await visitor.get("enter").click();
      await visitor.get("messages").waitFor();
      await visitor.get("name").waitFor({ state: "hidden" });
    }
    await desk.see("here", "· Ada, Grace");
    await desk.see("note", "Grace is here");
    await phone.get("text").fill("hello <b>all</b>");
    await phone.get("send").click();
    await desk.see("message", "Gracehello <b>all</b>");
    await phone.see("message", "hello <b>all</b>");
  });

  add("msgpack", async (desk, phone) => {
    for (const visitor of [desk, phone]) {
      await visitor.see("got", "negative of picture 1, 16384 bytes, the date is one");
      await visitor.get("send").click();
      await visitor.see("got", "negative of picture 2, 16384 bytes, the date is one");
    }
  });

  add("recovery", async (desk, phone) => {
    await eventually("lines", async () => (await desk.get("line").count()) > 1);
    const id = await desk.get("status").textContent();
    await desk.get("cut").click();
    await desk.see("status", "away");
    await desk.see("status", id.replace("a new session", "recovered"));
    await eventually("late lines", async () => (await desk.page.locator("li.late").count()) > 1);
    assert.equal(await desk.page.locator("li.lost").count(), 0);
    await phone.get("line").first().waitFor();
  });

  add("presence", async (desk, phone) => {
    await desk.get("name-input").fill("Ada <b>Lovelace</b>");
    await desk.get("name-input").press("Enter");
    await phone.get("name-input").fill("Grace Hopper");
    await phone.get("name-input").press("Enter");
    for (const visitor of [desk, phone]) {
      await visitor.see("person", "Ada <b>Lovelace</b>");
      await visitor.see("person", "Grace Hopper");
      await visitor.see("count", "2 people");
    }
    // A second tab of Ada is the same person, and tells when it goes behind.
    const second = await desk.context.newPage();
    await second.goto(desk.page.url());
    await second.getByTestId("name-input").fill("Somebody Else");
    await second.getByTestId("name-input").press("Enter");
    await phone.see("person", "Somebody Else");
    await second.close();
    await phone.see("count", "2 people");
    await phone.get("room-input").fill("garden");
    await phone.get("room-input").press("Enter");
    await desk.see("count", "1 person");
    await phone.get("room-input").fill("lobby");
    await phone.get("room-input").press("Enter");
    await desk.see("count", "2 people");
    await desk.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await phone.page.locator("li.away", { hasText: "Ada" }).waitFor();
  });

  add("chat-auth-gin", async (desk, phone) => {
    const logIn = async (visitor, name, password) => {
      await visitor.page.getByLabel("Name").fill(name);
      await visitor.page.getByLabel("Password").fill(password);
      await visitor.page.getByRole("button", { name: "Log in" }).click();
    };
    const see = (visitor, text) => visitor.page.getByText(text).first().waitFor();
    await logIn(desk, "ann", "a");
    await see(desk, "welcome to lobby");
    await logIn(phone, "bob", "wrong");
    await see(phone, "Wrong name or password.");
    await logIn(phone, "bob", "b");
    await see(desk, "Here: ann, bob");
    await desk.page.reload(); // the tab is logged in still
    await see(desk, "welcome to lobby");
    const say = async (visitor, text) => {
      await visitor.page.getByLabel("Say something").fill(text);
      await visitor.page.getByLabel("Say something").press("Enter");
    };
    await say(desk, "Who is still up?");
    await see(phone, "Who is still up?");
    await say(phone, "I am, on the phone <b>:-)</b>");
    await see(desk, "I am, on the phone <b>:-)</b>");
    const body = new URLSearchParams({ text: "The server restarts at noon." });
    const announce = (password) =>
      fetch(new URL("/announce", desk.page.url()), { method: "POST", body, headers: { Authorization: `Basic ${btoa(`admin:${password}`)}` } });
    assert.equal((await announce("guess")).status, 401);
    assert.equal((await announce("root")).status, 200);
    for (const visitor of [desk, phone]) {
      await see(visitor, "The server restarts at noon.");
    }
    await say(desk, "Then I have an hour for lunch.");
    await see(phone, "Then I have an hour for lunch.");
  });

  add("private-messages", async (desk, phone) => {
    const signIn = async (visitor, name, password) => {
      await visitor.get("name-input").fill(name);
      await visitor.get("password-input").fill(password);
      await visitor.get("sign-in").click();
    };
    await signIn(desk, "Ada", "engine");
    await desk.see("my-name", "Ada");
    await signIn(phone, "Ada", "wrong");
    await phone.page.getByText("not the password").waitFor();
    await signIn(phone, "Grace", "compiler");
    await desk.see("person", "Grace");
    await desk.page.reload(); // the tab is signed in still
    await desk.see("my-name", "Ada");
    await phone.get("person").filter({ hasText: "Ada" }).click();
    await desk.get("person").filter({ hasText: "Grace" }).click();
    const say = async (visitor, text) => {
      await visitor.get("message-input").fill(text);
      await visitor.get("message-input").press("Enter");
    };
    await say(desk, "Did you find the moth?");
    await phone.see("message", "Did you find the moth?");
    await say(phone, "Yes. I glued it <b>into the log book</b>.");
    await desk.see("message", "Yes. I glued it <b>into the log book</b>.");
    await say(desk, "Then it is the first bug that was documented.");
    await phone.see("message", "documented");
    await say(phone, "Good night!");
    await desk.see("message", "Good night!");
    for (const visitor of [desk, phone]) {
      assert.equal(await visitor.get("message").count(), 4);
    }
  });

  add("typed-events", async (desk, phone) => {
    await desk.get("answer").filter({ hasText: "gofmt" }).click();
    await phone.see("total", "1 vote");
    await phone.get("answer").filter({ hasText: "gofmt" }).click();
    await phone.get("answer").filter({ hasText: "Tabs" }).click();
    await desk.see("total", "3 votes");
    await desk.see("answer", "67 %");
    await phone.see("connection-status", "thank you");
  });
}
