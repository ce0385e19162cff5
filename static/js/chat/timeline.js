/**
 * The messages of one room. Begins with what the server rendered, and keeps equal to the room from there on.
 */
import { arrange, arrangeAround, place } from "../lib/arrange.js";
import { live, on, reread } from "../lib/live.js";
import { answerFailed, fill, fillUnsent } from "../lib/message.js";
import { CatchUp, RoomStore } from "../lib/store.js";

/** @typedef {import("../lib/store.js").Message} Message */
/** @typedef {import("../lib/outbox.js").Unsent} Unsent */

const PAGE = 50;
/** This near to the end counts as the end; fractions of a pixel come from zooming. */
const NEAR_END = 48;
const NEAR_START = 600;

/** Fields read the page's own HTML: a module runs after it is parsed. */
class ChatTimeline extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  pane = /** @type {HTMLElement} */ (this.querySelector(".timeline-scroll"));
  list = /** @type {HTMLElement} */ (this.querySelector(".messages"));
  pill = /** @type {HTMLButtonElement} */ (this.querySelector(".jump button"));
  template = /** @type {HTMLTemplateElement} */ (document.getElementById("message-template"));
  store = new RoomStore(Number(this.dataset.rev));
  catchUp = new CatchUp(
    this.store,
    async (after) => /** @type {any} */ (await live.socket.request("changes", { room: this.room, after, limit: 100 })),
    { show: (message) => this.#show(message), reset: reread, later: (run, ms) => setTimeout(run, ms) },
  );
  /** Messages beyond the end of a page that isn't the newest, until it is. @type {Map<number, Message>} */
  #held = new Map();
  #loading = false;
  #atEnd = true;
  #missed = 0;

  connectedCallback() {
    for (const article of /** @type {NodeListOf<HTMLElement>} */ (this.list.querySelectorAll(".message"))) {
      this.store.know({ seq: Number(article.dataset.seq), rev: Number(article.dataset.rev) });
      arrange(article);
    }
    for (const entry of live.outbox.all()) if (entry.room === this.room) this.#showUnsent(entry);
    this.#listen();
    this.#start();
    if (live.ready) this.#isReady();
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #listen() {
    const { signal } = this.#left;
    const mine = (/** @type {(entry: any) => void} */ run) => (/** @type {any} */ entry) => { if (entry.room === this.room) run(entry); };
    on("ready", () => this.#isReady(), signal);
    on("message", mine((message) => this.#receive(message)), signal);
    on("written", mine((entry) => this.#written(entry)), signal);
    on("failed", mine((entry) => this.#showUnsent(entry)), signal);
    on("withdrawn", mine((entry) => this.#unsent(entry.nonce)?.remove()), signal);
    on("settled", ({ entry, reply }) => { if (entry.room === this.room) this.#settled(entry, reply); }, signal);
    answerFailed(this, signal);
    this.pane.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    this.pill.addEventListener("click", () => this.#jump(), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    // The end stays the end when the window, the keyboard, the composer or a picture changes sizes.
    const sizes = new ResizeObserver(() => { if (this.#atEnd) this.#toEnd(); });
    sizes.observe(this.pane);
    sizes.observe(this.list);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  /** Where reading begins: the permalink, else what is new, else the end. */
  #start() {
    const focus = this.querySelector(".message.focus") ?? (location.hash.startsWith("#m-") ? document.getElementById(location.hash.slice(1)) : null);
    if (focus) {
      focus.scrollIntoView({ block: "center" });
    } else if (!this.#partial) {
      this.#toEnd();
      const line = this.list.querySelector(".new-line");
      if (line && line.getBoundingClientRect().top < this.pane.getBoundingClientRect().top) line.scrollIntoView({ block: "start" });
    } else {
      this.#toEnd();
    }
    this.#atEnd = this.#isAtEnd();
    this.#showPill();
  }

  #isReady() {
    void this.catchUp.run();
    this.#read();
    this.#scrolled();
  }

  /** @param {Message} message */
  #receive(message) {
    if (this.store.receive(message)) this.#show(message);
    if (this.store.hasGap) void this.catchUp.run();
  }

  /** @param {Message} message as of its newest rev */
  #show(message) {
    const own = message.user === live.user && message.nonce ? this.#unsent(message.nonce) : null;
    if (own) live.outbox.remove(/** @type {string} */ (message.nonce));
    const there = this.#message(message.seq);
    if (there) {
      own?.remove();
      fill(there, message);
      return;
    }
    if (message.seq < this.#firstSeq && this.hasAttribute("data-more")) return;
    const isNewest = message.seq > this.#lastSeq;
    if (isNewest && message.user !== live.user) this.#miss();
    if (isNewest && this.#partial) {
      own?.remove();
      this.#held.set(message.seq, message);
      return;
    }
    const article = own ?? this.#make();
    fill(article, message);
    this.#put(article);
  }

  /** @param {HTMLElement} article */
  #put(article) {
    this.querySelector(".empty")?.remove();
    place(this.list, article);
    arrangeAround(article);
    if (this.#atEnd) this.#toEnd();
    this.#read();
  }

  /** @param {Unsent} entry */
  #written(entry) {
    if (this.#partial) this.dataset.leaving = "";
    this.#showUnsent(entry);
    this.#atEnd = true;
    this.#toEnd();
  }

  /** @param {Unsent} entry */
  #showUnsent(entry) {
    const article = this.#unsent(entry.nonce) ?? this.#make();
    fillUnsent(article, entry);
    this.#put(article);
  }

  /**
   * The server has it. The live message may have come before; the store learns `rev` from that alone, since only
   * it carries the HTML, and since a repeated nonce is answered long after others have moved the room on.
   * @param {Unsent} entry
   * @param {{seq: number, rev: number, at: number}} reply
   */
  #settled(entry, reply) {
    // What follows after an older page belongs to the end of the conversation.
    if (this.dataset.leaving !== undefined) return location.assign(location.pathname);
    const own = this.#unsent(entry.nonce);
    if (!own) return;
    if (this.#message(reply.seq)) return own.remove();
    fill(own, { ...entry, ...reply, user: live.user, name: live.name, guest: live.guest });
    this.#put(own);
  }

  /** @param {"before" | "after"} way */
  async #load(way) {
    if (this.#loading) return;
    this.#loading = true;
    const edge = way === "before" ? this.#firstSeq : this.#lastSeq;
    try {
      const page = await live.socket.request("history", { room: this.room, [way]: edge, limit: PAGE });
      this.#insertPage(page.messages, way, page.more);
      if (!this.#partial) this.#release();
    } catch {
      // The link to the older messages stays, and so does the next scroll.
    } finally {
      this.#loading = false;
    }
    this.#scrolled();
  }

  /**
   * @param {Message[]} messages
   * @param {"before" | "after"} way
   * @param {boolean} more
   */
  #insertPage(messages, way, more) {
    const from = this.pane.scrollHeight - this.pane.scrollTop;
    /** @type {HTMLElement[]} */
    const fresh = [];
    for (const message of messages) {
      if (!this.store.know(message) || this.#message(message.seq)) continue;
      const article = this.#make();
      fill(article, message);
      fresh.push(article);
    }
    if (way === "before") this.list.prepend(...fresh);
    else for (const article of fresh) place(this.list, article);
    for (const article of fresh) arrange(article);
    const last = fresh.at(-1);
    if (last) arrangeAround(last);
    if (messages.length && way === "before") this.dataset.firstSeq = String(messages[0].seq);
    if (!more) this.toggleAttribute(way === "before" ? "data-more" : "data-newer", false);
    this.#links();
    // What one reads stays under the eyes.
    if (way === "before") this.pane.scrollTop = this.pane.scrollHeight - from;
  }

  /** The page has met the end: what came meanwhile belongs to it now. */
  #release() {
    for (const message of this.#held.values()) {
      if (this.#message(message.seq)) continue;
      const article = this.#make();
      fill(article, message);
      this.#put(article);
    }
    this.#held.clear();
  }

  #links() {
    const older = this.querySelector(".more-older");
    older?.toggleAttribute("hidden", !this.hasAttribute("data-more"));
    older?.querySelector("a")?.setAttribute("href", `?before=${this.#firstSeq}`);
    this.querySelector(".more-newer")?.toggleAttribute("hidden", !this.#partial);
  }

  #scrolled() {
    this.#atEnd = this.#isAtEnd();
    if (this.#atEnd) this.#missed = 0;
    this.#showPill();
    this.#read();
    if (!live.socket.isOpen) return;
    if (this.hasAttribute("data-more") && this.pane.scrollTop < NEAR_START) void this.#load("before");
    else if (this.#partial && this.#distance() < NEAR_START) void this.#load("after");
  }

  #miss() {
    if (this.#atEnd) return;
    this.#missed += 1;
    this.#showPill();
  }

  #showPill() {
    const far = this.#distance() > this.pane.clientHeight / 2;
    this.pill.hidden = !(this.#missed > 0 || far || this.#partial);
    this.pill.textContent = this.#missed > 0 ? `Jump to latest (${this.#missed})` : "Jump to latest";
  }

  #jump() {
    if (this.#partial) return location.assign(location.pathname);
    this.#atEnd = true;
    this.#toEnd();
  }

  #read() {
    if (document.visibilityState !== "visible" || !this.#atEnd || this.#partial) return;
    live.markRead(this.room, this.#lastSeq);
  }

  #toEnd() {
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  #distance() {
    return this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight;
  }

  #isAtEnd() {
    return !this.#partial && this.#distance() < NEAR_END;
  }

  /** Whether the page shows an older part and not the end. */
  get #partial() {
    return this.hasAttribute("data-newer");
  }

  get #firstSeq() {
    return Number(this.dataset.firstSeq);
  }

  get #lastSeq() {
    let last = /** @type {HTMLElement | null} */ (this.list.lastElementChild);
    while (last && !(Number(last.dataset.seq) > 0)) last = /** @type {HTMLElement | null} */ (last.previousElementSibling);
    return Number(last?.dataset.seq ?? 0);
  }

  /** @param {number} seq @returns {HTMLElement | null} */
  #message(seq) {
    return this.list.querySelector(`#m-${seq}`);
  }

  /** @param {string} nonce @returns {HTMLElement | null} */
  #unsent(nonce) {
    return this.list.querySelector(`[data-state][data-nonce="${CSS.escape(nonce)}"]`);
  }

  #make() {
    return /** @type {HTMLElement} */ (this.template.content.querySelector(".message")?.cloneNode(true));
  }
}

customElements.define("chat-timeline", ChatTimeline);
