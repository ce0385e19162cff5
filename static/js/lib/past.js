/** What isn't in the page of a conversation: asked of the server page by page, kept in mind when it changes meanwhile. */
import { live } from "./live.js";

/** @typedef {import("./store.js").Message} Message */

const PAGE = 100;

export class Past {
  /** What came or changed outside the stretch: a page of history that was on its way may be older. @type {Map<number, Message>} */
  #held = new Map();
  #isLoading = false;
  /** How often the stretch has gone elsewhere: a page that was asked for before belongs to another one. */
  #leaps = 0;

  /**
   * @param {number} room
   * @param {import("./stretch.js").Stretch} stretch
   * @param {import("./store.js").RoomStore} store
   * @param {(message: Message) => HTMLElement} make
   * @param {(article: HTMLElement) => void} put at the end of the conversation
   */
  constructor(room, stretch, store, make, put) {
    this.room = room;
    this.stretch = stretch;
    this.store = store;
    this.make = make;
    this.put = put;
  }

  /** @param {Message} message that has no place in the stretch */
  hold(message) {
    this.#held.set(message.seq, message);
  }

  /**
   * Brings the next page on one side, if there is one.
   * @param {"before" | "after"} way
   * @returns {Promise<boolean>} whether it came
   */
  async load(way) {
    if (!this.stretch[way === "before" ? "older" : "newer"] || this.#isLoading || !live.socket.isOpen) return false;
    this.#isLoading = true;
    try {
      const leaps = this.#leaps;
      const edge = way === "before" ? this.stretch.firstSeq : this.stretch.lastSeq;
      const page = await live.socket.request("history", { room: this.room, [way]: edge, limit: PAGE });
      if (leaps !== this.#leaps) return false;
      this.#take(page.messages, way, page.more);
      return true;
    } catch {
      // The link to the older messages stays, and so does the next scroll.
      return false;
    } finally {
      this.#isLoading = false;
    }
  }

  /** Goes to the newest page, wherever the stretch was. @returns {Promise<boolean>} whether it is there */
  async leap() {
    if (!live.socket.isOpen) return false;
    try {
      const page = await live.socket.request("history", { room: this.room, limit: PAGE });
      this.#leaps += 1;
      this.stretch.clear();
      this.stretch.older = page.more;
      this.#take(page.messages, "after", false);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * @param {Message[]} messages ascending
   * @param {"before" | "after"} way
   * @param {boolean} more
   */
  #take(messages, way, more) {
    const fresh = messages.filter(({ seq }) => !this.stretch.get(seq)).map((message) => this.make(this.#newest(message)));
    this.stretch.extend(fresh, way);
    this.stretch[way === "before" ? "older" : "newer"] = more;
    this.stretch.grow(way);
    if (!this.stretch.newer) this.#release();
  }

  /** @param {Message} message @returns {Message} as of the highest rev that is known */
  #newest(message) {
    const held = this.#held.get(message.seq);
    this.#held.delete(message.seq);
    this.store.know(message);
    return held && held.rev > message.rev ? held : message;
  }

  /** The stretch has met the end: what came meanwhile belongs to it now. */
  #release() {
    const last = this.stretch.lastSeq;
    const later = [...this.#held.values()].filter(({ seq }) => seq > last).sort((a, b) => a.seq - b.seq);
    for (const message of later) {
      this.#held.delete(message.seq);
      this.put(this.make(message));
    }
  }
}
