// The bench application on the reference server, npm `socket.io` over `ws`, as its
// documentation advises for production: NODE_ENV=production and the native addon of
// `ws`. It takes its port from the command line and prints its URL.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { attach } from "../app.mjs";

const http = createServer();
const io = new Server(http, { serveClient: false });

attach(io);

http.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
