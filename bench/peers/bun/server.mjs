// The bench application on npm `socket.io` over Bun's own HTTP and WebSocket server.
// It takes its port from the command line and prints its URL.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const io = new Server({ serveClient: false });
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);

for (const namespace of [io.of("/"), io.of("/bench")]) {
  namespace.on("connection", (socket) => {
    socket.on("echo", (...args) => {
      if (typeof args.at(-1) === "function") {
        args.pop()(...args);
      } else {
        socket.emit("echo", ...args);
      }
    });
    socket.on("bcast", (...args) => namespace.emit("bcast", ...args));
    socket.on("join", (room, ack) => {
      socket.join(room);
      ack?.();
    });
    socket.on("leave", (room, ack) => {
      socket.leave(room);
      ack?.();
    });
    socket.on("rcast", (room, ...args) => namespace.to(room).emit("rcast", ...args));
  });
}

const { fetch, websocket } = engine.handler();
const server = Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2] ?? 0), idleTimeout: 30, fetch, websocket });
console.log(`listening on http://127.0.0.1:${server.port}`);
