// The bench application on the reference server, npm `socket.io` over `ws`, as its
// documentation advises for production: NODE_ENV=production and the native addon of
// `ws`. It takes its port from the command line and prints its URL.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { serveClient: false });

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

http.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
