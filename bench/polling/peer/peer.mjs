// The reference server with the event that the benchmark uses, all options at
// their defaults. It takes any free port on loopback and prints its URL.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);

io.on("connection", (socket) => {
  socket.on("echo", (...args) => {
    if (typeof args.at(-1) === "function") {
      args.pop()(...args);
    } else {
      socket.emit("echo", ...args);
    }
  });
});

http.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
