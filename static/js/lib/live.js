/**
 * The one living thing of a page: the socket, the rooms, the outbox. Elements listen to it and never to each other.
 *
 * Events, named as facts (`detail` in brackets): `ready` (the frame), `down`, `message` (Message), `arrived` (a new Message of somebody else), `room`, `rooms-changed`,
 * `presence` (users), `profile` (somebody's name or colour), `blocks` (whom the person has blocked now), `typing` ({room, user}), `notice` (text), `together` (who watches what with whom), `written` (Unsent), `kept` (Unsent that an earlier page or another tab wrote),
 * `progress` ({entry, share} of its files),
 * `settled` ({entry, reply, isOwn: sent by this tab}), `failed` (Unsent), `withdrawn` (Unsent), `unread` ({room, seq}: unread from there on), `crowd` ({room, came, went}: others' joins and leaves).
 */
import { callsMe } from "./call.js";
import { Marks } from "./marks.js";
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
  /** Whom the person has blocked. */
  blocked = new Set((document.body.dataset.blocked ?? "").split(" ").filter(Boolean).map(Number));
  /** The room whose newest message is before the person's eyes, or 0. */
  looking = 0;
  tabs = new Tabs(this.user);
  shelf = new Shelf(this.user);
  outbox = new Outbox(this.shelf, storage(), this.user);
  socket = new Socket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, probe);
  /** The server answers. */
  isUp = false;
  marks = new Marks(this.rooms, (mark) => this.socket.request("read", mark), (fact, detail) => this.#tell(fact, detail));
  /** The last `ready`, for elements that come after it. @type {Frame | null} */
  ready = null;

  #sender = new Sender(
    this.outbox,
    async ({ room, nonce, text, title, reply_to, files }) => {
      const attachments = files?.map(({ id }) => id);
      const more = { ...(title ? { title } : {}), ...(reply_to ? { reply_to } : {}), ...(attachments ? { attachments } : {}) };
      const reply = await this.socket.request("send", { room, nonce, text, ...more });
      return { seq: reply.seq, rev: reply.rev, at: reply.at };
    },
    {
      settled: (entry, reply) => {
        this.#freight(entry, "unload");
        this.tabs.tell({ fact: "settled", detail: { entry, reply } });
        this.#tell("settled", { entry, reply, isOwn: true });
      },
      failed: (entry) => this.#share("failed", entry),
      gone: (entry) => this.#tell("withdrawn", entry),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      alone: (room, run) => this.tabs.alone(`send:${room}`, run),
    },
  );

  start() {
    if (!this.user) return;
    this.socket.addEventListener("frame", (event) => this.#frame(/** @type {CustomEvent<Frame>} */ (event).detail));
    this.socket.addEventListener("down", () => {
      this.isUp = false;
      this.#tell("down", null);
    });
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
    for (const entry of await this.outbox.open()) {
      this.#tell("kept", entry);
      this.#freight(entry, "carry");
    }
    if (this.ready) this.#sender.drain();
  }

  /**
   * Takes something that the person wrote; it is kept until the server has it.
   * @param {number} room
   * @param {string} text
   * @param {{title?: string, reply_to?: number, files?: Unsent["files"]}} [more] files that are on their way
   */
  write(room, text, { title, reply_to, files } = {}) {
    /** @type {Unsent} */
    const entry = { nonce: makeNonce(), room, text, at: Date.now(), ...(title ? { title } : {}), ...(reply_to ? { reply_to } : {}), ...(files?.length ? { files } : {}) };
    this.outbox.put(entry);
    this.#share("written", entry);
    this.#freight(entry, "carry");
    this.#sender.drain();
  }

  /** @param {Unsent} entry @param {"carry" | "renew" | "unload" | "withdraw"} what */
  #freight(entry, what) {
    if (entry.files) void import("./uploads.js").then((uploads) => uploads[what](entry));
  }

  /** Its files have arrived. @param {Unsent} entry */
  carried(entry) {
    this.outbox.put(entry);
    this.tabs.tell({ fact: "carried", detail: entry });
    this.#sender.drain();
  }

  /** @param {string} nonce */
  retry(nonce) {
    const entry = this.outbox.get(nonce);
    if (!entry) return;
    const { error: _, ...again } = entry;
    // The server may have forgotten them meanwhile.
    if (again.files) again.files = again.files.map(({ id: __, ...file }) => file);
    this.outbox.put(again);
    this.#share("written", again);
    this.#freight(again, "renew");
    this.#sender.drain();
  }

  /** @param {string} nonce */
  withdraw(nonce) {
    const entry = this.outbox.get(nonce);
    if (!entry) return;
    this.outbox.remove(nonce);
    this.#freight(entry, "withdraw");
    this.#share("withdrawn", entry);
  }

  /** @param {Frame} frame */
  #frame(frame) {
    switch (frame.type) {
      case "ready": return this.#isReady(frame);
      case "message": return this.#message(frame);
      case "room": return this.#room(frame);
      case "read": return this.marks.moved(frame);
      case "presence": return this.#tell("presence", frame.users ?? []);
      case "profile": return this.#profile(frame);
      case "blocks": return this.#blocks(frame.users ?? []);
      case "typing": return this.#tell("typing", frame);
      case "together": return this.#tell("together", frame);
      case "notice": return this.#tell("notice", frame);
      case "error": return console.warn("The server refused a frame:", frame.code, frame.message);
    }
  }

  /** @param {Frame} frame */
  #isReady(frame) {
    // The database was restored: nothing on this page can be trusted.
    if (this.ready && this.ready.epoch !== frame.epoch) return reread();
    this.ready = frame;
    this.isUp = true;
    this.rooms.reset(frame.rooms ?? []);
    this.#blocks(frame.blocked ?? []);
    this.#tell("ready", frame);
    this.#tell("rooms-changed", null);
    this.#sender.drain();
  }

  /** @param {number[]} users */
  #blocks(users) {
    this.blocked = new Set(users);
    this.#tell("blocks", users);
  }

  /** @param {Frame} frame */
  #profile(frame) {
    if (frame.user === this.user) {
      this.name = frame.name;
      this.guest = frame.guest;
    }
    this.#tell("profile", frame);
  }

  /** @param {any} message */
  #message(message) {
    const { last_seq: known, read_seq: read } = this.rooms.get(message.room) ?? { last_seq: Infinity, read_seq: Infinity };
    this.rooms.receive(message, this.user, callsMe(message));
    if (message.seq <= known && message.seq > read && (message.edited || message.deleted)) void this.#recount(message.room);
    const own = message.user === this.user && message.nonce ? this.outbox.get(message.nonce) : undefined;
    if (own) {
      this.outbox.remove(own.nonce);
      this.#freight(own, "unload");
    }
    this.#tell("message", message);
    if (message.seq > known && message.user !== this.user && !this.blocked.has(message.user)) this.#tell("arrived", message);
    this.#tell("rooms-changed", null);
  }

  /** @param {number} room */
  async #recount(room) {
    const { recountLater } = await import("./recount.js");
    recountLater(room, (fresh) => this.learn(fresh));
  }

  /** Takes a room from a reply. @param {any} room */
  learn(room) {
    this.#room({ type: "room", room });
  }

  /** @param {Frame} frame with what has changed alone, or the whole room */
  #room({ room: { ...room }, gone, came = [], went = [] }) {
    if (gone) room.gone = true;
    this.rooms.put(room);
    if (came.length + went.length > 0) this.#tell("crowd", { room: room.id, came, went });
    this.#tell("room", room);
    this.#tell("rooms-changed", null);
  }

  /**
   * What another tab did with the outbox.
   * @param {{fact: string, detail: any}} news
   */
  #told({ fact, detail }) {
    if (fact === "settled") this.outbox.forget(detail.entry.nonce);
    else if (fact === "withdrawn") this.outbox.forget(detail.nonce);
    else if (fact === "written" || fact === "failed" || fact === "carried") this.outbox.learn(detail);
    else return;
    if (fact === "written" && this.tabs.canWait) this.#freight(detail, "carry");
    if (fact === "carried") return;
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
