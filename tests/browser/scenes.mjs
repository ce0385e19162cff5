// Every page and state that Hubbub has, as the gallery shows it and axe reads it.
import { PASSWORD } from "./house.mjs";
import { ready, say, until } from "./page.mjs";
import { shownCode } from "./totp.mjs";

/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {string} path
 * @property {string} [who] "ana" unless told; "" for nobody
 * @property {import("./lived.mjs").Trouble} [trouble] the house beside it in which something is wrong
 * @property {(context: any) => Promise<void>} [before] what the browser needs before it comes
 * @property {(page: import("playwright-core").Page, context: any) => Promise<void>} [then] what leads to the state
 */

/** @param {import("playwright-core").Page} page */
const submit = (page, action) => page.evaluate((at) => {
  for (const form of document.querySelectorAll("form")) form.noValidate = true;
  /** @type {HTMLFormElement | null} */ (document.querySelector(`form[action="${at}"]`))?.submit();
}, action).then(() => page.locator(".wrong").first().waitFor());

async function palette(page) {
  await ready(page);
  await page.keyboard.press("Control+k");
  await page.locator(".palette-list [role=option]").first().waitFor();
}

/** Somebody new in this browser, by a name of their own each time. @param {import("playwright-core").Page} page */
async function newcomer(page, context) {
  // A page that is open would be led to sign in when its session ends.
  await page.goto("about:blank");
  await context.request.post("/register", { form: { username: `new-${Date.now()}`, password: PASSWORD, display_name: "Nadia" }, maxRedirects: 0 });
  await page.goto("/settings/security");
}

/** Sets a second step up, to where the app has to show its code; answers with the secret. @param {import("playwright-core").Page} page */
async function beginSecondStep(page) {
  await page.locator("#begin-current").fill(PASSWORD);
  await page.locator("button[value=begin]").click();
  return page.locator(".scan-secret").textContent();
}

/** Shows a code for another device; answers with its link. @param {import("playwright-core").Page} page */
async function showHandover(page) {
  await page.locator("form[action='/settings/devices'] button").click();
  return page.locator("#handover-link").inputValue();
}

/** Guesses passwords until the server asks for a little patience; one guess a second is free. */
async function guess(page) {
  await until(async () => {
    const answered = page.waitForEvent("load");
    await page.evaluate(async () => {
      const form = /** @type {HTMLFormElement} */ (document.querySelector(".entry-form-login"));
      const fields = { username: "somebody", password: "nobody's own" };
      for (const [name, value] of Object.entries(fields)) /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value = value;
      // Another address under the same limit, as the tries at one account are counted, too.
      while ((await fetch("/reset", { method: "POST", body: new URLSearchParams({ code: "none", ...fields }) })).status !== 429);
      setTimeout(() => form.submit());
    });
    await answered;
    return page.locator(".trouble").isVisible();
  }, "a refusal");
}

/** The group of everybody who helps, or a page of it. @param {import("playwright-core").Page} page */
async function openGroup(page, more = "", shown = ".message") {
  const href = await page.locator("main a[href^='/g/']", { hasText: "Open day" }).first().getAttribute("href");
  await page.goto(href + more);
  await page.locator(`main ${shown}, chat-details ${shown}`).first().waitFor();
}

/** Holds a finger on something. */
async function hold(page, element) {
  const box = await element.boundingBox();
  const [x, y] = [box.x + 60, box.y + box.height / 2];
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
  await page.locator("#message-menu").waitFor();
  await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await devtools.detach();
}

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
  { name: "entry-invite-over", path: "/register?invite=abcdabcdabcdabcd", who: "" },
  { name: "entry-code", path: "/login", who: "", then: async (page) => {
    await page.locator("#login-username").fill("tomas");
    await page.locator("#login-password").fill(PASSWORD);
    await page.locator(".entry-form-login button").click();
    await page.locator("#code").fill("000000");
    await page.locator("form[action='/login/code'] button").click();
    await page.locator(".wrong").waitFor();
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
  { name: "channel-members", path: "/c/beamline?details=members", then: (page) => page.locator(".member").first().waitFor() },
  { name: "channel-long", path: "/c/readings" },
  { name: "channel-further-up", path: "/c/readings", then: async (page) => {
    await ready(page);
    await page.locator(".timeline-scroll").evaluate((pane) => { pane.scrollTop = 0; });
    await page.locator(".jump button:not([hidden])").waitFor();
    await page.locator(".timeline-scroll").focus();
    await page.keyboard.press("ArrowUp");
    // On a phone its menu is held open by a finger instead.
    await page.locator(".message-bar").waitFor({ state: "attached" });
  } },
  { name: "channel-offline", path: "/c/beamline", before: (context) => context.routeWebSocket(/\/ws$/, (socket) => socket.close()), then: async (page) => {
    await say(page, "This one waits for the server.");
    await page.locator(".banner").waitFor();
  } },
  { name: "channel-failed", path: "/c/papers", who: "tomas", then: async (page, context) => {
    const join = page.getByRole("button", { name: /^(Join|加入)/ });
    if (await join.count()) await join.click();
    await page.locator("chat-composer textarea").waitFor();
    // Whoever has left is brought to the room as strangers read it; what was refused is looked at here.
    await page.route(/\/api\/v1\/rooms\/\d+$/, (route) => route.abort());
    await context.request.post("/c/papers/leave", { maxRedirects: 0 });
    await say(page, "I have just left, so nobody takes this.");
    await page.locator("[data-state=failed]").waitFor();
  } },
  { name: "channel-menu", path: "/c/beamline", then: async (page) => {
    await ready(page);
    const message = page.locator(".messages > .message").first();
    // A finger held on it opens the same.
    if (await page.evaluate(() => navigator.maxTouchPoints > 0)) await hold(page, message);
    else {
      await message.hover();
      await message.locator("[data-does=more]").click();
    }
    await page.locator("#message-menu").waitFor();
  } },
  { name: "groups", path: "/groups" },
  { name: "group", path: "/groups", then: (page) => openGroup(page) },
  { name: "group-thread", path: "/groups", then: (page) => openGroup(page, "?details=thread.1", ".gathered .message") },
  { name: "group-pins", path: "/groups", then: (page) => openGroup(page, "?details=pins", ".gathered .message") },
  { name: "group-settings", path: "/groups", then: (page) => openGroup(page, "/settings", "form") },
  { name: "picture", path: "/groups", then: async (page) => {
    await openGroup(page);
    await ready(page);
    await page.locator(".picture img").first().click();
    await page.locator("dialog[open] img").waitFor();
  } },
  { name: "private", path: "/dm/jonas" },
  { name: "private-new", path: "/dm/tomas" },
  { name: "private-begin", path: "/direct" },
  { name: "search", path: "/search" },
  { name: "search-found", path: "/search?q=the", then: (page) => page.locator(".hit").first().waitFor() },
  { name: "search-nothing", path: "/search?q=xylophone" },
  { name: "kept", path: "/bookmarks" },
  { name: "kept-none", path: "/bookmarks", who: "ilse" },
  { name: "people", path: "/people" },
  { name: "person", path: "/people/2" },
  { name: "person-card", path: "/people", then: async (page) => {
    await ready(page);
    await page.locator(".person-name").nth(2).click();
    await page.locator("person-card .about-name").waitFor();
  } },
  { name: "status", path: "/people", then: async (page) => {
    await ready(page);
    if (!await page.locator(".rail-state").isVisible()) await page.locator(".head-back").click();
    await page.locator(".rail-state").click();
    await page.locator("site-status .state").first().waitFor();
  } },
  { name: "blocked-none", path: "/settings/blocked" },
  { name: "reports-none", path: "/admin" },
  { name: "audit", path: "/admin/audit" },
  { name: "filter", path: "/admin/filter" },
  { name: "moderate", path: "/admin/moderate/2" },
  { name: "invites", path: "/admin/invites" },
  { name: "invites-made", path: "/admin/invites", then: async (page) => {
    await page.locator("#label").fill("Visitors of the open day");
    await page.locator("form[action='/admin/invites'] button").click();
    await page.locator("#new-link").waitFor();
    // The list keeps what it was.
    const revoke = page.locator(".invite", { hasText: "Visitors of the open day" }).locator("form");
    await page.evaluate((at) => fetch(String(at), { method: "POST" }), await revoke.first().getAttribute("action"));
  } },
  { name: "invites-refused", path: "/admin/invites", then: (page) => submit(page, "/admin/invites") },
  { name: "accounts", path: "/admin/people" },
  { name: "account", path: "/admin/people/6" },
  { name: "account-link", path: "/admin/people/3", then: async (page) => {
    await page.locator("form[action='/admin/people/3/reset'] button").click();
    await page.locator("#new-link").waitFor();
  } },
  { name: "new-password", path: "/admin/people/3", then: async (page) => {
    await page.locator("form[action='/admin/people/3/reset'] button").click();
    await page.goto(await page.locator("#new-link").inputValue());
    await submit(page, "/reset");
  } },
  { name: "people-none", path: "/people?query=zzz" },
  { name: "library", path: "/media" },
  { name: "player-video", path: "/media", then: async (page) => { await page.locator(".item:has(.poster-video)").first().click(); await page.waitForURL("**/media/*"); } },
  { name: "player-together", path: "/media", then: async (page) => {
    await page.locator(".item:has(.poster-video)").first().click();
    await page.waitForURL("**/media/*");
    await page.locator(".together-start").click();
    await page.locator(".together-leave").waitFor();
  } },
  { name: "player-audio", path: "/media", then: async (page) => { await page.locator(".item:has(.poster-audio)").first().click(); await page.waitForURL("**/media/*"); } },
  { name: "media-failed", path: "/media", trouble: "cut", then: async (page) => {
    await page.getByRole("link", { name: "Cut short" }).first().click();
    await page.waitForURL("**/media/*");
    await page.locator("media-preparing[data-state=failed]").waitFor();
  } },
  { name: "player-edit", path: "/media", then: async (page) => { await page.locator(".item").first().click(); await page.waitForURL("**/media/*"); await page.goto(`${page.url()}/edit`); } },
  { name: "library-found", path: "/media?q=light" },
  { name: "library-nothing", path: "/media?q=xylophone" },
  { name: "player-captions", path: "/media", then: async (page) => { await page.locator(".item:has(.poster-video)").first().click(); await page.waitForURL("**/media/*"); await page.goto(`${page.url()}/captions`); } },
  { name: "live", path: "/live", then: (page) => page.locator(".tile[data-name=beamline-3] .live-mark:not([hidden])").waitFor() },
  { name: "live-stream", path: "/live/beamline-3", then: (page) => page.locator("live-panel:not(.is-stale) .live-mark:not([hidden])").waitFor() },
  { name: "live-paused", path: "/live/beamline-3", then: async (page) => {
    await page.locator("live-panel:not(.is-stale) .live-mark:not([hidden])").waitFor();
    await page.locator("[data-does=pause]").click();
    await page.locator(".plot").first().focus();
    await page.keyboard.press("ArrowLeft");
  } },
  { name: "live-idle", path: "/live/cryostat", then: (page) => page.locator("live-panel.is-stale").waitFor() },
  { name: "live-nothing", path: "/live/hall-camera" },
  { name: "live-edit", path: "/live/beamline-3/edit" },
  { name: "playlists", path: "/media/lists" },
  { name: "playlist", path: "/media/lists", then: async (page) => { await page.getByRole("link", { name: "Slow mornings" }).click(); await page.waitForURL("**/media/lists/*"); } },
  { name: "dock", path: "/media", then: async (page) => {
    await page.locator(".item:has(.poster-audio)").first().click();
    await page.waitForURL("**/media/*");
    await page.locator("media-player[data-ready] .deck-play").click();
    await page.waitForFunction(() => /** @type {any} */ (document.querySelector("media-player")).currentTime > 0);
    await page.goto("/c/beamline");
    await page.locator("site-dock .dock-toggle").waitFor();
  } },
  { name: "media-trash-none", path: "/media/trash" },
  { name: "settings", path: "/settings" },
  { name: "settings-saved", path: "/settings?done=saved", who: "guest" },
  { name: "security", path: "/settings/security" },
  { name: "security-refused", path: "/settings/security", then: async (page) => {
    await page.locator("#begin-current").fill("not it at all");
    await page.locator("button[value=begin]").click();
    await page.locator(".wrong").first().waitFor();
  } },
  { name: "security-on", path: "/settings/security", who: "tomas" },
  { name: "security-setup", path: "/login", who: "", then: async (page, context) => {
    await newcomer(page, context);
    await beginSecondStep(page);
  } },
  { name: "security-codes", path: "/login", who: "", then: async (page, context) => {
    await newcomer(page, context);
    await page.locator("#code").fill(shownCode(await beginSecondStep(page)));
    await page.locator("form[action='/settings/security/second'] button").click();
    await page.locator(".codes").waitFor();
  } },
  { name: "device-code", path: "/settings/security", then: showHandover },
  { name: "device-asked", path: "/settings/security", then: async (page) => {
    const link = new URL(await showHandover(page));
    await fetch(`${link.origin}/handover`, { method: "POST", redirect: "manual", body: link.searchParams });
    await page.locator(".handover-number").waitFor();
  } },
  { name: "device-arrival", path: "/login", who: "", then: async (page, context) => {
    await newcomer(page, context);
    const link = await showHandover(page);
    await context.clearCookies();
    await page.goto(link);
  } },
  { name: "device-number", path: "/login", who: "", then: async (page, context) => {
    await newcomer(page, context);
    const link = await showHandover(page);
    await context.clearCookies();
    await page.goto(link);
    await page.locator("form[action='/handover'] button").click();
    await page.locator(".handover-number").waitFor();
  } },
  { name: "error-404", path: "/nothing/here" },
  { name: "error-404-stranger", path: "/nothing/here", who: "" },
  { name: "error-403", path: "/board", then: async (page) => {
    const { origin } = new URL(page.url());
    await page.goto(`data:text/html,<form method="post" action="${origin}/board"></form>`);
    await Promise.all([page.waitForURL(`${origin}/board`), page.evaluate(() => document.forms[0].submit())]);
  } },
  { name: "error-405", path: "/logout" },
  { name: "error-413", path: "/board", then: async (page) => {
    await page.locator("#note-text").evaluate((box) => { /** @type {HTMLTextAreaElement} */ (box).value = "long ".repeat(20_000); });
    await page.locator("form[action='/board']").evaluate((form) => /** @type {HTMLFormElement} */ (form).submit());
    await page.locator(".trouble").waitFor();
  } },
  { name: "error-429", path: "/login", who: "", trouble: "hurried", then: guess },
  { name: "error-500", path: "/c/beamline", trouble: "messages" },
  { name: "error-503", path: "/people", trouble: "accounts" },
  { name: "palette", path: "/board", then: palette },
  { name: "palette-nothing", path: "/board", then: async (page) => {
    await palette(page);
    await page.keyboard.type("zzzz");
    await page.locator(".palette-nothing").waitFor();
  } },
  { name: "keys", path: "/people", then: async (page) => {
    await ready(page);
    await page.keyboard.press("?");
    await page.locator(".keysheet[open]").waitFor();
  } },
  { name: "volume", path: "/people", then: async (page) => {
    await ready(page);
    await page.locator("[data-opens=volume]").click();
    await page.locator("site-volume:popover-open").waitFor();
  } },
  { name: "offers", path: "/c/beamline", then: async (page) => {
    await ready(page);
    await page.locator("chat-composer textarea").fill("Ask @");
    await page.locator(".offers:not([hidden]) .offer").first().waitFor();
  } },
  { name: "emoji", path: "/c/beamline", then: async (page) => {
    await ready(page);
    await page.locator(".composer-emoji").click();
    await page.locator(".emoji-cell").first().waitFor();
  } },
  { name: "rail", path: "/board#rail" },
];
