/**
 * The one connection to the server (`hubbub.v1`): comes back by itself, says when it is ready, and matches replies to requests.
 *
 * @typedef {{type: string, id?: number, [field: string]: any}} Frame
 */
import { t } from "./words.js";

const PING_EVERY = 25_000;
const SILENCE = 10_000;
const LONGEST_WAIT = 5_000;
/** An answer that takes longer was lost on the way: whatever swallowed it may swallow the next. */
const PATIENCE = 12_000;

/** Close codes of the contract. */
const SIGNED_OUT = 4001;

/** What the server said no to, or `offline` when it couldn't be asked. */
export class RequestError extends Error {
  /** @param {{code?: string, message?: string, retry_after?: number}} error */
  constructor(error) {
    super(error.message ?? t("That did not work"));
    this.code = error.code ?? "unknown";
    /** @type {number | undefined} in milliseconds */
    this.retryAfter = error.retry_after;
  }
}

/** About half a minute of attempts: longer than a restart takes. */
const EAGER_ATTEMPTS = 50;

/**
 * How long to wait before the next attempt: 0.2 to 1 s while the server may be restarting, so that one is back within
 * a second of it; then growing to 5 s. The jitter keeps a thousand browsers from coming back in the same instant.
 * @param {number} attempt counted from 0
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function waitBefore(attempt, random = Math.random) {
  const longest = Math.min(LONGEST_WAIT, 1000 * 1.3 ** Math.max(0, attempt - EAGER_ATTEMPTS));
  const shortest = longest === 1000 ? 200 : longest / 2;
  return shortest + random() * (longest - shortest);
}

/**
 * Events: `frame` (detail: Frame), `down` (no connection any more), `signed-out`.
 */
export class Socket extends EventTarget {
  /** @type {WebSocket | null} */ #ws = null;
  /** @type {Map<number, {resolve: (reply: Frame) => void, reject: (error: RequestError) => void, late: any}>} */
  #asked = new Map();
  #lastId = 0;
  #attempt = 0;
  #wanted = false;
  /** @type {number | null} */ #comeBackIn = null;
  /** @type {any} */ #retryTimer = null;
  /** @type {any} */ #pingTimer = null;
  /** @type {any} */ #deadTimer = null;
  /** @type {any} */ #lateTimer = null;

  #probing = false;

  /**
   * @param {string} url
   * @param {() => Promise<"there" | "away" | "signed-out">} probe asks by a plain request whether a connection is worth trying
   */
  constructor(url, probe) {
    super();
    this.url = url;
    this.probe = probe;
  }

  /** Whether frames can be sent now. */
  get isOpen() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** Connects, and keeps coming back until `stop`. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#attempt = 0;
    this.#connect();
  }

  /** Leaves on purpose. */
  stop() {
    this.#wanted = false;
    clearTimeout(this.#retryTimer);
    this.#drop();
  }

  /** Tries now instead of at the end of the wait; when connected, checks that the other end still is. */
  hurry() {
    if (!this.#wanted) return;
    if (this.isOpen) this.#ping();
    else if (!this.#ws) void this.#retry();
  }

  /**
   * Asks the server.
   * @param {string} type
   * @param {object} [fields]
   * @returns {Promise<Frame>} the reply; rejects with a RequestError
   */
  request(type, fields = {}) {
    if (!this.isOpen) return Promise.reject(new RequestError({ code: "offline", message: "You are offline." }));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject, late: setTimeout(() => this.#drop(), PATIENCE) });
      this.#ws?.send(JSON.stringify({ type, id, ...fields }));
    });
  }

  /**
   * Sends without waiting for a reply.
   * @param {string} type
   * @param {object} fields
   */
  tell(type, fields) {
    if (this.isOpen) this.#ws?.send(JSON.stringify({ type, ...fields }));
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const ws = new WebSocket(this.url);
    this.#ws = ws;
    // A network that swallows packets would keep an attempt open for minutes.
    this.#expectSomething();
    ws.addEventListener("open", () => {
      this.#heard();
      // Nothing works before `ready`.
      clearTimeout(this.#lateTimer);
      this.#lateTimer = setTimeout(() => this.#drop(), PATIENCE);
    });
    ws.addEventListener("message", (event) => {
      if (ws === this.#ws) this.#receive(String(event.data));
    });
    ws.addEventListener("close", (event) => {
      if (ws === this.#ws) this.#closed(event.code);
    });
  }

  /** @param {string} data */
  #receive(data) {
    this.#heard();
    /** @type {Frame} */
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "ready") {
      this.#attempt = 0;
      clearTimeout(this.#lateTimer);
    }
    if (frame.type === "notice" && Number.isFinite(frame.reconnect_in)) this.#comeBackIn = frame.reconnect_in;
    if (frame.type === "reply" && frame.id !== undefined) this.#settle(frame.id, frame);
    else this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  /**
   * @param {number} id
   * @param {Frame} frame
   */
  #settle(id, frame) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    clearTimeout(asked?.late);
    if (frame.ok) asked?.resolve(frame);
    else asked?.reject(new RequestError(frame.error ?? {}));
  }

  /** @param {number} code */
  #closed(code) {
    this.#ws = null;
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#deadTimer);
    clearTimeout(this.#lateTimer);
    for (const { late } of this.#asked.values()) clearTimeout(late);
    for (const { reject } of this.#asked.values()) reject(new RequestError({ code: "offline", message: "You are offline." }));
    this.#asked.clear();
    if (code === SIGNED_OUT) return this.#signedOut();
    this.dispatchEvent(new Event("down"));
    this.#comeBackLater();
  }

  #comeBackLater() {
    if (!this.#wanted) return;
    const wait = this.#comeBackIn ?? waitBefore(this.#attempt);
    this.#comeBackIn = null;
    this.#attempt += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#retry(), wait);
  }

  // After some failures Chromium holds each WebSocket to the same host back for up to 5 s, a plain request never; and only
  // a request tells that the session is over. So all but the first attempt ask by one.
  async #retry() {
    if (this.#attempt <= 1) return this.#connect();
    if (this.#probing) return;
    this.#probing = true;
    const found = await this.probe();
    this.#probing = false;
    if (!this.#wanted || this.#ws) return;
    if (found === "there") this.#connect();
    else if (found === "signed-out") this.#signedOut();
    else this.#comeBackLater();
  }

  #signedOut() {
    this.#wanted = false;
    this.dispatchEvent(new Event("signed-out"));
  }

  /** Something came, so the other end is there. */
  #heard() {
    clearTimeout(this.#deadTimer);
    this.#deadTimer = null;
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => this.#ping(), PING_EVERY);
  }

  #ping() {
    this.request("ping").catch(() => {});
    this.#expectSomething();
  }

  #expectSomething() {
    if (this.#deadTimer === null) this.#deadTimer = setTimeout(() => this.#drop(), SILENCE);
  }

  // A dead peer never answers the closing handshake, so the close event could take a minute: it is told from here.
  #drop() {
    const ws = this.#ws;
    if (!ws) return;
    this.#deadTimer = null;
    ws.close();
    this.#closed(1006);
  }
}
