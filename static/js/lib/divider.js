/** The line above what is new. It holds still while one reads, and moves on when something comes after all before it was read. */
import { arrange } from "./arrange.js";

export class Divider {
  /** @type {HTMLElement | null} the message below the line */
  #below;
  #seq = 0;

  /** @param {import("./stretch.js").Stretch} stretch */
  constructor(stretch) {
    this.stretch = stretch;
    const line = stretch.list.querySelector(".new-line");
    this.#below = /** @type {HTMLElement | null} */ (line?.nextElementSibling ?? null);
    if (this.#below) this.#below.dataset.new = "";
  }

  /**
   * A newest message of somebody else.
   * @param {{seq: number}} message
   * @param {boolean} isSeen
   * @param {number | undefined} read up to where the room was read before; nothing for who isn't in it
   */
  arrived(message, isSeen, read) {
    if (isSeen || read === undefined || read < message.seq - 1) return;
    this.clear();
    this.#seq = message.seq;
  }

  /** @param {HTMLElement} article about to be put */
  mark(article) {
    if (this.#seq === 0 || Number(article.dataset.seq) !== this.#seq) return;
    this.#seq = 0;
    this.#below = article;
    article.dataset.new = "";
  }

  /** Puts the line above a message, on the person's wish. @param {HTMLElement | undefined} article */
  set(article) {
    this.clear();
    if (!article) return;
    this.#below = article;
    article.dataset.new = "";
    if (article.isConnected) this.stretch.hold(() => arrange(article));
  }

  clear() {
    const below = this.#below;
    this.#below = null;
    if (!below) return;
    delete below.dataset.new;
    if (below.isConnected) this.stretch.hold(() => arrange(below));
  }
}
