/**
 * The one living thing of a page: the socket, the rooms, the outbox. Elements listen to it and never to each other.
 *
 * Events, named as facts (`detail` in brackets): `ready` (the frame), `down`, `message` (Message), `arrived` (a new Message of somebody else), `room`, `rooms-changed`,
 * `presence` (users), `typing` ({room, user}), `notice` (text), `written` (Unsent), `kept` (Unsent that an earlier page or another tab wrote),
 * `settled` ({entry, reply, isOwn: sent by this tab}), `failed` (Unsent), `withdrawn` (Unsent), `joined` (a room that somebody came into).
 */
import { Outbox, makeNonce } from "./outbox.js";
import { Rooms } from "./rooms.js";
import { Sender } from "./sender.js";
import { Shelf } from "./shelf.js";
import { Socket } from "./socket.js";
import { Tabs } from "./tabs.js";

/** @typedef {import("./outbox.js").Unsent} Unsent */
/** @typedef {import("./socket.js").Frame} Frame */

class Live extends EventTarget {
  /** The signed-in person's id, or 0. */
  user = Number(document.body.dataset.user ?? 0);
  name = document.body.dataset.name ?? "";
  guest = document.body.dataset.guest !== undefined;
  rooms = new Rooms();
  /** The room whose newest message is before the person's eyes, or 0. */
  looking = 0;
  tabs = new Tabs(this.user);
  outbox = new Outbox(new Shelf(this.user), storage(), this.user);
  socket = new Socket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, probe);
  /** The last `ready`, for elements that come after it. @type {Frame | null} */
  ready = null;

  #sender = new Sender(
    this.outbox,
    async ({ room, nonce, text, title }) => {
      const reply = await this.socket.request("send", { room, nonce, text, ...(title ? { title } : {}) });
      return { seq: reply.seq, rev: reply.rev, at: reply.at };
    },
    {
      settled: (entry, reply) => {
        this.tabs.tell({ fact: "settled", detail: { entry, reply } });
        this.#tell("settled", { entry, reply, isOwn: true });
      },
      failed: (entry) => this.#share("failed", entry),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      alone: (room, run) => this.tabs.alone(`send:${room}`, run),
    },
  );

  start() {
    if (!this.user) return;
    this.socket.addEventListener("frame", (event) => this.#frame(/** @type {CustomEvent<Frame>} */ (event).detail));
    this.socket.addEventListener("down", () => this.#tell("down", null));
    this.socket.addEventListener("signed-out", signIn);
    addEventListener("online", () => this.socket.hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.socket.hurry();
    });
    // Logging out ends the session's sockets, and being sent to sign in would overtake the form's own answer.
    document.addEventListener("submit", (event) => {
      if (/** @type {HTMLFormElement} */ (event.target).getAttribute("action") === "/logout") this.socket.stop();
    });
    // An open socket would keep the page out of the back-forward cache.
    addEventListener("pagehide", () => this.socket.stop());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.socket.start();
    });
    this.tabs.addEventListener("told", (event) => this.#told(/** @type {CustomEvent} */ (event).detail));
    this.socket.start();
    void this.#unpack();
  }

  async #unpack() {
    for (const entry of await this.outbox.open()) this.#tell("kept", entry);
    if (this.ready) this.#sender.drain();
  }

  /**
   * Takes something that the person wrote; it is kept until the server has it.
   * @param {number} room
   * @param {string} text
   * @param {string} [title]
   */
  write(room, text, title) {
    const entry = { nonce: makeNonce(), room, text, at: Date.now(), ...(title ? { title } : {}) };
    this.outbox.put(entry);
    this.#share("written", entry);
    this.#sender.drain();
  }

  /** @param {string} nonce */
  retry(nonce) {
    const entry = this.outbox.get(nonce);
    if (!entry) return;
    const { error: _, ...again } = entry;
    this.outbox.put(again);
    this.#share("written", again);
    this.#sender.drain();
  }

  /** @param {string} nonce */
  withdraw(nonce) {
    const entry = this.outbox.get(nonce);
    if (!entry) return;
    this.outbox.remove(nonce);
    this.#share("withdrawn", entry);
  }

  /**
   * @param {number} room
   * @param {number} seq
   */
  markRead(room, seq) {
    if (!this.rooms.read(room, seq)) return;
    this.#tell("rooms-changed", null);
    this.socket.request("read", { room, seq }).catch(() => {});
  }

  /** @param {Frame} frame */
  #frame(frame) {
    switch (frame.type) {
      case "ready": return this.#isReady(frame);
      case "message": return this.#message(frame);
      case "room": return this.#room(typeof frame.room === "object" ? { ...frame.room, gone: frame.gone ?? frame.room.gone } : frame);
      case "read":
        if (this.rooms.read(frame.room, frame.seq)) this.#tell("rooms-changed", null);
        return;
      case "presence": return this.#tell("presence", frame.users ?? []);
      case "typing": return this.#tell("typing", frame);
      case "notice": return this.#tell("notice", frame);
      case "error": return console.warn("The server refused a frame:", frame.code, frame.message);
    }
  }

  /** @param {Frame} frame */
  #isReady(frame) {
    // The database was restored: nothing on this page can be trusted.
    if (this.ready && this.ready.epoch !== frame.epoch) return reread();
    this.ready = frame;
    this.rooms.reset(frame.rooms ?? []);
    this.#tell("ready", frame);
    this.#tell("rooms-changed", null);
    this.#sender.drain();
  }

  /** @param {any} message */
  #message(message) {
    const known = this.rooms.get(message.room)?.last_seq ?? Infinity;
    this.rooms.receive(message, this.user);
    if (message.user === this.user && message.nonce && this.outbox.get(message.nonce)) this.outbox.remove(message.nonce);
    this.#tell("message", message);
    if (message.seq > known && message.user !== this.user) this.#tell("arrived", message);
    this.#tell("rooms-changed", null);
  }

  /** @param {any} room */
  #room(room) {
    const before = this.rooms.get(room.id)?.members ?? room.members;
    this.rooms.put(room);
    this.#tell("room", room);
    if (room.members > before) this.#tell("joined", room);
    this.#tell("rooms-changed", null);
  }

  /**
   * What another tab did with the outbox.
   * @param {{fact: string, detail: any}} news
   */
  #told({ fact, detail }) {
    if (fact === "settled") this.outbox.forget(detail.entry.nonce);
    else if (fact === "withdrawn") this.outbox.forget(detail.nonce);
    else if (fact === "written" || fact === "failed") this.outbox.learn(detail);
    else return;
    this.#tell(fact === "written" ? "kept" : fact, detail);
    // It waits for its turn behind the tab that wrote it, should that one be closed before it is done.
    if (fact === "written" && this.ready && this.tabs.canWait) this.#sender.drain();
  }

  /**
   * @param {string} fact
   * @param {any} detail
   */
  #share(fact, detail) {
    this.#tell(fact, detail);
    this.tabs.tell({ fact, detail });
  }

  /**
   * @param {string} fact
   * @param {any} detail
   */
  #tell(fact, detail) {
    this.dispatchEvent(new CustomEvent(fact, { detail }));
  }
}

/** A server that doesn't answer a small request in this time isn't back yet. */
const PROBE_PATIENCE = 4000;

/** @returns {Promise<"there" | "away" | "signed-out">} */
async function probe() {
  try {
    const answer = await fetch("/api/v1/me", { cache: "no-store", signal: AbortSignal.timeout(PROBE_PATIENCE) });
    if (answer.status === 401) return "signed-out";
    return answer.ok ? "there" : "away";
  } catch {
    return "away";
  }
}

/** Reads the page afresh; not again and again, should the server contradict itself. */
export function reread() {
  const last = Number(history.state?.reread ?? 0);
  if (Date.now() - last < 10_000) return console.warn("This page was read afresh a moment ago and is still not right.");
  history.replaceState({ reread: Date.now() }, "");
  location.reload();
}

function signIn() {
  location.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
}

/** Storage may be forbidden; then things live as long as the page. */
function storage() {
  try {
    return localStorage;
  } catch {
    return { length: 0, key: () => null, getItem: () => null, setItem: () => {}, removeItem: () => {} };
  }
}

export const live = new Live();
live.start();

/**
 * Listens to a fact for as long as `signal` holds.
 * @param {string} fact
 * @param {(detail: any) => void} listener
 * @param {AbortSignal} signal
 */
export function on(fact, listener, signal) {
  live.addEventListener(fact, (event) => listener(/** @type {CustomEvent} */ (event).detail), { signal });
}
