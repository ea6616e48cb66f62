// The bench application on npm `socket.io` over Bun's own HTTP and WebSocket server.
// It takes its port from the command line and prints its URL.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { attach } from "../app.mjs";

const io = new Server({ serveClient: false });
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);

attach(io);

const { fetch, websocket } = engine.handler();
const server = Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2] ?? 0), idleTimeout: 30, fetch, websocket });
console.log(`listening on http://127.0.0.1:${server.port}`);
