// Starts the examples, which take the address to listen on as their argument.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { until } from "./harness.mjs";

/** A port of 127.0.0.1 that is free at present. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Runs one of the programs in a folder until the check ends; resolves with its URL once it answers. */
export async function startExample(folder, name, defer) {
  const port = await freePort();
  const child = spawn(path.join(folder, name), [`127.0.0.1:${port}`], { stdio: ["ignore", "ignore", "inherit"] });
  const gone = once(child, "exit");
  defer(() => {
    child.kill("SIGKILL");
    return gone;
  });
  const url = `http://127.0.0.1:${port}`;
  let answered = false;
  await until(() => {
    if (child.exitCode !== null) {
      throw new Error(`${name} ended with ${child.exitCode}`);
    }
    fetch(url).then(() => { answered = true; }, () => {});
    return answered;
  });
  return url;
}
