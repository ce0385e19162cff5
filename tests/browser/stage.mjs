// A stage for browser tests: the real binary on a free port with data of its own, and people who come in by Chromium.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// `require` honours NODE_PATH, so the packages may stand anywhere; `import` doesn't.
const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BINARY = process.env.HUBBUB_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "hubbub");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=document-user-activation-required"];
const DEADLINE = 20_000;

/** @returns {Promise<number>} a port that was free a moment ago */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `look` answers with something true. */
export async function until(look, what, ms = DEADLINE) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    last = await look();
    if (last) return last;
    await pause(40);
  }
  throw new Error(`waited ${ms} ms in vain for ${what}; last: ${JSON.stringify(last)}`);
}

export class Stage {
  /** @returns {Promise<Stage>} with the server running */
  static async open(...flags) {
    const stage = new Stage();
    stage.folder = mkdtempSync(join(tmpdir(), "hubbub-stage-"));
    stage.port = await freePort();
    stage.flags = flags;
    stage.base = `http://127.0.0.1:${stage.port}`;
    await stage.start();
    return stage;
  }

  async start() {
    const flags = ["--listen", `127.0.0.1:${this.port}`, "--bcrypt-cost", "4", "--rate-limits", "off", ...this.flags];
    this.process = spawn(BINARY, flags, { cwd: this.folder, stdio: "ignore" });
    await until(async () => (await fetch(`${this.base}/healthz`).catch(() => null))?.ok, "the server");
  }

  /** Ends the server: SIGKILL as in a power cut, SIGTERM as in a restart. */
  async stop(signal = "SIGKILL") {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill(signal);
    await ended;
  }

  async close() {
    await this.browser?.close();
    if (this.process.exitCode === null && this.process.signalCode === null) await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Registers somebody. @returns {Promise<Caller>} who talks to the server without a browser */
  async caller(username) {
    const answer = await fetch(`${this.base}/register`, {
      method: "POST", redirect: "manual", headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ username, password: "correct horse", display_name: username[0].toUpperCase() + username.slice(1) }),
    });
    const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
    if (!cookie) throw new Error(`registering ${username} was answered with ${answer.status}`);
    return new Caller(this.base, username, cookie);
  }

  /** Opens a browser window of its own for a caller. @returns {Promise<import("playwright-core").Page>} */
  async visit(caller, path = "/", options = {}) {
    this.browser ??= await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    return this.#enter(context, caller, path);
  }

  /** The same in a browser of its own, whose data outlive it; ended by `page.context().close()`. */
  async visitWith(folder, caller, path) {
    const context = await chromium.launchPersistentContext(folder, { executablePath: CHROMIUM, headless: true, args: FLAGS });
    return this.#enter(context, caller, path);
  }

  async #enter(context, caller, path) {
    const [name, value] = caller.cookie.split("=");
    await context.addCookies([{ name, value, url: this.base }]);
    const page = await context.newPage();
    page.troubles = [];
    page.on("pageerror", (error) => page.troubles.push(String(error)));
    await this.go(page, path);
    return page;
  }

  async go(page, path) {
    await page.goto(this.base + path);
    await ready(page);
  }
}

/** Until the page's socket has had its `ready`. */
export async function ready(page) {
  await page.waitForFunction(async () => {
    const path = [...document.scripts].map(({ src }) => src).find((src) => src.includes("/site/shell.js"));
    const { live } = await import(path.replace("/site/shell.js", "/lib/live.js"));
    globalThis.live = live;
    return live.ready !== null && live.socket.isOpen;
  });
}

/** Somebody who uses the HTTP interface. */
export class Caller {
  constructor(base, username, cookie) {
    Object.assign(this, { base, username, cookie });
    this.sent = 0;
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.base}/api/v1${path}`, {
      method, headers: { cookie: this.cookie, "content-type": "application/json" }, body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** @returns {Promise<{id: number, name: string}>} */
  channel(name) {
    return this.call("POST", "/rooms", { kind: "channel", name });
  }

  join(room) {
    return this.call("POST", `/rooms/${room.id}/join`);
  }

  say(room, text) {
    this.sent += 1;
    return this.call("POST", `/rooms/${room.id}/messages`, { nonce: `${this.username}-${Date.now()}-${this.sent}`.padEnd(20, "x"), text });
  }

  /** Many at once, in an order of their own. */
  async sayMany(room, count, word = "line") {
    for (let done = 0; done < count; done += 100) {
      await Promise.all(Array.from({ length: Math.min(100, count - done) }, (_, i) => this.say(room, `${word} ${done + i + 1}`)));
    }
  }

  async texts(room) {
    const all = [];
    for (let after = 0; ;) {
      const { messages, more } = await this.call("GET", `/rooms/${room.id}/messages?after=${after}&limit=100`);
      all.push(...messages.map(({ text }) => text));
      if (!more) return all;
      after = messages.at(-1).seq;
    }
  }
}
