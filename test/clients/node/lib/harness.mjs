// Runs named checks one after the other and reports each as one JSON line on
// standard output, so that the caller can turn every check into a test of its own.
//
// The first line is the plan, {"plan":["name", …]}; then one line per check,
// {"check":"name","ok":true,"ms":12} or {"check":"name","ok":false,"error":"…"}.

import process from "node:process";

/** How long one check may take before it counts as hung, in milliseconds. */
const DEADLINE = 30_000;

/** Writes one report line, waiting until it has left the process. */
function report(line) {
  return new Promise((done) => process.stdout.write(JSON.stringify(line) + "\n", done));
}

/** Parses `--name value` pairs of the command line into an object. */
export function flags() {
  const found = {};
  const argv = process.argv.slice(2);
  for (let i = 0; i + 1 < argv.length; i += 2) {
    found[argv[i].replace(/^--/, "")] = argv[i + 1];
  }
  return found;
}

/**
 * A list of checks, each with its own cleanup stack: what a check opened is
 * closed after it, whether it passed or not.
 */
export class Checks {
  #list = [];

  /** Adds a check. `fn` gets a `defer` function that registers a cleanup. */
  add(name, fn) {
    this.#list.push({ name, fn });
  }

  /** Runs everything (or only the names in `only`) and resolves with whether all passed. */
  async run(only) {
    const wanted = only ? new Set(only.split(",")) : null;
    const list = this.#list.filter((c) => !wanted || wanted.has(c.name));
    await report({ plan: list.map((c) => c.name) });
    let failed = 0;
    for (const check of list) {
      const start = Date.now();
      const cleanups = [];
      let timer;
      try {
        const late = new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error(`no result within ${DEADLINE} ms`)), DEADLINE);
        });
        // A check that loses the race keeps a handler, so that its own later failure is not "unhandled".
        const work = check.fn((fn) => cleanups.push(fn));
        work.catch(() => {});
        await Promise.race([work, late]);
        await report({ check: check.name, ok: true, ms: Date.now() - start });
      } catch (err) {
        failed++;
        await report({ check: check.name, ok: false, ms: Date.now() - start, error: String(err?.stack ?? err) });
      } finally {
        clearTimeout(timer);
        for (const fn of cleanups.reverse()) {
          try {
            await fn();
          } catch (err) {
            process.stderr.write(`cleanup of ${check.name}: ${err?.stack ?? err}\n`);
          }
        }
      }
    }
    return failed === 0;
  }
}

/** Resolves with the arguments of the next `event` of an emitter. */
export function next(emitter, event) {
  return new Promise((done) => emitter.once(event, (...args) => done(args)));
}

/** Resolves when `condition()` is true, looking after each turn of the event loop. */
export async function until(condition) {
  while (!condition()) {
    await new Promise((done) => setTimeout(done, 2));
  }
}

/** Collects every `event` of an emitter from now on; each entry is the argument list. */
export function collect(emitter, event) {
  const seen = [];
  emitter.on(event, (...args) => seen.push(args));
  return seen;
}
