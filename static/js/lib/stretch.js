/**
 * The stretch of a conversation that stands in the page: a few hundred messages around what one reads. What scrolled far away
 * waits beside it, ready to come back; what is further still is asked of the server again.
 */
import { arrange, arrangeAround, linesAbove, neighbour, place } from "./arrange.js";
import { Headroom } from "./headroom.js";

/** More children than this in the list, and it is cut back: laying out a page grows with what stands in it. */
const MOST = 260;
const KEPT = 160;
/** As many come back at once as fill a tall screen. */
const STEP = 40;
/** Some ten megabytes of elements at most on either side. */
const BESIDE = 1500;

/** Safari leaves it to the page to keep what one reads in its place. */
const ANCHORS = typeof CSS === "object" && CSS.supports("overflow-anchor", "auto");

export class Stretch {
  /** Messages before those in the list, ascending. @type {HTMLElement[]} */
  #above = [];
  /** Messages after those in the list, ascending. @type {HTMLElement[]} */
  #below = [];
  /** @type {Map<number, HTMLElement>} */
  #bySeq = new Map();

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} pane that scrolls it
   * @param {{older: boolean, newer: boolean}} more whether the server has more than what is known
   */
  constructor(list, pane, more) {
    this.list = list;
    this.pane = pane;
    this.older = more.older;
    this.newer = more.newer;
    this.headroom = new Headroom(list);
    for (const article of this.shown()) this.#bySeq.set(seqOf(article), article);
  }

  /** @returns {HTMLElement[]} the messages in the list */
  shown() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(":scope > .message")]);
  }

  /** @param {number} seq @returns {HTMLElement | undefined} in the list or beside it */
  get(seq) {
    return this.#bySeq.get(seq);
  }

  /** The first message that is known here, 0 when there is none. */
  get firstSeq() {
    const first = this.#above[0] ?? this.list.querySelector(":scope > .message");
    return first ? seqOf(first) : 0;
  }

  get lastSeq() {
    const last = this.#below.at(-1) ?? this.#lastShown;
    return last ? seqOf(last) : 0;
  }

  /** Whether the conversation goes on beyond the list's end. */
  get isCut() {
    return this.newer || this.#below.length > 0;
  }

  get hasOlder() {
    return this.older || this.#above.length > 0;
  }

  /** Makes room above for what may come, when there is little left; and takes it away from who has come to the very first message. */
  rest() {
    this.headroom.make(this.hasOlder);
  }

  /** Whether one looks at empty space though there is more. */
  get isAwaited() {
    return this.hasOlder && this.headroom.above < 0;
  }

  get #lastShown() {
    let last = /** @type {HTMLElement | null} */ (this.list.lastElementChild);
    while (last && !(seqOf(last) > 0)) last = /** @type {HTMLElement | null} */ (last.previousElementSibling);
    return last;
  }

  /**
   * Puts a message where it belongs: into the list, or beside it when its neighbours are there. One that isn't stored yet stands last.
   * @param {HTMLElement} article
   */
  put(article) {
    const seq = seqOf(article);
    if (seq > 0) this.#bySeq.set(seq, article);
    if (seq > 0 && !article.isConnected) {
      const first = this.list.querySelector(":scope > .message");
      const last = this.#lastShown;
      if (this.#below.length > 0 && last && seq > seqOf(last)) return insert(this.#below, article);
      if (this.#above.length > 0 && first && seq < seqOf(/** @type {HTMLElement} */ (first))) return insert(this.#above, article);
    }
    place(this.list, article);
    arrangeAround(article);
  }

  /** @param {HTMLElement} article */
  remove(article) {
    const next = neighbour(article, "nextElementSibling");
    this.#takeOut(article);
    if (next) arrange(next);
  }

  /**
   * Adds a page of history beside the list; `grow` brings it in.
   * @param {HTMLElement[]} articles ascending, none of them known
   * @param {"before" | "after"} way
   */
  extend(articles, way) {
    for (const article of articles) this.#bySeq.set(seqOf(article), article);
    if (way === "before") this.#above.unshift(...articles);
    else this.#below.push(...articles);
  }

  /**
   * Brings back what waits on one side, and cuts the other where it has become long.
   * @param {"before" | "after"} way
   * @returns {boolean} whether anything came
   */
  grow(way) {
    const fresh = way === "before" ? this.#above.splice(-STEP) : this.#below.splice(0, STEP);
    if (fresh.length === 0) return false;
    for (const article of fresh) hush(article);
    const bring = () => {
      if (way === "before") this.list.prepend(...fresh);
      else for (const article of fresh) place(this.list, article);
      for (const article of fresh) arrange(article);
      arrangeAround(/** @type {HTMLElement} */ (fresh.at(-1)));
    };
    if (way === "before") this.headroom.keep(bring);
    else bring();
    this.#cut(way === "before" ? "after" : "before");
    return true;
  }

  /** Cuts the far side when the list has become long. @param {"before" | "after"} side */
  trim(side) {
    this.#cut(side);
  }

  /** Shows the end of what is known. */
  toEnd() {
    if (this.#below.length === 0) return;
    const stored = this.shown().filter((article) => seqOf(article) > 0);
    for (const article of stored) this.#takeOut(article, true);
    this.#above.push(...stored, ...this.#below.splice(0));
    this.#forgetFar();
    while (this.list.childElementCount < KEPT && this.grow("before"));
    this.headroom.make(this.hasOlder);
  }

  /** Forgets every stored message, so that another part of the conversation can take their place. */
  clear() {
    for (const article of this.shown()) if (seqOf(article) > 0) this.#takeOut(article, true);
    this.#above = [];
    this.#below = [];
    this.#bySeq.clear();
  }

  /**
   * Changes the list without moving what one reads.
   * @param {() => void} change
   */
  hold(change) {
    // A script that moves the pane in the middle of a wheel's glide is overtaken by it; the browser's own anchor isn't. It has none at the very top.
    if (ANCHORS && this.pane.scrollTop > 0) return change();
    const top = this.pane.getBoundingClientRect().top;
    const anchor = this.shown().find((article) => article.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (!anchor?.isConnected) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (Math.abs(moved) >= 1) this.pane.scrollTop += moved;
  }

  /** @param {"before" | "after"} side */
  #cut(side) {
    if (this.list.childElementCount <= MOST) return;
    const stored = this.shown().filter((article) => seqOf(article) > 0);
    const far = side === "before" ? stored.slice(0, -KEPT) : stored.slice(KEPT);
    // Whoever stands there by keyboard stays there.
    if (far.some((article) => article.contains(document.activeElement))) return;
    const takeOut = () => {
      for (const article of far) this.#takeOut(article, true);
      const first = this.shown()[0];
      if (side === "before" && first) arrange(first);
    };
    if (side === "before") this.headroom.keep(takeOut);
    else takeOut();
    if (side === "before") this.#above.push(...far);
    else this.#below.unshift(...far);
    this.#forgetFar();
  }

  #forgetFar() {
    const lost = [...this.#above.splice(0, Math.max(0, this.#above.length - BESIDE)), ...this.#below.splice(BESIDE)];
    for (const article of lost) this.#bySeq.delete(seqOf(article));
    const first = this.firstSeq;
    if (lost.some((article) => seqOf(article) < first)) this.older = true;
    if (lost.some((article) => seqOf(article) > first)) this.newer = true;
  }

  /** @param {HTMLElement} article @param {boolean} [isKept] whether it only leaves the list */
  #takeOut(article, isKept = false) {
    const { day, fresh } = linesAbove(article);
    day?.remove();
    fresh?.remove();
    article.remove();
    if (!isKept && this.#bySeq.get(seqOf(article)) === article) this.#bySeq.delete(seqOf(article));
  }
}

/** A message that is no news: a screen reader leaves it alone, wherever it is put. @param {HTMLElement} article */
export function hush(article) {
  article.setAttribute("aria-live", "off");
}

/** @param {HTMLElement} article @returns {number} 0 while it isn't stored */
function seqOf(article) {
  return Number(article.dataset.seq ?? 0);
}

/** @param {HTMLElement[]} articles ascending @param {HTMLElement} article */
function insert(articles, article) {
  let at = articles.length;
  while (at > 0 && seqOf(articles[at - 1]) > seqOf(article)) at -= 1;
  articles.splice(at, 0, article);
}
