/**
 * What was written and is not yet known to be stored. It survives a reload, and is sent again with the same nonce, so that
 * nothing is lost and nothing is stored twice. One storage key per message: two tabs never overwrite each other's.
 *
 * @typedef {{nonce: string, room: number, text: string, title?: string, at: number, error?: string}} Unsent
 */

/** @returns {string} 128 random bits; `crypto.randomUUID` is missing on plain http away from localhost */
export function makeNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  /** @type {Map<string, Unsent>} kept besides the storage, which may be full or forbidden */
  #entries = new Map();

  /**
   * @param {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} storage
   * @param {number} user
   */
  constructor(storage, user) {
    this.storage = storage;
    this.prefix = `hubbub-outbox:${user}:`;
    for (const key of this.#keys()) {
      const entry = parse(storage.getItem(key));
      if (entry) this.#entries.set(entry.nonce, entry);
    }
  }

  /** @returns {Unsent[]} oldest first */
  all() {
    return [...this.#entries.values()].sort((a, b) => a.at - b.at);
  }

  /** @param {string} nonce @returns {Unsent | undefined} */
  get(nonce) {
    return this.#entries.get(nonce);
  }

  /** @param {Unsent} entry */
  put(entry) {
    this.#entries.set(entry.nonce, entry);
    try {
      this.storage.setItem(this.prefix + entry.nonce, JSON.stringify(entry));
    } catch {
      // Full or forbidden: it still goes out from this page.
    }
  }

  /** @param {string} nonce */
  remove(nonce) {
    this.#entries.delete(nonce);
    try {
      this.storage.removeItem(this.prefix + nonce);
    } catch {
      // Nothing was kept, so nothing stays.
    }
  }

  #keys() {
    const keys = [];
    for (let i = 0; i < this.storage.length; i++) {
      const key = this.storage.key(i);
      if (key?.startsWith(this.prefix)) keys.push(key);
    }
    return keys;
  }
}

/** @param {string | null} json @returns {Unsent | null} */
function parse(json) {
  try {
    const entry = JSON.parse(json ?? "null");
    return entry && typeof entry.nonce === "string" && typeof entry.text === "string" ? entry : null;
  } catch {
    return null;
  }
}

/** Refusals that pass by themselves. */
const PASSING = new Set(["rate_limited", "busy", "unavailable"]);

/**
 * Sends what the outbox holds: in order within a room, one at a time, so that a refused one never overtakes.
 */
export class Sender {
  /** @type {Set<number>} rooms that are being sent to */
  #busy = new Set();

  /**
   * @param {Outbox} outbox
   * @param {(entry: Unsent) => Promise<{seq: number, rev: number, at: number}>} send
   * @param {{settled: (entry: Unsent, reply: {seq: number, rev: number, at: number}) => void, failed: (entry: Unsent) => void,
   *   wait: (ms: number) => Promise<void>}} way
   */
  constructor(outbox, send, way) {
    this.outbox = outbox;
    this.send = send;
    this.way = way;
  }

  /** Sends everything that hasn't failed for good. */
  drain() {
    for (const room of new Set(this.outbox.all().map((entry) => entry.room))) void this.#drainRoom(room);
  }

  /** @param {number} room */
  async #drainRoom(room) {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    try {
      for (;;) {
        const next = this.outbox.all().find((entry) => entry.room === room && entry.error === undefined);
        if (!next || !(await this.#sendOne(next))) return;
      }
    } finally {
      this.#busy.delete(room);
    }
  }

  /** @param {Unsent} entry @returns {Promise<boolean>} whether to go on with the next */
  async #sendOne(entry) {
    try {
      const reply = await this.send(entry);
      this.outbox.remove(entry.nonce);
      this.way.settled(entry, reply);
    } catch (error) {
      const refused = /** @type {{code?: string, message?: string, retryAfter?: number}} */ (error);
      if (refused.code === "offline") return false;
      if (PASSING.has(refused.code ?? "")) {
        await this.way.wait(refused.retryAfter ?? 1000);
      } else if (this.outbox.get(entry.nonce)) {
        const failed = { ...entry, error: refused.message ?? "That did not work." };
        this.outbox.put(failed);
        this.way.failed(failed);
      }
    }
    return true;
  }
}
