// A real server with data of its own, Chromium to look at it, and the people who come. A test with two people:
//
//   let house, ann, bob, lab;
//   before(async () => {
//     house = await House.open();                  // settings as on the command line: { guests: "off" }
//     [ann, bob] = [await house.person("ann"), await house.person("bob")];   // registered without a browser; the first is the owner
//     lab = await ann.channel("lab"); await bob.join(lab);                   // person.mjs: quick, over the API
//   });
//   after(() => house?.close());
//   test("a sentence", async () => {
//     const page = await house.visit(ann, "/c/lab");  // a window of hers, connected
//     await bob.say(lab, "hello"); await shows(page, ["hello"]);            // page.mjs: until(), say(), shows() wait; nothing sleeps
//     house.quiet(); await page.context().close();   // no exception, no console error on any page
//   });
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { DEADLINE, ready, watchScripts } from "./page.mjs";
import { Person } from "./person.mjs";

export const PASSWORD = "correct horse";
export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HUBBUB = resolve(process.env.HUBBUB ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/hubbub"));
// As root Chromium needs to be without its sandbox; the rest keeps it from talking to anybody but the page, and silent
// until a gesture, as it is for people.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=document-user-activation-required",
  // A camera and a microphone for whoever is allowed one.
  "--use-fake-device-for-media-stream"];

/** A port that nobody has at the moment: a server that comes back has to come back to the same one. */
async function freePort() {
  const server = createServer();
  await new Promise((good) => server.listen(0, "127.0.0.1", good));
  const { port } = server.address();
  await new Promise((good) => server.close(good));
  return port;
}

/** The same browser without windows takes a third less time, where it is installed; a camera needs the `whole` of it. */
function chromiumPath(whole = false) {
  const shell = whole ? "" : "/usr/bin/chromium-headless-shell";
  const path = [process.env.CHROMIUM, shell, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((one) => one && existsSync(one));
  if (!path) throw new Error("Chromium is missing: apt-get install chromium");
  return path;
}

export class House {
  #process = null;
  #sources = new Set();
  #contexts = new Set();
  /** The house whose browser this one uses. @type {House | null} */ #host = null;
  /** What went wrong on any page: exceptions, console errors, violations of the content security policy. */
  troubles = [];

  /**
   * @param {Record<string, string | number>} settings as on the command line
   * @param {{whole?: boolean}} [browser] whether it needs all that a browser has: a camera, questions for leave
   * @returns {Promise<House>} with the server running
   */
  static async open(settings = {}, { whole = false } = {}) {
    const house = await House.#serve(settings);
    house.browser = await chromium.launch({ executablePath: chromiumPath(whole), args: FLAGS });
    return house;
  }

  /** Another server that is looked at in the same browser. */
  async beside(settings) {
    const house = await House.#serve(settings);
    house.#host = this;
    house.browser = this.browser;
    return house;
  }

  static async #serve(settings) {
    const house = new House();
    house.folder = await mkdtemp(join(tmpdir(), "hubbub-pages-"));
    house.settings = { "rate-limits": "off", "bcrypt-cost": 4, workers: 2, jobs: 0, "link-previews": "off", ...settings };
    house.port = await freePort();
    house.origin = `http://127.0.0.1:${house.port}`;
    await cp(join(ROOT, "media"), join(house.folder, "media"), { recursive: true });
    // A test that is stopped from outside leaves no server behind.
    process.once("exit", () => [house.#process, ...house.#sources].forEach((child) => child?.kill("SIGKILL")));
    await house.start();
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
    await new Promise((good, bad) => {
      const late = setTimeout(() => bad(new Error(`the server has not come up in ${DEADLINE} ms: ${said}`)), DEADLINE);
      lines.on("line", (line) => { if (line.includes("Open ")) { clearTimeout(late); good(undefined); } });
      child.once("error", bad);
      child.once("exit", (code) => bad(new Error(`the server ended with ${code}: ${said}`)));
    });
  }

  /** The demonstration instrument beside the server, which needs no key there. @param {string[]} flags */
  publish(...flags) {
    const child = spawn(HUBBUB, ["publish", "--to", this.origin, ...flags], { cwd: this.folder, stdio: "ignore" });
    this.#sources.add(child);
    return child;
  }

  /** Another command of the program, in the server's folder; fails when it does. @param {string[]} words @returns {Promise<string>} what it says */
  async command(...words) {
    return (await promisify(execFile)(HUBBUB, words, { cwd: this.folder })).stdout;
  }

  /** Ends the server: SIGKILL as in a power cut, SIGTERM as in a restart. */
  async stop(signal = "SIGKILL") {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((good) => child.once("exit", good));
    child.kill(signal);
    await ended;
  }

  async close() {
    for (const source of this.#sources) source.kill("SIGKILL");
    for (const context of this.#contexts) await context.close().catch(() => undefined);
    if (!this.#host) await this.browser?.close();
    await this.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Registers somebody, without a browser. @returns {Promise<Person>} */
  person(username, displayName = username[0].toUpperCase() + username.slice(1)) {
    return Person.by("/register", this.origin, { username, password: PASSWORD, display_name: displayName });
  }

  /** Somebody who gives only a name, without a browser. @returns {Promise<Person>} */
  guest(displayName) {
    return Person.by("/guest", this.origin, { display_name: displayName });
  }

  #watch(context) {
    this.#contexts.add(context);
    context.setDefaultTimeout(DEADLINE);
    context.on("page", (page) => {
      watchScripts(page);
      page.on("pageerror", (error) => this.troubles.push(`${page.url()}: ${error.stack ?? error}`));
      page.on("console", (message) => {
        if (message.type() === "error") this.troubles.push(`${page.url()}: ${message.text()} (${message.location().url})`);
      });
    });
    return context;
  }

  /** A browser of its own, with its own cookies; nobody is signed in. */
  async visitor(options = {}) {
    return this.#watch(await this.browser.newContext({ baseURL: this.origin, viewport: DESK, ...options }));
  }

  /** A browser whose profile lies in a folder, so that it can be closed and opened again. */
  async profile(name, options = {}) {
    const folder = join(this.folder, `profile-${name}`);
    return this.#watch(await chromium.launchPersistentContext(folder,
      { executablePath: chromiumPath(), args: FLAGS, baseURL: this.origin, viewport: DESK, ...options }));
  }

  /** A window of a person's own, in a browser of its own; ended by `page.context().close()`. */
  async visit(person, path = "/", options = {}) {
    return this.enter(await this.visitor(options), person, path);
  }

  /** The same in a browser that is there already. */
  async enter(context, person, path = "/") {
    await this.signIn(context, person);
    const page = await context.newPage();
    await this.go(page, path);
    return page;
  }

  /** Makes a browser a person's own. */
  async signIn(context, person) {
    const [name, value] = person.cookie.split("=");
    await context.addCookies([{ name, value, url: this.origin }]);
  }

  /** Opens a path and waits until the page is connected. */
  async go(page, path) {
    await page.goto(path);
    await ready(page);
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

  /** Fails when any page complained since the last time; what matches `expected` was meant to happen. */
  quiet(expected = /^$/) {
    const loud = this.troubles.splice(0).filter((trouble) => !expected.test(trouble));
    assert.deepEqual(loud, []);
  }
}
