/** Some of a room's messages beside the conversation: a thread, what is pinned. Kept true while one looks. */
import { offerDeeds } from "./bar.js";
import { live, on } from "./live.js";
import { answerFailed, fill, fillUnsent, leaveOut } from "./message.js";
import { hush } from "./stretch.js";
import { t } from "./words.js";

/** @typedef {import("./store.js").Message} Message */
/** @typedef {import("./outbox.js").Unsent} Unsent */
/** @typedef {{messages: Message[], more: boolean}} Page */
/**
 * @typedef {{body: HTMLElement, room: number, signal: AbortSignal, belongs: (message: Message) => boolean, newestFirst: boolean,
 *   empty?: HTMLElement}} Wanted
 */

export class Gathering {
  list = document.createElement("div");
  more = document.createElement("p");
  template = /** @type {HTMLTemplateElement} */ (document.getElementById("message-template"));
  /** @type {Map<number, {rev: number, article: HTMLElement | null}>} */
  #known = new Map();

  /** @param {Wanted} wanted */
  constructor(wanted) {
    this.wanted = wanted;
    this.list.className = "gathered";
    this.more.className = "more";
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button button-quiet", textContent: t("Older messages") });
    button.addEventListener("click", () => void this.#older());
    this.more.append(button);
    this.more.hidden = true;
  }

  /** @param {(before: number) => Promise<Page>} read the newest page, or the one before a message */
  async start(read) {
    this.read = read;
    const { body, room, signal, newestFirst, empty } = this.wanted;
    on("message", (message) => { if (message.room === room) this.#take(message); }, signal);
    // Something may have been missed meanwhile.
    on("ready", () => void this.#page(0).catch(() => {}), signal);
    await this.#page(0);
    if (signal.aborted) return;
    body.replaceChildren(...(newestFirst ? [this.list, this.more] : [this.more, this.list]), ...(empty ? [empty] : []));
    answerFailed(this.list, signal);
    offerDeeds({ ...rights(), list: this.list, pane: body, room }, signal);
    this.#settle();
  }

  /** @param {number} seq */
  has(seq) {
    return this.#known.get(seq)?.article != null;
  }

  toEnd() {
    this.wanted.body.scrollTop = this.wanted.body.scrollHeight;
  }

  async #older() {
    const seqs = [...this.#known].filter(([, { article }]) => article).map(([seq]) => seq);
    await this.#page(Math.min(...seqs)).catch(() => {});
  }

  /** @param {number} before */
  async #page(before) {
    const page = await /** @type {(before: number) => Promise<Page>} */ (this.read)(before);
    if (before || this.#known.size === 0) this.more.hidden = !page.more;
    for (const message of page.messages) this.#take(message);
  }

  /** @param {Message} message */
  #take(message) {
    const known = this.#known.get(message.seq);
    if (known && known.rev >= message.rev) return;
    if (!this.wanted.belongs(message)) {
      if (known) this.#known.set(message.seq, { rev: message.rev, article: null });
      known?.article?.remove();
      return this.#settle();
    }
    if (message.nonce) this.forget(message.nonce);
    const article = known?.article ?? this.#blank();
    this.#known.set(message.seq, { rev: message.rev, article });
    hush(article);
    fill(article, message);
    leaveOut(article);
    // The conversation has the address of it.
    article.removeAttribute("id");
    if (!article.isConnected) this.#place(article, message.seq);
    this.#settle();
  }

  /** @param {HTMLElement} article @param {number} seq */
  #place(article, seq) {
    const others = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const isAfter = (/** @type {HTMLElement} */ other) => {
      const its = Number(other.dataset.seq) || Infinity;
      return this.wanted.newestFirst ? its < seq : its > seq;
    };
    this.list.insertBefore(article, others.find(isAfter) ?? null);
  }

  /** @param {Unsent} entry */
  showUnsent(entry) {
    const there = /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-state][data-nonce="${CSS.escape(entry.nonce)}"]`));
    const article = there ?? this.#blank();
    fillUnsent(article, entry);
    this.list.append(article);
    this.toEnd();
  }

  /** @param {string} nonce */
  forget(nonce) {
    this.list.querySelector(`[data-state][data-nonce="${CSS.escape(nonce)}"]`)?.remove();
  }

  #settle() {
    this.wanted.empty?.toggleAttribute("hidden", this.list.childElementCount > 0);
  }

  #blank() {
    return /** @type {HTMLElement} */ (this.template.content.querySelector(".message")?.cloneNode(true));
  }
}

/** What the person may do in the conversation beside it. */
function rights() {
  const timeline = document.querySelector("chat-timeline");
  const has = (/** @type {string} */ right) => timeline?.hasAttribute(`data-${right}`) ?? false;
  return { joined: has("joined"), mayPin: has("may-pin"), mayRemove: has("may-remove") };
}
