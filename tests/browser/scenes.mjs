// Every page and state that Hubbub has, in a house that was filled through the public API.
import { House, PASSWORD } from "./house.mjs";

/** People who talk in the pictures. The first one looks at most pages. */
const PEOPLE = [["ana", "Ana Lima"], ["mira", "Mira Kovač"], ["siru", "陳思如"], ["jonas", "Jonas Ott"], ["tomas", "Tomás Beltrán"], ["ilse", "Ilse de Wit"]];

const TALK = [
  ["mira", "Morning. Energy is steady at 2.98 GeV since the top-up, repetition rate at 50 Hz."],
  ["mira", "Here's the spot after alignment, two turns on the second quad."],
  ["siru", "很漂亮！could you log the set points? I used\nquad2 = 13.420  # A\nsteer = (-0.12, 0.04)"],
  ["jonas", "Watching from home. The live page says 51.2 on the lead monitor, is that expected?"],
  ["ana", "Yes, until the shutter test ends at ten."],
  ["ana", "Set points are in the log now."],
];

const NOTES = [
  ["mira", "Parking on the 24th", "North lot closed for resurfacing. Bicycles are fine."],
  ["ilse", "Wanted: two hands on Monday", "We move the spectrometer at 09:00. Forty minutes, safety shoes, cake afterwards."],
  ["tomas", "Seminar: slow extraction", "Friday 11:00, room B2. Questions afterwards, on the channel of the same name."],
  ["ana", "", "New coffee beans are in. The old grinder is not repaired, it is only resting."],
  ["jonas", "Group photo", "From Thursday's walk. The full set is in the library. Thank you all for coming, even those who said at the start that they would only walk as far as the bakery and then turned out to be the first ones on the hill."],
  ["siru", "", "誰借走了 30 公分的內六角扳手？請放回三號櫃，謝謝。"],
  ["mira", "Beam back at 16:00", "The RF people found the loose connector. Please keep the hutch closed until the lamp is green."],
];

const CHANNELS = [["beamline", "Run 214, shifts and readings. Handover at 07:00 and 19:00."], ["general", ""], ["papers", "What we read, and what we should."], ["schedule", "Who is where."], ["實驗記錄", "每天的量測結果"]];

/** A house with people, channels, notes and messages; `as(name)` is a signed-in context. */
export class Lived {
  /** @type {Map<string, any>} */ #states = new Map();

  static async open(settings = {}) {
    const lived = new Lived();
    lived.house = await House.open(settings);
    await lived.#fill();
    return lived;
  }

  async #fill() {
    const contexts = new Map();
    for (const [username, display_name] of PEOPLE) {
      const context = await this.house.visitor();
      await this.#form(context, "/register", { username, password: PASSWORD, display_name });
      contexts.set(username, context);
    }
    // Two log-ins more: the home page says how often and when.
    for (let time = 0; time < 2; time += 1) await this.#form(contexts.get("ana"), "/login", { username: "ana", password: PASSWORD });
    for (const [name, topic] of CHANNELS) {
      await this.#form(contexts.get("mira"), "/channels", { name, topic });
      for (const who of name === "papers" ? [] : ["ana", "siru", "jonas"]) await this.#form(contexts.get(who), `/c/${encodeURIComponent(name)}/join`, {});
    }
    for (const [who, title, text] of NOTES) await this.#form(contexts.get(who), "/board", { title, text });
    for (const [who, text] of TALK) await this.#form(contexts.get(who), "/c/beamline", { text });
    for (const text of ["Who has the late shift?", "I can take it.", "Thank you."]) await this.#form(contexts.get("mira"), "/c/schedule", { text });
    const guest = await this.house.visitor();
    await this.#form(guest, "/guest", { display_name: "Sam" });
    contexts.set("guest", guest);
    for (const [name, context] of contexts) {
      this.#states.set(name, await context.storageState());
      await context.close();
    }
  }

  async #form(context, path, form) {
    const answer = await context.request.post(this.house.origin + path, { form, maxRedirects: 0 });
    if (answer.status() !== 303) throw new Error(`POST ${path}: ${answer.status()} ${await answer.text()}`);
  }

  /** A browser in which `who` is signed in; nobody for "". */
  async as(who, options = {}) {
    return this.house.visitor({ ...options, ...(who ? { storageState: this.#states.get(who) } : {}) });
  }

  close() {
    return this.house.close();
  }
}

/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {string} path
 * @property {string} [who] "ana" unless told; "" for nobody
 * @property {(context: any) => Promise<void>} [before] what the browser needs before it comes
 * @property {(page: import("playwright-core").Page, context: any) => Promise<void>} [then] what leads to the state
 */

/** @param {import("playwright-core").Page} page */
const submit = (page, action) => page.evaluate((at) => {
  for (const form of document.querySelectorAll("form")) form.noValidate = true;
  /** @type {HTMLFormElement | null} */ (document.querySelector(`form[action="${at}"]`))?.submit();
}, action).then(() => page.locator(".wrong").first().waitFor());

/** @type {Scene[]} */
export const SCENES = [
  { name: "entry-login", path: "/login", who: "" },
  { name: "entry-register", path: "/register", who: "" },
  { name: "entry-guest", path: "/login", who: "", then: (page) => page.locator("label[for=entry-guest]").click() },
  { name: "entry-refused", path: "/register", who: "", then: async (page) => {
    await page.locator("#register-username").fill("mira");
    await page.locator("#register-password").fill("correct horse");
    await page.locator("form[action='/register'] button").click();
    await page.locator(".wrong").first().waitFor();
  } },
  { name: "home", path: "/dashboard" },
  { name: "home-first", path: "/dashboard", who: "ilse" },
  { name: "home-guest", path: "/dashboard", who: "guest" },
  { name: "board", path: "/board" },
  { name: "board-refused", path: "/board", then: async (page) => {
    await page.locator("#note-title").fill("Half a thought");
    await submit(page, "/board");
  } },
  { name: "board-writing", path: "/board", then: (page) => page.locator("#note-text").focus() },
  { name: "channels", path: "/channels" },
  { name: "channels-refused", path: "/channels", then: async (page) => {
    await page.locator("#channel-name").fill("beamline");
    await page.locator("form[action='/channels'] button").click();
    await page.locator(".wrong").first().waitFor();
  } },
  { name: "channel", path: "/c/beamline" },
  { name: "channel-empty", path: "/c/general" },
  { name: "channel-join", path: "/c/papers" },
  { name: "channel-offline", path: "/c/beamline", before: (context) => context.routeWebSocket(/\/ws$/, (socket) => socket.close()), then: async (page) => {
    await page.locator("chat-composer textarea").fill("This one waits for the server.");
    await page.keyboard.press("Enter");
    await page.locator(".banner").waitFor();
  } },
  { name: "channel-failed", path: "/c/papers", who: "tomas", then: async (page, context) => {
    const join = page.getByRole("button", { name: /^(Join|加入)/ });
    if (await join.count()) await join.click();
    await page.locator("chat-composer textarea").waitFor();
    await context.request.post("/c/papers/leave", { maxRedirects: 0 });
    await page.locator("chat-composer textarea").fill("I have just left, so nobody takes this.");
    await page.keyboard.press("Enter");
    await page.locator("[data-state=failed]").waitFor();
  } },
  { name: "people", path: "/people" },
  { name: "people-none", path: "/people?query=zzz" },
  { name: "library", path: "/media" },
  { name: "player-video", path: "/media", then: async (page) => { await page.locator(".item:has(.poster-video)").first().click(); await page.waitForURL("**/media/*"); } },
  { name: "player-audio", path: "/media", then: async (page) => { await page.locator(".item:has(.poster-audio)").first().click(); await page.waitForURL("**/media/*"); } },
  { name: "settings", path: "/settings" },
  { name: "settings-saved", path: "/settings?done=saved", who: "guest" },
  { name: "error-404", path: "/nothing/here" },
  { name: "error-404-stranger", path: "/nothing/here", who: "" },
  { name: "error-403", path: "/board", then: async (page) => {
    const { origin } = new URL(page.url());
    await page.goto(`data:text/html,<form method="post" action="${origin}/board"></form>`);
    await Promise.all([page.waitForURL(`${origin}/board`), page.evaluate(() => document.forms[0].submit())]);
  } },
  { name: "palette", path: "/board", then: async (page) => {
    await page.locator("[data-opens=palette]").waitFor({ state: "attached" });
    await page.keyboard.press("Control+k");
    await page.locator(".palette-list [role=option]").first().waitFor();
  } },
  { name: "rail", path: "/board#rail" },
];
