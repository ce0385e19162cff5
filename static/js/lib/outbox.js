/**
 * What was written and is not yet known to be stored. It survives a reload and the browser's end, every tab of the person knows
 * of it, and it is sent again with the same nonce, so that nothing is lost and nothing is stored twice.
 *
 * @typedef {{nonce: string, room: number, text: string, title?: string, reply_to?: number, at: number, error?: string,
 *   files?: import("./attachments.js").Carried[]}} Unsent
 * @typedef {{seq: number, rev: number, at: number}} Receipt
 * @typedef {{all: () => Promise<Unsent[]>, has: (nonce: string) => Promise<boolean>, put: (entry: Unsent) => Promise<boolean>,
 *   remove: (nonce: string) => Promise<unknown>}} Keeper
 * @typedef {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} Journal
 */

/** @returns {string} 128 random bits; `crypto.randomUUID` is missing on plain http away from localhost */
export function makeNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A refused one is kept until the person decides; all others go out by themselves. @param {Unsent} entry */
export const isWaiting = (entry) => entry.error === undefined;

/** Its files have all arrived. @param {Unsent} entry */
export const isCarried = (entry) => (entry.files ?? []).every((file) => file.id);

export class Outbox {
  /** @type {Map<string, Unsent>} kept besides the disk, which may be full or forbidden */
  #entries = new Map();

  /**
   * @param {Keeper} keeper
   * @param {Journal} journal holds an entry for the moment that the keeper needs to write it: a page may be left in that moment
   * @param {number} user
   */
  constructor(keeper, journal, user) {
    this.keeper = keeper;
    this.journal = journal;
    this.prefix = `hubbub-outbox:${user}:`;
  }

  /** @returns {Promise<Unsent[]>} what an earlier page left, oldest first */
  async open() {
    const left = await this.keeper.all().catch(() => []);
    const written = this.#keys().map((key) => parse(this.journal.getItem(key))).filter((entry) => entry !== null);
    const found = new Map([...left, ...written].map((entry) => [entry.nonce, entry]));
    for (const entry of found.values()) if (!this.#entries.has(entry.nonce)) this.#entries.set(entry.nonce, entry);
    for (const entry of written) this.put(entry);
    return [...found.values()].sort(byAge);
  }

  /** @returns {Unsent[]} oldest first */
  all() {
    return [...this.#entries.values()].sort(byAge);
  }

  /** @param {string} nonce @returns {Unsent | undefined} */
  get(nonce) {
    return this.#entries.get(nonce);
  }

  /** @param {string} nonce @returns {Promise<boolean>} whether no tab has got rid of it */
  async isKept(nonce) {
    if (!this.#entries.has(nonce)) return false;
    // Not yet written, or there is no disk to ask.
    if (this.#read(nonce) !== null) return true;
    return this.keeper.has(nonce).catch(() => true);
  }

  /** @param {Unsent} entry */
  put(entry) {
    this.#entries.set(entry.nonce, entry);
    const written = JSON.stringify(entry);
    try {
      this.journal.setItem(this.prefix + entry.nonce, written);
    } catch {
      // Full or forbidden: it still goes out from this page.
    }
    void this.keeper.put(entry).then((kept) => {
      if (kept && this.#read(entry.nonce) === written) this.#strike(entry.nonce);
    }, () => {});
  }

  /** @param {string} nonce */
  remove(nonce) {
    this.forget(nonce);
    this.#strike(nonce);
    this.keeper.remove(nonce).catch(() => {});
  }

  /** What another tab has written. @param {Unsent} entry */
  learn(entry) {
    this.#entries.set(entry.nonce, entry);
  }

  /** What another tab has got rid of. @param {string} nonce */
  forget(nonce) {
    this.#entries.delete(nonce);
  }

  /** @param {string} nonce @returns {string | null} */
  #read(nonce) {
    try {
      return this.journal.getItem(this.prefix + nonce);
    } catch {
      return null;
    }
  }

  /** @param {string} nonce */
  #strike(nonce) {
    try {
      this.journal.removeItem(this.prefix + nonce);
    } catch {
      // Nothing was kept, so nothing stays.
    }
  }

  #keys() {
    const keys = [];
    for (let i = 0; i < this.journal.length; i++) {
      const key = this.journal.key(i);
      if (key?.startsWith(this.prefix)) keys.push(key);
    }
    return keys;
  }
}

/** @param {Unsent} a @param {Unsent} b */
function byAge(a, b) {
  return a.at - b.at;
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
