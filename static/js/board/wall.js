/** The wall of notes: newest first, in as many columns as fit; a new note never pushes what one reads. */
import { live, on, reread } from "../lib/live.js";
import { recognise } from "../lib/adorn.js";
import { answerFailed, fill, fillUnsent, welcome } from "../lib/message.js";
import { CatchUp, RoomStore } from "../lib/store.js";
import { t } from "../lib/words.js";

/** @typedef {import("../lib/store.js").Message} Message */
/** @typedef {import("../lib/outbox.js").Unsent} Unsent */

/** Scrolled less than this, one is looking at the top. */
const NEAR_TOP = 120;

class BoardWall extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  notes = /** @type {HTMLElement} */ (this.querySelector(".notes"));
  pill = /** @type {HTMLButtonElement} */ (this.querySelector(".wall-news button"));
  pane = /** @type {HTMLElement} */ (this.closest(".content") ?? document.documentElement);
  template = /** @type {HTMLTemplateElement} */ (this.querySelector(".note-template"));
  /** @type {HTMLElement[]} newest first */
  order = [...this.notes.querySelectorAll(".note")].map((note) => /** @type {HTMLElement} */ (note));
  store = new RoomStore(Number(this.dataset.rev));
  catchUp = new CatchUp(
    this.store,
    async (after) => /** @type {any} */ (await live.socket.request("changes", { room: this.room, after, limit: 100 })),
    { show: (message) => this.#show(message), reset: reread, later: (run, ms) => setTimeout(run, ms) },
  );
  /** New notes that wait for a press. @type {Map<number, Message>} */
  #waiting = new Map();

  connectedCallback() {
    for (const note of this.order) {
      this.store.know({ seq: Number(note.dataset.seq), rev: Number(note.dataset.rev) });
      welcome(note);
      recognise(note);
    }
    for (const entry of live.outbox.all()) if (entry.room === this.room) this.#showUnsent(entry);
    this.#listen();
    this.#layOut();
    const wanted = this.#note(Number(new URLSearchParams(location.search).get("around")));
    wanted?.classList.add("focus");
    wanted?.scrollIntoView({ block: "center" });
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
    on("kept", mine((entry) => this.#showUnsent(entry)), signal);
    on("failed", mine((entry) => this.#showUnsent(entry)), signal);
    on("withdrawn", mine((entry) => this.#forget(this.#unsent(entry.nonce))), signal);
    on("settled", ({ entry, reply }) => { if (entry.room === this.room) this.#settled(entry, reply); }, signal);
    answerFailed(this, signal);
    const joined = live.user > 0;
    const place = { list: this.notes, pane: this.pane, room: this.room, joined, mayPin: false, mayRemove: false, isBoard: true };
    void import("../lib/bar.js").then(({ offerDeeds }) => offerDeeds(place, signal), () => {});
    this.pill.addEventListener("click", () => this.#showWaiting(), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    for (const turn of ["focus", "blur"]) addEventListener(turn, () => this.#read(), { signal });
    this.pane.addEventListener("scroll", () => this.#read(), { signal, passive: true });
    const sizes = new ResizeObserver(() => { if (this.#columns() !== this.notes.childElementCount) this.#layOut(); });
    sizes.observe(this.notes);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  #isReady() {
    void this.catchUp.run();
    this.#read();
  }

  /** @param {Message} message */
  #receive(message) {
    if (this.store.receive(message)) this.#show(message);
    if (this.store.hasGap) void this.catchUp.run();
  }

  /** @param {Message} message */
  #show(message) {
    const own = message.user === live.user && message.nonce ? this.#unsent(message.nonce) : null;
    const there = this.#note(message.seq);
    if (there) {
      if (own && own !== there) this.#forget(own);
      fill(there, message);
    } else if (own) {
      fill(own, message);
    } else if (this.#waiting.has(message.seq)) {
      this.#waiting.set(message.seq, message);
    } else if (message.seq > this.#oldest || !this.hasAttribute("data-more")) {
      this.#arrive(message);
    }
    this.#read();
  }

  /** @param {Message} message that isn't shown yet */
  #arrive(message) {
    if (!this.hasAttribute("data-newer") && this.pane.scrollTop < NEAR_TOP && !this.#isRead) return this.#add(message);
    this.#waiting.set(message.seq, message);
    this.#showPill();
  }

  /** Whether somebody stands in a note by keyboard, or has marked a part of one. */
  get #isRead() {
    const marked = getSelection();
    const isMarked = marked !== null && !marked.isCollapsed && this.notes.contains(marked.anchorNode);
    return isMarked || this.notes.contains(document.activeElement);
  }

  /** @param {Message} message */
  #add(message) {
    const note = this.#make();
    fill(note, message);
    this.#put(note);
  }

  #showWaiting() {
    if (this.hasAttribute("data-newer")) return location.assign("/board");
    const messages = [...this.#waiting.values()].sort((a, b) => a.seq - b.seq);
    this.#waiting.clear();
    for (const message of messages) this.#add(message);
    this.#showPill();
    this.pane.scrollTop = 0;
    this.#read();
  }

  #showPill() {
    const count = this.#waiting.size;
    this.pill.hidden = count === 0;
    this.pill.textContent = count === 1 ? t("1 new note") : t("{count} new notes", { count });
  }

  /** @param {Unsent} entry */
  #written(entry) {
    this.#showUnsent(entry);
    this.pane.scrollTop = 0;
  }

  /** @param {Unsent} entry */
  #showUnsent(entry) {
    const there = this.#unsent(entry.nonce);
    const note = there ?? this.#make();
    fillUnsent(note, entry);
    if (!there) this.#put(note);
  }

  /**
   * @param {Unsent} entry
   * @param {{seq: number, rev: number, at: number}} reply
   */
  #settled(entry, reply) {
    const own = this.#unsent(entry.nonce);
    if (!own) return;
    if (this.#note(reply.seq)) return this.#forget(own);
    fill(own, { ...entry, ...reply, user: live.user, name: live.name, guest: live.guest });
  }

  #read() {
    const isTop = this.pane.scrollTop < NEAR_TOP && !this.hasAttribute("data-newer");
    live.looking = isTop && document.visibilityState === "visible" && document.hasFocus() ? this.room : 0;
    const seen = document.visibilityState === "visible" && !this.hasAttribute("data-newer") && this.#waiting.size === 0;
    if (seen && this.pane.scrollTop < NEAR_TOP) live.marks.read(this.room, this.#newest);
  }

  /** @param {HTMLElement} note */
  #put(note) {
    this.querySelector(".empty")?.remove();
    for (const other of this.order) other.classList.remove("arrives");
    note.classList.add("arrives");
    const found = this.order.findIndex((other) => seqOf(other) < seqOf(note));
    const index = found < 0 ? this.order.length : found;
    this.order.splice(index, 0, note);
    // It is measured with the others, so it needs a column first.
    (this.notes.querySelector(".notes-column") ?? this.notes).prepend(note);
    glide(this.order, () => this.#layOut());
  }

  /** @param {HTMLElement | null} note */
  #forget(note) {
    if (!note) return;
    note.remove();
    this.order = this.order.filter((other) => other !== note);
    glide(this.order, () => this.#layOut());
  }

  /** Each note takes its place in the shortest column, so that rows still read in time's order. */
  #layOut() {
    const columns = [...this.notes.querySelectorAll(":scope > .notes-column")];
    while (columns.length > this.#columns()) columns.pop();
    while (columns.length < this.#columns()) columns.push(makeColumn());
    // Heights are read before anything moves: reading between moves would lay the page out once per note.
    const heights = this.order.map((note) => note.offsetHeight);
    const sums = columns.map(() => 0);
    const counts = columns.map(() => 0);
    this.order.forEach((note, index) => {
      const shortest = sums.indexOf(Math.min(...sums));
      const next = columns[shortest].children[counts[shortest]] ?? null;
      sums[shortest] += heights[index] + 1;
      counts[shortest] += 1;
      // One that stays isn't touched: moving it would end a selection and the keyboard's place.
      if (next !== note) columns[shortest].insertBefore(note, next);
    });
    if (columns.some((column, index) => this.notes.children[index] !== column) || this.notes.childElementCount !== columns.length) {
      this.notes.replaceChildren(...columns);
    }
  }

  #columns() {
    const width = this.notes.clientWidth;
    const narrowest = parseFloat(getComputedStyle(this).getPropertyValue("--note-width")) || 300;
    const gap = parseFloat(getComputedStyle(this.notes).columnGap) || 0;
    return Math.max(1, Math.floor((width + gap) / (narrowest + gap)));
  }

  get #newest() {
    return Math.max(0, ...this.order.map((note) => Number(note.dataset.seq)));
  }

  get #oldest() {
    return Number(this.dataset.firstSeq);
  }

  /** @param {number} seq @returns {HTMLElement | null} */
  #note(seq) {
    return this.notes.querySelector(`#m-${seq}`);
  }

  /** @param {string} nonce @returns {HTMLElement | null} */
  #unsent(nonce) {
    return this.notes.querySelector(`[data-state][data-nonce="${CSS.escape(nonce)}"]`);
  }

  #make() {
    return /** @type {HTMLElement} */ (this.template.content.querySelector(".note")?.cloneNode(true));
  }
}

/** @param {HTMLElement} note @returns {number} where it belongs; what isn't stored yet stands on top */
function seqOf(note) {
  const seq = Number(note.dataset.seq);
  return seq > 0 ? seq : Infinity;
}

/** @returns {HTMLElement} */
function makeColumn() {
  const column = document.createElement("div");
  column.className = "notes-column";
  return column;
}

const GLIDE = 180;

/**
 * Changes where notes stand, and lets the eye follow those that moved.
 * @param {HTMLElement[]} notes
 * @param {() => void} change
 */
function glide(notes, change) {
  const before = new Map(notes.map((note) => [note, note.getBoundingClientRect()]));
  change();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const [note, { left, top, width }] of before) {
    const now = note.getBoundingClientRect();
    const [x, y] = [left - now.left, top - now.top];
    if (width === 0 || note.classList.contains("arrives") || Math.abs(x) + Math.abs(y) < 1) continue;
    note.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: GLIDE, easing: "ease-out" });
  }
}

customElements.define("board-wall", BoardWall);
