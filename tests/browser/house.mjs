// A server in a folder of its own, and Chromium to look at it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

/** Longer than anything takes on a busy machine; whoever waits this long has failed. */
export const DEADLINE = 20_000;
export const PASSWORD = "correct horse";
export const PHONE = { width: 360, height: 740 };

const HUBBUB = resolve(process.env.HUBBUB ?? "target/debug/hubbub");
// As root Chromium needs to be without its sandbox; the rest keeps it from talking to anybody but the page.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];

/** A port that nobody has at the moment: a server that comes back has to come back to the same one. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class House {
  #process = null;
  #contexts = new Set();
  /** What went wrong on any page: exceptions, console errors, violations of the content security policy. */
  troubles = [];

  static async open(settings = {}) {
    const house = new House();
    house.folder = await mkdtemp(join(tmpdir(), "hubbub-pages-"));
    house.settings = { "rate-limits": "off", "bcrypt-cost": 4, workers: 2, ...settings };
    house.port = await freePort();
    house.origin = `http://localhost:${house.port}`;
    await cp("media", join(house.folder, "media"), { recursive: true });
    await house.start();
    house.browser = await chromium.launch({ executablePath: await chromiumPath(), args: FLAGS });
    return house;
  }

  async start() {
    const flags = Object.entries(this.settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(HUBBUB, ["serve", "--listen", `127.0.0.1:${this.port}`, ...flags],
      { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (words) => { said += words; });
    this.#process = child;
    const lines = createInterface({ input: child.stdout });
    await new Promise((good, reject) => {
      lines.on("line", (line) => { if (line.includes("Open ")) good(undefined); });
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    });
  }

  /** Ends the server without a chance to say anything. */
  async kill() {
    const child = this.#process;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async close() {
    for (const context of this.#contexts) await context.close().catch(() => undefined);
    await this.browser?.close();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #watch(context) {
    this.#contexts.add(context);
    context.setDefaultTimeout(DEADLINE);
    context.on("page", (page) => {
      page.on("pageerror", (error) => this.troubles.push(`${page.url()}: ${error.stack ?? error}`));
      page.on("console", (message) => {
        if (message.type() === "error") this.troubles.push(`${page.url()}: ${message.text()}`);
      });
    });
    return context;
  }

  /** A browser of its own, with its own cookies. */
  async visitor(options = {}) {
    return this.#watch(await this.browser.newContext({ baseURL: this.origin, ...options }));
  }

  /** A browser whose profile lies in a folder, so that it can be closed and opened again. */
  async profile(name, options = {}) {
    const folder = join(this.folder, `profile-${name}`);
    return this.#watch(await chromium.launchPersistentContext(folder,
      { executablePath: await chromiumPath(), args: FLAGS, baseURL: this.origin, ...options }));
  }

  /** Somebody who has registered through the page; answers with that page. */
  async register(context, username, displayName = "") {
    const page = await context.newPage();
    await page.goto("/register");
    await page.getByLabel("User name").locator("visible=true").fill(username);
    await page.getByLabel("Password").locator("visible=true").fill(PASSWORD);
    if (displayName) await page.getByLabel(/^Display name/).locator("visible=true").fill(displayName);
    await page.getByRole("button", { name: "Make my account" }).click();
    await page.waitForURL("**/dashboard");
    return page;
  }

  /** Fails when any page complained; what matches `expected` was meant to happen. */
  quiet(expected = /^$/) {
    const loud = this.troubles.filter((trouble) => !expected.test(trouble));
    assert.deepEqual(loud, []);
  }
}

async function chromiumPath() {
  const { access } = await import("node:fs/promises");
  for (const path of [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]) {
    if (path && await access(path).then(() => true, () => false)) return path;
  }
  throw new Error("Chromium is missing: apt-get install chromium");
}

/** Opens a channel by its page, creating it first. */
export async function createChannel(page, name) {
  await page.goto("/channels");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

/** Joins a channel by its page. */
export async function joinChannel(page, name) {
  await page.goto(`/c/${encodeURIComponent(name)}`);
  await page.getByRole("button", { name: /^Join/ }).click();
  await page.locator("chat-composer textarea").waitFor();
}

/** Writes in the open channel. */
export async function say(page, text) {
  await page.locator("chat-composer textarea").fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until the open channel shows exactly these texts, in this order. */
export async function shows(page, texts) {
  const found = () => page.locator(".messages .message .message-text").allTextContents();
  const until = Date.now() + DEADLINE;
  let seen = [];
  while (Date.now() < until) {
    seen = await found().catch(() => []);
    if (JSON.stringify(seen) === JSON.stringify(texts)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(seen, texts);
}
