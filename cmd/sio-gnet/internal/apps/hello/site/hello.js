"use strict";

const log = document.querySelector("pre");
const sid = document.querySelector("[data-testid=sid]");
const maxLines = 200;

const lines = [];

function print(text) {
  lines.push(text);
  lines.splice(0, lines.length - maxLines);
  log.textContent = lines.join("\n");
  log.scrollTop = log.scrollHeight;
}

const show = (value) =>
  value instanceof ArrayBuffer ? `bytes [${[...new Uint8Array(value)].join(" ")}]` : JSON.stringify(value);

const socket = io({ path: document.querySelector("meta[name=socket-io-path]").content });
let counter = 0;

socket.on("connect", () => {
  sid.textContent = socket.id;
  print(`connect ${socket.id}`);
});
socket.on("disconnect", (reason) => {
  sid.textContent = "not connected";
  print(`disconnect due to ${reason}`);
});
socket.on("hello", (n) => print(`hello ${n}`));
socket.on("greetings", (...args) => print(`greetings ${args.map(show).join(" ")}`));

setInterval(() => {
  if (socket.connected) {
    socket.emit("hey", { counter: ++counter });
  }
}, 1000);

document.getElementById("salute").addEventListener("click", () => {
  const args = ["hello", { from: "the page" }, new Uint8Array([1, 2, 3])];
  socket.emit("salutations", ...args);
  print(`salutations ${show(args[0])} ${show(args[1])} bytes [${args[2].join(" ")}]`);
});
