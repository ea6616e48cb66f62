"use strict";

const byId = (id) => document.getElementById(id);
const byTest = (id) => document.querySelector(`[data-testid="${id}"]`);

const largestImage = 600_000; // bytes, as the server takes them
const widestImage = 1600; // pixels, when an image has to be made smaller
const typingPause = 3000; // ms without a key until one is not typing any more
const ackTimeout = 15_000; // ms

// ---- what this tab knows -------------------------------------------------

// The key tells the server that a reloaded page is the same tab.
const stored = (name, make) => {
  const value = sessionStorage.getItem(name) ?? make();
  sessionStorage.setItem(name, value);
  return value;
};
const key = stored("key", () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join(""));

let name = sessionStorage.getItem("name") ?? "";
let room = stored("room", () => "lobby");
let rooms = [];
let members = [];
let memberCount = 0;
const typists = new Map(); // name → timer
const seen = new Set(); // ids of the messages shown
const outbox = []; // what was not acknowledged yet, oldest first
let images = Promise.resolve(); // they are fetched one after the other
const objectURLs = [];

// ---- the connection ------------------------------------------------------

const socket = io({
  path: document.querySelector("meta[name=socket-io-path]").content,
  autoConnect: false,
  auth: (take) => take({ name, key }),
});

const ask = (...args) => socket.timeout(ackTimeout).emitWithAck(...args);

function setStatus(text, away) {
  const status = byTest("connection-status");
  status.textContent = text;
  status.classList.toggle("away", away);
}

socket.on("connect", () => {
  sessionStorage.setItem("name", name);
  byTest("my-name").textContent = name;
  const first = byId("chat").hidden;
  byId("welcome").hidden = true;
  byId("chat").hidden = false;
  setStatus("connected", false);
  enterRoom(room);
  if (first) {
    byTest("message-input").focus();
  }
});

socket.on("connect_error", (err) => {
  if (socket.active) {
    setStatus("reconnecting…", true);
    if (!byId("welcome").hidden) {
      byId("refusal").textContent = "The server can't be reached. Trying again…";
    }
  } else {
    leave(err.message);
  }
});

socket.on("disconnect", () => setStatus(socket.active ? "reconnecting…" : "disconnected", true));
socket.on("refused", leave);

/** Goes back to the question for a name. */
function leave(why) {
  sessionStorage.removeItem("name");
  socket.disconnect();
  byId("chat").hidden = true;
  byId("welcome").hidden = false;
  byId("refusal").textContent = why;
  byTest("name-input").value = name;
  byTest("name-input").focus();
}

byId("welcome").addEventListener("submit", (event) => {
  event.preventDefault();
  byId("refusal").textContent = "";
  name = byTest("name-input").value.trim();
  socket.connect();
});

/** Says in the chat what went wrong; nothing takes it back. */
function complain(text = "") {
  byId("problem").textContent = text;
}

// ---- rooms and people ----------------------------------------------------

async function enterRoom(next) {
  const changed = next !== room;
  room = next;
  if (changed) {
    forgetMessages();
    stopTyping();
    members = [];
    showMembers();
  }
  byId("room-title").textContent = room;
  showRooms();
  if (!socket.connected) {
    return; // as soon as it is, this is called again
  }
  try {
    const answer = await ask("join", next);
    if (answer.error) {
      throw new Error(answer.error);
    }
    if (next !== room) {
      return; // another click came in between
    }
    sessionStorage.setItem("room", room);
    complain();
    answer.history?.forEach(showMessage);
    flushOutbox();
  } catch (err) {
    if (socket.connected && next === room) {
      complain(err.message);
    }
  }
}

function showRooms() {
  const items = rooms.map(({ name: label, count }) => {
    const button = element("button", { type: "button" }, [element("span", {}, [label]), element("span", {}, [String(count)])]);
    button.dataset.testid = `room-${label}`;
    if (label === room) {
      button.setAttribute("aria-current", "true");
    }
    button.addEventListener("click", () => enterRoom(label));
    return element("li", {}, [button]);
  });
  keepFocus(byTest("room-list"), items);
}

/** Replaces the children of a list; whichever button had the focus keeps it. */
function keepFocus(list, items) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.testid : "";
  list.replaceChildren(...items);
  if (focused) {
    list.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
  }
}

function showMembers() {
  const items = members.map((member) => {
    const item = element("li", {}, [member]);
    item.dataset.testid = "member";
    item.classList.toggle("you", member === name);
    return item;
  });
  if (memberCount > members.length) {
    items.push(element("li", { className: "more" }, [`and ${memberCount - members.length} more`]));
  }
  byId("members").replaceChildren(...items);
}

socket.on("rooms", (list) => {
  rooms = list;
  showRooms();
});

socket.on("members", (where, names, count) => {
  if (where !== room) {
    return;
  }
  members = names;
  memberCount = count;
  for (const who of typists.keys()) {
    if (!names.includes(who)) {
      setTyping(who, false);
    }
  }
  showMembers();
});

byId("new-room").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byTest("new-room-input");
  const next = input.value.trim();
  input.value = "";
  if (next) {
    enterRoom(next);
    byTest("message-input").focus();
  }
});

// ---- messages ------------------------------------------------------------

function element(tag, properties, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children); // strings become text, never markup
  return made;
}

function forgetMessages() {
  byTest("messages").replaceChildren();
  seen.clear();
  for (const who of [...typists.keys()]) {
    setTyping(who, false);
  }
  objectURLs.splice(0).forEach((url) => URL.revokeObjectURL(url));
  outbox.filter((entry) => entry.room === room).forEach(showWaiting);
}

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function bubble(from, at, mine) {
  const item = element("li", {}, [
    element("div", { className: "from" }, [element("span", {}, [from]), element("time", { dateTime: new Date(at).toISOString() }, [time.format(at)])]),
  ]);
  item.dataset.testid = "message";
  item.classList.toggle("mine", mine);
  return item;
}

/** Adds a message, and keeps the newest in sight of a reader who was at the end. */
function add(item) {
  const list = byTest("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const waiting = item.classList.contains("waiting") ? null : list.querySelector(".waiting");
  list.insertBefore(item, waiting);
  if (atEnd || item.classList.contains("mine")) {
    list.scrollTop = list.scrollHeight;
  }
}

function showMessage(message) {
  if (seen.has(message.id)) {
    return;
  }
  seen.add(message.id);
  dropFromOutbox(message.note);
  setTyping(message.from, false);
  const item = bubble(message.from, message.at, message.from === name);
  if (message.type) {
    images = images.then(() => showImage(item, room, message));
  } else {
    item.append(message.text);
  }
  add(item);
}

/** Fetches an image, unless the reader has gone to another room meanwhile. */
async function showImage(item, where, { id, from, type }) {
  if (where !== room) {
    return;
  }
  try {
    const answer = await ask("picture", where, id);
    if (answer.error) {
      throw new Error(answer.error);
    }
    const url = URL.createObjectURL(new Blob([answer.image], { type }));
    objectURLs.push(url);
    const image = element("img", { src: url, alt: `Image from ${from}` });
    image.dataset.testid = "message-image";
    const list = byTest("messages");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    item.append(image);
    await image.decode().catch(() => {});
    if (atEnd) {
      list.scrollTop = list.scrollHeight;
    }
  } catch (err) {
    item.append(element("em", {}, [err.message]));
  }
}

socket.on("message", (where, message) => {
  if (where === room) {
    showMessage(message);
  }
});

// ---- sending -------------------------------------------------------------

let notes = 0;

/** Puts a message into the outbox, from where it goes as soon as it can. */
function post(event, content) {
  const entry = { event, content, room, note: `${Date.now().toString(36)}-${notes++}`, sent: false };
  outbox.push(entry);
  showWaiting(entry);
  flushOutbox();
}

function showWaiting(entry) {
  entry.item = bubble(name, Date.now(), true);
  entry.item.classList.add("waiting");
  entry.item.append(entry.event === "say" ? entry.content : "sending an image…");
  add(entry.item);
}

/** Sends what waits for the room that the visitor is in. */
function flushOutbox() {
  if (!socket.connected) {
    return;
  }
  for (const entry of [...outbox]) {
    if (entry.room === room && !entry.sent) {
      send(entry);
    }
  }
}

async function send(entry) {
  entry.sent = true;
  try {
    const answer = await ask(entry.event, entry.room, entry.note, entry.content);
    dropFromOutbox(entry.note);
    complain(answer.error);
    if (answer.error && entry.event === "say" && !byTest("message-input").value) {
      byTest("message-input").value = entry.content;
    }
  } catch {
    entry.sent = false; // the connection was lost: it goes again with the next one
  }
}

function dropFromOutbox(note) {
  const at = outbox.findIndex((entry) => entry.note === note);
  if (at >= 0) {
    outbox.splice(at, 1)[0].item.remove();
  }
}

byId("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byTest("message-input");
  const text = input.value.trim();
  if (text) {
    input.value = "";
    stopTyping();
    post("say", text);
  }
});

// ---- typing --------------------------------------------------------------

let typingTimer = 0;
let lastTyping = 0;

byTest("message-input").addEventListener("input", () => {
  clearTimeout(typingTimer);
  typingTimer = setTimeout(stopTyping, typingPause);
  if (Date.now() - lastTyping > typingPause / 2) {
    lastTyping = Date.now();
    socket.volatile.emit("typing", room, true);
  }
});

function stopTyping() {
  clearTimeout(typingTimer);
  if (lastTyping) {
    lastTyping = 0;
    socket.volatile.emit("typing", room, false);
  }
}

function setTyping(who, on) {
  clearTimeout(typists.get(who));
  typists.delete(who);
  if (on) {
    typists.set(
      who,
      setTimeout(() => setTyping(who, false), typingPause + 1000),
    );
  }
  const all = [...typists.keys()];
  const people = all.length > 3 ? "Several people" : all.join(", ");
  byId("typing").textContent = all.length ? `${people} ${all.length > 1 ? "are" : "is"} typing…` : "";
}

socket.on("typing", (where, who, on) => {
  if (where === room) {
    setTyping(who, on);
  }
});

// ---- images: chosen, pasted or dropped -----------------------------------

async function sendImage(file) {
  if (!file?.type.startsWith("image/")) {
    complain("That is not an image.");
    return;
  }
  try {
    const small = file.size <= largestImage ? file : await shrink(file);
    complain();
    post("show", await small.arrayBuffer());
  } catch {
    complain("That image can't be read.");
  }
}

/** Draws an image again, smaller until it can be sent. */
async function shrink(file) {
  const source = await createImageBitmap(file);
  for (let width = Math.min(source.width, widestImage); ; width = Math.round(width * 0.7)) {
    const canvas = new OffscreenCanvas(width, Math.max(1, Math.round((source.height * width) / source.width)));
    canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
    if (blob.size <= largestImage) {
      return blob;
    }
  }
}

byTest("image-input").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = "";
  sendImage(file);
});

document.addEventListener("paste", (event) => {
  const [file] = event.clipboardData.files;
  if (file && !byId("chat").hidden) {
    event.preventDefault();
    sendImage(file);
  }
});

for (const type of ["dragover", "dragleave", "drop"]) {
  byId("chat").addEventListener(type, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) {
      return;
    }
    event.preventDefault();
    byId("compose").classList.toggle("drop", type === "dragover");
    if (type === "drop") {
      sendImage(event.dataTransfer.files[0]);
    }
  });
}

// ---- start ---------------------------------------------------------------

if (name) {
  byTest("name-input").value = name;
  socket.connect();
}
