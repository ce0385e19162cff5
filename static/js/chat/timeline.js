/**
 * The messages of one room. Begins with what the server rendered, and keeps equal to the room from there on.
 */
import { arrange } from "../lib/arrange.js";
import { Divider } from "../lib/divider.js";
import { isTyping } from "../lib/keys.js";
import { live, on, reread } from "../lib/live.js";
import { recognise } from "../lib/adorn.js";
import { answerFailed, fill, fillUnsent, leaveOut, welcome } from "../lib/message.js";
import { Past } from "../lib/past.js";
import { addressWith } from "../lib/place.js";
import { CatchUp, RoomStore } from "../lib/store.js";
import { Stretch, hush } from "../lib/stretch.js";
import { View } from "../lib/view.js";
import { t } from "../lib/words.js";

/** @typedef {import("../lib/store.js").Message} Message */
/** @typedef {import("../lib/outbox.js").Unsent} Unsent */

/** This near to what isn't in the list yet, more is brought in. */
const NEAR_EDGE = 900;
/** A screen reader has begun to read a new message by then; what changes in it later is no news. */
const ANNOUNCED = 1000;
/** Whoever hasn't scrolled for this long rests. */
const REST = 200;

/** Fields read the page's own HTML: a module runs after it is parsed. */
class ChatTimeline extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  pane = /** @type {HTMLElement} */ (this.querySelector(".timeline-scroll"));
  list = /** @type {HTMLElement} */ (this.querySelector(".messages"));
  pill = /** @type {HTMLButtonElement} */ (this.querySelector(".jump button"));
  template = /** @type {HTMLTemplateElement} */ (document.getElementById("message-template"));
  store = new RoomStore(Number(this.dataset.rev));
  stretch = new Stretch(this.list, this.pane, { older: this.hasAttribute("data-more"), newer: this.hasAttribute("data-newer") });
  divider = new Divider(this.stretch);
  view = new View(this.pane);
  past = new Past(this.room, this.stretch, this.store, (message) => this.#make(message), (article) => this.#put(article));
  catchUp = new CatchUp(
    this.store,
    async (after) => /** @type {any} */ (await live.socket.request("changes", { room: this.room, after, limit: 100 })),
    { show: (message) => this.#show(message), reset: reread, later: (run, ms) => setTimeout(run, ms) },
  );
  #atEnd = true;
  #missed = 0;
  /** @type {any} */ #rest = null;
  /** Marked unread: being looked at is not reading until the person goes on. */
  #isHeld = false;

  connectedCallback() {
    for (const article of this.stretch.shown()) {
      this.store.know({ seq: Number(article.dataset.seq), rev: Number(article.dataset.rev) });
      hush(article);
      leaveOut(article);
      welcome(article);
      arrange(article);
      recognise(article);
    }
    for (const entry of live.outbox.all()) if (entry.room === this.room) this.#showUnsent(entry);
    this.#listen();
    this.#start();
    if (live.ready) this.#isReady();
  }

  disconnectedCallback() {
    this.#left.abort();
    clearTimeout(this.#rest);
    live.looking = 0;
  }

  #listen() {
    const { signal } = this.#left;
    const mine = (/** @type {(entry: any) => void} */ run) => (/** @type {any} */ entry) => { if (entry.room === this.room) run(entry); };
    on("ready", () => this.#isReady(), signal);
    on("message", mine((message) => this.#receive(message)), signal);
    on("written", mine((entry) => void this.#written(entry)), signal);
    on("kept", mine((entry) => this.#showUnsent(entry)), signal);
    on("failed", mine((entry) => this.#showUnsent(entry)), signal);
    on("withdrawn", mine((entry) => this.#forget(entry.nonce)), signal);
    on("unread", mine(({ seq }) => this.#hold(seq)), signal);
    on("settled", ({ entry, reply }) => { if (entry.room === this.room) this.#settled(entry, reply); }, signal);
    answerFailed(this, signal);
    // Nobody reads a message and does something with it in the page's first moment.
    void import("../lib/bar.js").then(({ offerDeedsIn }) => offerDeedsIn(this, () => this.stretch.shown(), signal), () => {});
    this.pane.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    this.pill.addEventListener("click", () => void this.#jump(), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    addEventListener("focus", () => this.#read(), { signal });
    addEventListener("blur", () => this.#look(), { signal });
    addEventListener("keydown", (event) => this.#key(event), { signal });
    // The end stays the end when the window, the keyboard, the composer or a picture changes sizes.
    const sizes = new ResizeObserver(() => {
      this.view.stand();
      if (this.#atEnd) this.view.toEnd();
    });
    sizes.observe(this.pane);
    sizes.observe(this.list);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  /** Where reading begins: the permalink, else what is new, else the end. */
  #start() {
    this.view.begin();
    const focus = this.querySelector(".message.focus") ?? (location.hash.startsWith("#m-") ? document.getElementById(location.hash.slice(1)) : null);
    const line = this.list.querySelector(".new-line");
    if (focus) {
      focus.classList.add("focus");
      focus.scrollIntoView();
    } else {
      this.view.toEnd();
      if (line && line.getBoundingClientRect().top < this.pane.getBoundingClientRect().top) line.scrollIntoView({ block: "start" });
    }
    // At the first rest of the hand it might already be in a wheel's glide again.
    this.stretch.rest();
    this.#atEnd = !this.stretch.isCut && this.view.isNearEnd;
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
    const there = this.stretch.get(message.seq);
    if (there) {
      if (own) this.stretch.remove(own);
      hush(there);
      fill(there, message);
      return;
    }
    const isNewest = message.seq > this.stretch.lastSeq;
    if ((isNewest && this.stretch.newer) || (message.seq < this.stretch.firstSeq && this.stretch.older)) {
      if (own) this.stretch.remove(own);
      this.past.hold(message);
      if (isNewest && message.user !== live.user) this.#miss();
      return;
    }
    if (isNewest && message.user !== live.user) {
      this.divider.arrived(message, this.#sees, live.rooms.get(this.room)?.read_seq);
      this.#miss();
    }
    const article = own ?? this.#make(message);
    // It was read out as it was typed; its Markdown is no news.
    if (own && message.html) hush(own);
    if (own) fill(own, message);
    this.divider.mark(article);
    this.#put(article);
  }

  /** @param {HTMLElement} article */
  #put(article) {
    this.querySelector(".empty")?.remove();
    if (!article.isConnected) setTimeout(() => hush(article), ANNOUNCED);
    this.stretch.put(article);
    this.stretch.trim(this.#atEnd ? "before" : "after");
    if (this.#atEnd) this.view.toEnd();
    this.#read();
  }

  /** @param {Unsent} entry */
  async #written(entry) {
    this.#isHeld = false;
    this.#showUnsent(entry);
    await this.#jump();
  }

  /** @param {Unsent} entry */
  #showUnsent(entry) {
    const article = this.#unsent(entry.nonce) ?? this.#blank();
    fillUnsent(article, entry);
    this.#put(article);
  }

  /** @param {string} nonce */
  #forget(nonce) {
    const own = this.#unsent(nonce);
    if (own) this.stretch.remove(own);
  }

  /**
   * The server has it. The live message may have come before; the store learns `rev` from that alone, since only
   * it carries the HTML, and since a repeated nonce is answered long after others have moved the room on.
   * @param {Unsent} entry
   * @param {{seq: number, rev: number, at: number}} reply
   */
  #settled(entry, reply) {
    const own = this.#unsent(entry.nonce);
    if (!own) return;
    // What was sent from an older part belongs to the end, which isn't here yet.
    if (this.stretch.get(reply.seq) || this.stretch.newer) return this.stretch.remove(own);
    fill(own, { ...entry, ...reply, user: live.user, name: live.name, guest: live.guest, reply_to: entry.reply_to });
    this.#put(own);
  }

  #links() {
    const older = this.querySelector(".more-older");
    older?.toggleAttribute("hidden", !this.stretch.older);
    older?.querySelector("a")?.setAttribute("href", `?before=${this.stretch.firstSeq}`);
    this.querySelector(".more-newer")?.toggleAttribute("hidden", !this.stretch.newer);
  }

  #scrolled() {
    this.#atEnd = !this.stretch.isCut && this.view.standsAtEnd(this.#atEnd);
    if (this.#atEnd) this.#missed = 0;
    this.#showPill();
    this.#read();
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#rested(), REST);
    if (!this.stretch.hasOlder && this.stretch.headroom.above < 0) this.stretch.rest();
    if (this.stretch.headroom.above < NEAR_EDGE) void this.#reach("before");
    else if (this.view.distance < NEAR_EDGE) void this.#reach("after");
  }

  #rested() {
    this.stretch.rest();
    // A page of history that the server refused or lost has no other second chance: there is nothing here to scroll.
    if (this.stretch.isAwaited) this.#scrolled();
  }

  /** @param {"before" | "after"} way */
  async #reach(way) {
    if (this.stretch.grow(way)) {
      requestAnimationFrame(() => this.#scrolled());
      return;
    }
    if (!(await this.past.load(way))) return;
    this.#links();
    this.#scrolled();
  }

  #miss() {
    if (this.#atEnd) return;
    this.#missed += 1;
    this.#showPill();
  }

  #showPill() {
    const far = this.view.distance > this.pane.clientHeight / 2;
    this.pill.hidden = !(this.#missed > 0 || far || this.stretch.isCut);
    const words = this.#missed > 0 ? t("Jump to latest ({count})", { count: this.#missed }) : t("Jump to latest");
    if (this.pill.textContent !== words) this.pill.textContent = words;
  }

  /** Shows the end of the conversation, from the server when it isn't here. */
  async #jump() {
    if (this.stretch.newer && (await this.past.leap())) {
      this.#links();
      history.replaceState(history.state, "", addressWith({ before: null, after: null, around: null, at: null, day: null }));
    }
    this.stretch.toEnd();
    this.#isHeld = false;
    this.#atEnd = true;
    this.view.toEnd();
    this.#scrolled();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    this.#isHeld = false;
    this.divider.clear();
    live.marks.read(this.room, this.#newest);
  }

  get #newest() {
    return Math.max(this.stretch.lastSeq, live.rooms.get(this.room)?.last_seq ?? 0);
  }

  /** @param {number} seq from where on all is to be unread */
  #hold(seq) {
    this.#isHeld = true;
    this.divider.set(this.stretch.get(seq));
  }

  #read() {
    if (this.#look() && !this.#isHeld) live.marks.read(this.room, this.stretch.lastSeq);
  }

  /** @returns {boolean} whether the end is before somebody's eyes */
  #look() {
    live.looking = this.#sees && document.hasFocus() ? this.room : 0;
    return this.#sees;
  }

  get #sees() {
    return document.visibilityState === "visible" && this.#atEnd && !this.stretch.isCut;
  }

  /** @param {string} nonce @returns {HTMLElement | null} */
  #unsent(nonce) {
    return this.list.querySelector(`[data-state][data-nonce="${CSS.escape(nonce)}"]`);
  }

  /** @param {Message} message */
  #make(message) {
    const article = this.#blank();
    fill(article, message);
    return article;
  }

  #blank() {
    return /** @type {HTMLElement} */ (this.template.content.querySelector(".message")?.cloneNode(true));
  }
}

customElements.define("chat-timeline", ChatTimeline);
