// Packets of all kinds for a comparison of socket.io-msgpack-parser with the server's own, byte
// by byte. They are made up, but the same each time.
//
//   node msgpack-corpus.mjs                  prints them as the package encodes them, in hexadecimal
//   node msgpack-corpus.mjs --answers FILE   checks what the server made of them: each line has the packet
//                                            of values as they came, a space, and that of decoded ones

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import parser from "socket.io-msgpack-parser";
import { Checks, flags } from "./lib/harness.mjs";

const COUNT = 1000;

/** Numbers from 0 to n - 1, the same in each run (xorshift). */
let state = 2463534242;
function random(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}

const pick = (list) => list[random(list.length)];

const SIZES = [0, 1, 2, 15, 16, 31, 32, 255, 256, 300, 65535, 65536];

/** An integer of any size, positive or not. */
function integer() {
  const n = random(2 ** 32) * 2 ** random(22) + random(2);
  return (pick([1, -1]) * Math.floor(n / 2 ** random(54))) || 0; // no -0, which is 0 on the wire
}

function text() {
  const sizes = random(20) ? SIZES.slice(0, 8) : SIZES;
  return pick(["a", "ü", "☃", "😀", "\u0000", '"\\', "\u2028<>&"]).repeat(pick(sizes) / pick([1, 2, 3]));
}

function scalar() {
  switch (random(10)) {
    case 0: return pick([null, true, false, undefined]);
    case 1: case 2: return integer();
    case 3: return pick([0.1, -1.5, Math.PI, 5e-324, NaN, Infinity, -Infinity, random(1000) / 7]);
    case 4: case 5: return text();
    case 6: return Buffer.alloc(pick(SIZES.slice(0, 10)), random(256));
    case 7: return new Date(pick([0, 1700000000123, -1, 253402300799999, integer() % 8.64e15]));
    case 8: return new Uint8Array(pick(SIZES.slice(0, 10))).fill(random(256)).buffer;
    default: return random(256);
  }
}

function value(depth) {
  if (depth === 0 || random(3)) {
    return scalar();
  }
  const n = pick([0, 1, 2, 3, 17]);
  if (random(2)) {
    return Array.from({ length: n }, () => value(depth - 1));
  }
  return Object.fromEntries(Array.from({ length: n }, (_, i) => [`${pick(["a", "key", "ü"])}${i}`, value(depth - 1)]));
}

function packet() {
  const nsp = pick(["/", "/admin", "/ü", `/${"n".repeat(random(300))}`]);
  const list = () => Array.from({ length: pick([0, 1, 2, 20]) }, () => value(4));
  const id = pick([undefined, 0, 1, 127, 128, 65536, 2 ** 32, 2 ** 53 - 1]);
  switch (random(8)) {
    case 0: return { type: 0, data: pick([undefined, {}, { token: text(), at: value(2) }]), nsp };
    case 1: return { type: 1, nsp };
    case 2: return { type: 4, data: pick([text(), { message: text(), data: value(3) }]), nsp };
    case 3: case 4: return { type: 3, id: id ?? 7, data: list(), nsp };
    default: return { type: 2, data: [pick(["event", text() || "e", random(1000)]), ...list()], nsp, id };
  }
}

const encode = (p) => Buffer.from(new parser.Encoder().encode(p)[0]);

function decode(hex) {
  let packet;
  const decoder = new parser.Decoder();
  decoder.on("decoded", (p) => (packet = p));
  decoder.add(Buffer.from(hex, "hex"));
  return packet;
}

/** The value as a server has it that knows no undefined and no ArrayBuffer. */
function plain(v) {
  if (v === undefined) {
    return null;
  }
  if (v instanceof ArrayBuffer) {
    return Buffer.from(v);
  }
  if (Array.isArray(v)) {
    return v.map(plain);
  }
  if (v && typeof v === "object" && !Buffer.isBuffer(v) && !(v instanceof Date)) {
    return Object.fromEntries(Object.entries(v).map(([k, inner]) => [k, plain(inner)]));
  }
  return v;
}

/** The packet without keys that are undefined, in the order of the server. */
function tidy({ type, data, nsp, id }, change = (v) => v) {
  return { type, ...(data !== undefined && { data: change(data) }), nsp, ...(id !== undefined && { id }) };
}

/** Whether any object has several keys, which may then come in any order. */
function unordered(v) {
  if (Array.isArray(v)) {
    return v.some(unordered);
  }
  if (v && typeof v === "object" && !Buffer.isBuffer(v) && !(v instanceof Date)) {
    return Object.keys(v).length > 1 || Object.values(v).some(unordered);
  }
  return false;
}

const corpus = Array.from({ length: COUNT }, packet);
const { answers, only } = flags();
if (!answers) {
  const lines = corpus.map((p) => encode(p).toString("hex"));
  await new Promise((done) => process.stdout.write(lines.join("\n") + "\n", done));
  process.exit(0);
}

const lines = (await readFile(answers, "utf8")).trim().split("\n").map((line) => line.split(" "));
const checks = new Checks();
checks.add("all packets were taken", async () => assert.equal(lines.length, COUNT));
checks.add("values as they came, byte by byte", async () => {
  corpus.forEach((p, i) => assert.equal(lines[i][0], encode(tidy(p)).toString("hex"), `packet ${i}`));
});
checks.add("decoded values, byte by byte", async () => {
  let compared = 0;
  corpus.forEach((p, i) => {
    if (!unordered(p.data)) {
      compared++;
      assert.equal(lines[i][1], encode(tidy(p, plain)).toString("hex"), `packet ${i}`);
    }
  });
  assert.ok(compared > COUNT / 4, `only ${compared} were compared`);
});
checks.add("decoded values, as the package decodes them", async () => {
  corpus.forEach((p, i) => assert.deepEqual(decode(lines[i][1]), tidy(p, plain), `packet ${i}`));
});
process.exit((await checks.run(only)) ? 0 : 1);
