// The bench application, for every server that has the API of npm `socket.io`.
export function attach(io) {
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
}
