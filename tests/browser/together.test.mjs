// People watch a film together: through pauses, jumps and cuts they see the same moment, a late one too, and after the
// server's end as well. HUBBUB_TOGETHER_SEED repeats a run.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { makeFilm } from "./film.mjs";
import { House } from "./house.mjs";
import { pause, ready, until } from "./page.mjs";

const STEPS = 20;
/** Seconds. */
const LENGTH = 600;
/** People notice more than this. Milliseconds. */
const MOST = 250;
const PATIENCE = 60_000;

let house, ann, bob, eve, film;
let seed = Number(process.env.HUBBUB_TOGETHER_SEED ?? 20261121);

before(async () => {
  house = await House.open();
  [ann, bob, eve] = [await house.person("ann"), await house.person("bob"), await house.person("eve")];
  film = await makeFilm(house, ann, "Long evening.mp4", LENGTH, { size: "160x90" });
});
after(async () => { await house?.close(); });

/** The next number of a row that looks like chance, 0 to 1. */
function chance() {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
}
const pick = (all) => all[Math.floor(chance() * all.length)];

/** What a test calls in a page counts as a gesture, so the browser's refusal to play without one is acted. */
const strict = () => {
  let isTouched = false;
  addEventListener("click", () => { isTouched = true; }, true);
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    return this.muted || isTouched ? play.call(this) : Promise.reject(new DOMException("A gesture is needed.", "NotAllowedError"));
  };
};

/** A page on the film whose sockets can be cut. */
async function visit(person, ...scripts) {
  const context = await house.visitor();
  for (const script of scripts) await context.addInitScript(script);
  await context.addInitScript(() => {
    const Real = WebSocket;
    const all = (/** @type {any} */ (globalThis).sockets = []);
    globalThis.WebSocket = class extends Real {
      /** @param {[string]} args */
      constructor(...args) {
        super(...args);
        all.push(this);
      }
    };
  });
  const page = await house.enter(context, person, `/media/${film.id}`);
  await page.waitForFunction(() => document.querySelector("video")?.readyState >= 1);
  return page;
}

const press = (page, name) => page.locator("media-together").getByRole("button", { name }).click();
const says = (page) => page.locator(".together-says").textContent();
const player = (page, what, value = 0) => page.evaluate(([deed, seconds]) => {
  const one = /** @type {any} */ (document.querySelector("media-player"));
  return deed === "seek" ? one.seek(seconds) : one[deed]();
}, [what, value]);
const cut = (page) => page.evaluate(() => /** @type {any} */ (globalThis).sockets.at(-1).close());

/** What a player does, and at which moment of the machine's clock that is so. */
const look = (page) => page.evaluate(() => {
  const media = document.querySelector("video");
  return { clock: performance.timeOrigin + performance.now(), at: media.currentTime * 1000, rate: media.playbackRate, still: media.paused, busy: media.seeking || media.readyState < 3, up: /** @type {any} */ (globalThis).live.isUp };
});

/** How far the players are apart, ms; nothing while one is on its way or does something else than the others. */
async function apart(pages) {
  const all = await Promise.all(pages.map(look));
  if (all.some(({ busy, up, still }) => busy || !up || still !== all[0].still)) return null;
  const now = Math.max(...all.map(({ clock }) => clock));
  const places = all.map(({ at, clock, rate, still }) => (still ? at : at + (now - clock) * rate));
  return Math.max(...places) - Math.min(...places);
}

/** Waits until they are together and stay so, then measures. @returns {Promise<number>} the middle of five looks, ms: a machine that stalls for a moment spoils one */
async function settle(pages, what) {
  let calm = 0;
  let last;
  await until(async () => {
    last = await apart(pages);
    calm = last !== null && last < 100 ? calm + 1 : 0;
    return calm >= 3;
  }, `everybody to be together after ${what}`, PATIENCE).catch(async (error) => {
    throw new Error(`${error.message}; ${JSON.stringify(await Promise.all(pages.map(look)))}`);
  });
  /** @type {number[]} */
  const seen = [];
  for (let n = 0; n < 5; n += 1) {
    await pause(100);
    const now = await apart(pages);
    if (now !== null) seen.push(now);
  }
  assert.ok(seen.length > 0, `nobody stood or played for half a second after ${what}`);
  return seen.sort((a, b) => a - b)[Math.floor(seen.length / 2)];
}

test("twenty pauses, jumps and cuts, and one who comes late: all see the same moment", { timeout: 600_000 }, async () => {
  const pages = [await visit(ann), await visit(bob)];
  const names = ["Ann", "Bob", "Eve"];
  await press(pages[0], "Watch together");
  await until(async () => (await says(pages[0]))?.startsWith("You watch."), "Ann to watch");
  await player(pages[0], "play");
  // A stranger to the talk learns of it by looking, and is in it with the same press.
  await pages[1].reload();
  await ready(pages[1]);
  await until(async () => (await says(pages[1])) === "Watching now: Ann", "what goes on");
  await press(pages[1], "Watch with them");
  await until(async () => (await says(pages[0])) === "You watch with Bob", "Ann to see Bob");
  const drifts = [await settle(pages, "the beginning")];
  console.log(`Bob is there: ${drifts[0].toFixed(0)} ms`);
  for (let step = 1; step <= STEPS; step += 1) {
    if (step === STEPS / 2) {
      const late = await visit(eve);
      await press(late, "Watch with them");
      pages.push(late);
      drifts.push(await settle(pages, "Eve's coming"));
      console.log(`Eve comes late: ${drifts.at(-1).toFixed(0)} ms`);
    }
    const who = Math.floor(chance() * pages.length);
    const isStill = (await look(pages[0])).still;
    const deed = pick(isStill ? ["play", "play", "seek", "cut"] : ["pause", "seek", "seek", "cut"]);
    const target = Math.round(chance() * (LENGTH - 60));
    const other = (who + 1) % pages.length;
    // Whoever is cut off misses what another does meanwhile, every other time.
    const meanwhile = deed === "cut" && chance() < 0.5;
    if (deed === "cut") await cut(pages[who]);
    else await player(pages[who], deed, target);
    if (meanwhile) await player(pages[other], "seek", target);
    const follows = pages[meanwhile ? who : other];
    if (deed === "seek" || meanwhile) await until(async () => Math.abs((await look(follows)).at / 1000 - target) < 20, `${target} s`);
    else if (deed !== "cut") await until(async () => (await look(follows)).still === (deed === "pause"), deed);
    const what = `${names[who]} ${deed}${deed === "seek" ? ` ${target} s` : ""}${meanwhile ? `, ${names[other]} seek ${target} s meanwhile` : ""}`;
    const drift = await settle(pages, `step ${step}, ${what}`);
    drifts.push(drift);
    console.log(`step ${step}: ${what}, ${drift.toFixed(0)} ms apart`);
  }
  console.log(`at most ${Math.max(...drifts).toFixed(0)} ms apart`);
  assert.ok(drifts.every((drift) => drift < MOST), `${drifts}`);
  // Whoever closes the page is counted out, and the last one ends it.
  await pages[2].context().close();
  await until(async () => (await says(pages[0])) === "You watch with Bob", "Eve to be gone");
  await press(pages[1], "Leave");
  await until(async () => (await says(pages[0]))?.startsWith("You watch."), "Bob to be gone");
  house.quiet();
  for (const page of pages.slice(0, 2)) await page.context().close();
});

test("after the server's end it goes on from where they were", { timeout: 180_000 }, async () => {
  const pages = [await visit(ann), await visit(bob)];
  await press(pages[0], "Watch together");
  await player(pages[0], "seek", 300);
  await player(pages[0], "play");
  await press(pages[1], "Watch with them");
  await settle(pages, "the beginning");
  await house.stop();
  await house.start();
  await until(async () => (await Promise.all(pages.map(says))).some((words) => words?.startsWith("The connection was lost.")), "the words about it");
  const drift = await settle(pages, "the restart");
  const { at } = await look(pages[0]);
  assert.ok(drift < MOST && at > 300_000 && at < 400_000, `${drift} ms apart at ${at} ms`);
  house.quiet(/ERR_|WebSocket|Failed to load/);
  for (const page of pages) await page.context().close();
});

test("what one does while the server is asked to begin counts", { timeout: 120_000 }, async () => {
  const page = await visit(ann);
  await page.evaluate(() => {
    const all = /** @type {any} */ (globalThis);
    const { socket } = all.live;
    const request = socket.request.bind(socket);
    socket.request = async (/** @type {string} */ type, /** @type {any} */ fields) => {
      const reply = await request(type, fields);
      if (fields?.do === "join") await new Promise((go) => { all.answer = go; });
      return reply;
    };
  });
  await press(page, "Watch together");
  await page.waitForFunction(() => "answer" in globalThis);
  await player(page, "seek", 420);
  await until(async () => !(await look(page)).busy, "the jump");
  await page.evaluate(() => /** @type {any} */ (globalThis).answer());
  await until(async () => (await says(page))?.startsWith("You watch."), "Ann to watch");
  const late = await visit(bob);
  await press(late, "Watch with them");
  await settle([page, late], "Bob's coming");
  assert.equal((await look(late)).at, 420_000);
  house.quiet();
  for (const one of [page, late]) await one.context().close();
});

test("where the browser wants a gesture it plays without sound, and a button brings the sound", { timeout: 120_000 }, async () => {
  const page = await visit(ann);
  await press(page, "Watch together");
  await player(page, "play");
  await bob.join({ id: await page.locator("media-together").getAttribute("data-room") });
  const other = await visit(bob, strict);
  await other.evaluate(() => /** @type {any} */ (document.querySelector("media-together")).together.join());
  await other.locator(".together-sound").waitFor();
  await settle([page, other], "silent joining");
  assert.equal(await other.evaluate(() => document.querySelector("video").muted), true);
  await press(other, "Join the sound");
  await until(async () => !(await other.evaluate(() => document.querySelector("video").muted)), "the sound");
  assert.equal(await other.locator(".together-sound").isVisible(), false);
  house.quiet();
  for (const one of [page, other]) await one.context().close();
});

test("two windows of one person are heard once, and stop nobody", { timeout: 120_000 }, async () => {
  const [first, other] = [await visit(ann), await visit(bob)];
  // Whoever watched before may not have been missed yet.
  await press(first, /^Watch /);
  await player(first, "play");
  await press(other, "Watch with them");
  await settle([first, other], "the beginning");
  const second = await first.context().newPage();
  await house.go(second, `/media/${film.id}`);
  await second.waitForFunction(() => document.querySelector("video")?.readyState >= 1);
  const silent = (page) => page.evaluate(() => document.querySelector("video").muted);
  const version = () => other.evaluate(() => /** @type {any} */ (document.querySelector("media-together")).together.state.version);
  const before = await version();
  await press(second, "Watch with them");
  await until(async () => (await silent(first)) && !(await silent(second)), "the sound in the second window");
  await settle([first, second, other], "the second window");
  await press(first, "Join the sound");
  await until(async () => (await silent(second)) && !(await silent(first)), "the sound in the first window");
  // Both begin in the same moment.
  await press(second, "Join the sound");
  await first.evaluate(() => { document.querySelector("video").muted = false; });
  await player(other, "pause");
  await until(async () => (await look(first)).still && (await look(second)).still, "a pause");
  await player(other, "play");
  await settle([first, second, other], "going on");
  await until(async () => (await silent(first)) !== (await silent(second)), "one of the two");
  assert.equal(await version(), before + 2, "nobody but Bob moved it");
  assert.equal(await silent(other), false);
  house.quiet();
  for (const page of [first, other]) await page.context().close();
});
