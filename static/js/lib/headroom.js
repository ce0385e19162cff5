/**
 * The empty space at the top of a conversation. What comes in above takes its height from the space, and what is cut there gives it back, so that
 * nothing below moves and nobody scrolls: in the middle of a wheel's glide the browser would overtake whoever did.
 */

/** As much is scrolled through before the next rest of the hand; at the rest it is made again. */
const ROOM = 60_000;

export class Headroom {
  #height = 0;

  /** @param {HTMLElement} list of messages, in the pane that scrolls it */
  constructor(list) {
    this.list = list;
    this.pane = /** @type {HTMLElement} */ (list.parentElement);
  }

  /** How much of the messages lies above the pane's upper edge, in pixels; less than 0 while one looks into the space. */
  get above() {
    return this.pane.getBoundingClientRect().top - this.list.getBoundingClientRect().top - this.#height;
  }

  /** @param {() => void} change to the upper part of the list: all below it stays where it is */
  keep(change) {
    this.#alone(() => {
      const before = this.list.getBoundingClientRect().height;
      change();
      const left = this.#height - (this.list.getBoundingClientRect().height - before);
      this.#set(left);
      // The space was not enough: the rest is scrolled.
      if (left < 0) this.pane.scrollTop -= left;
    });
  }

  /** Makes the space anew when there is little left, or takes it away. @param {boolean} hasMore whether anything is to come in above */
  make(hasMore) {
    if (hasMore ? this.#height > ROOM / 2 : this.#height === 0) return;
    this.#alone(() => {
      const before = this.#height;
      const top = this.pane.scrollTop;
      this.#set(hasMore ? ROOM : 0);
      this.pane.scrollTop = top + this.#height - before;
    });
  }

  /** The browser's own way to keep what one reads would come on top. @param {() => void} change */
  #alone(change) {
    this.pane.style.overflowAnchor = "none";
    change();
    // Laid out while it is off, nothing is left to be made good.
    void this.pane.scrollHeight;
    this.pane.style.overflowAnchor = "";
  }

  /** @param {number} height */
  #set(height) {
    this.#height = Math.max(0, height);
    this.list.style.setProperty("--headroom", `${this.#height}px`);
  }
}
