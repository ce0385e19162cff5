/**
 * What is known of one room: the highest `rev` of each message, and how far the changes are known without a hole.
 * No DOM, no network, so that `node --test` can hold it to the contract.
 *
 * @typedef {{room: number, seq: number, rev: number, user: number, name: string, guest?: boolean, at: number,
 *   nonce?: string, title?: string, text?: string, html?: string, edited?: number, deleted?: boolean, reply_to?: number, thread?: number,
 *   pinned?: boolean, to_all?: boolean, reactions?: Record<string, {n: number, users: number[]}>,
 *   attachments?: import("./attachments.js").Attachment[], preview?: import("./preview.js").Preview}} Message
 * @typedef {{messages: Message[], rev: number, more: boolean, reset?: boolean}} Changes
 */

export class RoomStore {
  /** @type {Map<number, number>} the highest rev seen, by seq */
  #revs = new Map();
  /** @type {Set<number>} revs beyond a hole */
  #early = new Set();

  /** @param {number} have the room's `rev` that the first messages were read at */
  constructor(have) {
    this.have = have;
  }

  /** Whether something between `have` and what has arrived is missing. */
  get hasGap() {
    return this.#early.size > 0;
  }

  /**
   * A message from a page of history: newer than what is known, or not; says nothing about `have`.
   * @param {{seq: number, rev: number}} message
   * @returns {boolean} whether it is to be shown
   */
  know(message) {
    if ((this.#revs.get(message.seq) ?? -1) >= message.rev) return false;
    this.#revs.set(message.seq, message.rev);
    return true;
  }

  /**
   * A live message.
   * @param {{seq: number, rev: number}} message
   * @returns {boolean} whether it is to be shown; afterwards `hasGap` says whether to ask for changes
   */
  receive(message) {
    if (message.rev > this.have) {
      this.#early.add(message.rev);
      this.#closeUp();
    }
    return this.know(message);
  }

  /**
   * An answer to `changes`.
   * @param {Changes} changes
   * @returns {Message[]} those to be shown
   */
  catchUp(changes) {
    const fresh = changes.messages.filter((message) => this.know(message));
    this.have = Math.max(this.have, changes.rev);
    this.#closeUp();
    return fresh;
  }

  #closeUp() {
    while (this.#early.delete(this.have + 1)) this.have += 1;
    for (const rev of this.#early) if (rev <= this.have) this.#early.delete(rev);
  }
}

/**
 * Asks for changes until nothing is missing. Only one such round runs at a time for a room; a call during it makes it look again.
 */
export class CatchUp {
  #running = false;
  #again = false;

  /**
   * @param {RoomStore} store
   * @param {(after: number) => Promise<Changes>} ask
   * @param {{show: (message: Message) => void, reset: () => void, later: (run: () => void, ms: number) => void}} way
   */
  constructor(store, ask, way) {
    this.store = store;
    this.ask = ask;
    this.way = way;
  }

  /** @returns {Promise<void>} settles when nothing is missing, or when the server can't be asked */
  async run() {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#again || this.store.hasGap) {
        this.#again = false;
        if (!(await this.#round())) return;
      }
    } finally {
      this.#running = false;
    }
  }

  /** @returns {Promise<boolean>} whether to go on */
  async #round() {
    for (;;) {
      let changes;
      try {
        changes = await this.ask(this.store.have);
      } catch (error) {
        // Offline: the next `ready` starts anew. Anything else is asked again after a while.
        const refused = /** @type {{code?: string, retryAfter?: number}} */ (error);
        if (refused.code !== "offline") this.way.later(() => void this.run(), refused.retryAfter ?? 3000);
        return false;
      }
      if (changes.reset) {
        this.way.reset();
        return false;
      }
      for (const message of this.store.catchUp(changes)) this.way.show(message);
      if (!changes.more) return true;
    }
  }
}
