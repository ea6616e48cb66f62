// Starts, kills and restarts the built server.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** `sio-gnet serve` with one of its apps, on a port that it keeps when restarted. */
export class ServerProcess {
  #binary;
  #app;
  #port = 0;
  #child = null;

  /** Everything that the server has printed on standard output. */
  output = "";

  constructor(binary, app) {
    this.#binary = binary;
    this.#app = app;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the server and waits until it listens. */
  async start() {
    const args = ["serve", "--app", this.#app, "--addr", `127.0.0.1:${this.#port}`, "--log-level", "warn"];
    // A short heartbeat, so that a lost server is noticed soon whatever the transport.
    args.push("--ping-interval", "1s", "--ping-timeout", "5s");
    const child = spawn(this.#binary, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    const listening = new Promise((done, fail) => {
      child.once("error", fail);
      child.once("exit", (code, signal) => fail(new Error(`the server ended early: ${signal ?? code}`)));
      child.stdout.on("data", (data) => {
        this.output += data;
        const found = this.output.match(/http:\/\/[^ /]*:(\d+)/);
        if (found) {
          this.#port = Number(found[1]);
          done();
        }
      });
    });
    await listening;
    return this;
  }

  /** Kills the server as a crash would: no goodbye to anyone. */
  kill() {
    return this.#end("SIGKILL");
  }

  /** Asks the server to drain and resolves with its exit code. */
  stop() {
    return this.#end("SIGTERM");
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return child?.exitCode;
    }
    const gone = once(child, "exit");
    child.kill(signal);
    const [code] = await gone;
    return code;
  }
}
