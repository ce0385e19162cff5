/** The instrument panel of a stream: its picture, every reading as a number and as a plot, live or held still. */
import { Alarms } from "../lib/alarms.js";
import { Feed } from "../lib/feed.js";
import { clockTime, drawPlot, momentAt } from "../lib/plot.js";
import { labelOf, Readings, written } from "../lib/readings.js";
import { Screen } from "../lib/screen.js";
import { ageInWords } from "../lib/age.js";
import { t } from "../lib/words.js";

/** How often the age is written, ms. */
const TICK = 500;
/** Silence after which nothing is called live, ms; longer where samples are rare. */
const LATE = 5000;
/** The same of video, whose pieces may be long. */
const LATE_FILM = 15_000;
/** Readings of one stream; the server takes no more. */
const MOST = 64;

class LivePanel extends HTMLElement {
  #leaving = new AbortController();
  #readings = new Readings();
  /** @type {Map<string, {section: HTMLElement, plot: HTMLCanvasElement}>} */ #shown = new Map();
  /** @type {number | null} when it was held still, ms of the server */ #pausedAt = null;
  /** @type {number | null} the moment that is read off, ms */ #cursor = null;
  #idle = false;
  /** The video, once some has come. @type {Promise<import("../lib/film.js").Film> | null} */ #film = null;
  /** When its newest piece came, ms of the server. */ #filmed = 0;
  #gone = false;
  #drawing = 0;
  /** What was said aloud of the state; what is read off between is left alone. */
  #state = "";

  connectedCallback() {
    const { signal } = this.#leaving;
    this.feed = new Feed(`/live/${this.dataset.name}`);
    this.screen = new Screen(this.#part(".panel-picture"));
    /** @type {import("../lib/readings.js").Field[]} */
    const fields = JSON.parse(this.dataset.fields || "[]");
    this.fields = new Map(fields.map((field) => [field.name, field]));
    for (const section of this.querySelectorAll(".reading")) this.#adopt(/** @type {HTMLElement} */ (section));
    this.alarms = new Alarms(this.#part(".alarms"), signal, (words) => this.#tell(words));
    this.#listen(this.feed);
    this.addEventListener("click", (event) => this.#press(event), { signal });
    this.#part("select").addEventListener("change", () => this.#draw(), { signal });
    for (const sign of ["online", "focus"]) addEventListener(sign, () => this.feed?.hurry(), { signal });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.feed?.hurry(); }, { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw(), { signal });
    const size = new ResizeObserver(() => this.#draw());
    size.observe(this);
    signal.addEventListener("abort", () => size.disconnect());
    this.timer = window.setInterval(() => this.#tick(), TICK);
    this.feed.start();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    clearInterval(this.timer);
    cancelAnimationFrame(this.#drawing);
    this.feed?.stop();
    this.screen?.close();
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  get isPaused() {
    return this.#pausedAt !== null;
  }

  /** Nothing comes: what is shown is old. */
  get isStale() {
    return this.#gone || this.#idle || !this.feed?.isUp || this.#isLate;
  }

  /** A connection may be dead without anybody saying so: silence itself says it. */
  get #isLate() {
    const at = this.#latest;
    const most = at === this.#filmed ? LATE_FILM : Math.max(LATE, 4 * this.#readings.usual);
    return at !== undefined && (this.feed?.now ?? 0) - at > most;
  }

  /** @param {Feed} feed */
  #listen(feed) {
    const { signal } = this.#leaving;
    /** @param {string} fact @param {(detail: any) => void} hear */
    const on = (fact, hear) => feed.addEventListener(fact, (event) => hear(/** @type {CustomEvent} */ (event).detail), { signal });
    on("history", (samples) => {
      for (const sample of samples) this.#readings.add(sample);
      this.#fresh();
    });
    on("sample", (sample) => {
      if (this.#readings.add(sample)) this.#fresh();
    });
    on("recording", (detail) => this.dispatchEvent(new CustomEvent("recording-told", { detail, bubbles: true })));
    on("video", (part) => void this.#roll(part));
    on("picture", (blob) => { if (!this.isPaused) this.screen?.show(blob); });
    on("alarm", (standing) => this.alarms?.show(standing));
    on("idle", () => {
      this.#idle = true;
      this.#tick();
      this.#draw();
    });
    on("state", () => this.#tick());
    on("gone", () => {
      this.#gone = true;
      this.#tick();
    });
  }

  /** @param {import("../lib/feed.js").VideoPart} part */
  async #roll(part) {
    this.#filmed = this.feed?.now ?? 0;
    this.#fresh();
    this.#film ??= import("../lib/film.js").then(({ Film }) => {
      const film = new Film(this, this.#leaving.signal);
      if (this.isPaused) film.pause();
      return film;
    });
    (await this.#film).take(part);
  }

  /** When something came last, ms of the server; nothing before that. */
  get #latest() {
    return Math.max(this.#readings.latest?.at ?? 0, this.#filmed) || undefined;
  }

  /** Something new has come. */
  #fresh() {
    this.#idle = false;
    this.#part(".panel-nothing").hidden = true;
    this.#tick();
    this.#draw();
  }

  /** Once per frame, however much has come. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#paint();
    });
  }

  #paint() {
    const moment = this.#cursor ?? this.#pausedAt ?? Infinity;
    const sample = this.#readings.upTo(moment);
    for (const name of Object.keys(sample?.fields ?? {})) if (!this.#shown.has(name)) this.#add(name);
    const until = this.#pausedAt ?? this.feed?.now ?? Date.now();
    const from = until - Number(/** @type {HTMLSelectElement} */ (this.#part("select")).value) * 1000;
    for (const [name, { section, plot }] of this.#shown) {
      const course = this.#readings.course(name);
      const value = sample?.fields[name];
      const words = typeof value === "number" ? written(value, course.decimals) : value ?? "–";
      const place = /** @type {HTMLElement} */ (section.querySelector(".reading-value"));
      if (sample && place.textContent !== words) place.textContent = words;
      section.classList.toggle("is-out", sample?.out?.includes(name) ?? false);
      section.classList.toggle("reading-text", course.points.length === 0 && typeof value === "string");
      if (plot.clientWidth > 0) drawPlot(plot, { course, from, until, field: this.fields?.get(name), cursor: this.#cursor, stale: this.isStale && !this.isPaused });
    }
  }

  /** @param {string} name */
  #add(name) {
    if (this.#shown.size >= MOST) return;
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("reading-template"));
    const section = /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
    section.dataset.reading = name;
    const label = labelOf(name);
    /** @type {HTMLElement} */ (section.querySelector(".reading-label")).textContent = label;
    /** @type {HTMLElement} */ (section.querySelector(".reading-unit")).textContent = this.fields?.get(name)?.unit ?? "";
    section.querySelector("canvas")?.setAttribute("aria-label", t("Course of {name}; arrow keys read it off", { name: label }));
    this.#part(".readings").append(section);
    this.#adopt(section);
  }

  /** @param {HTMLElement} section */
  #adopt(section) {
    const plot = /** @type {HTMLCanvasElement} */ (section.querySelector("canvas"));
    const name = section.dataset.reading ?? "";
    this.#shown.set(name, { section, plot });
    const { signal } = this.#leaving;
    plot.addEventListener("pointermove", (event) => this.#point(plot, event.clientX - plot.getBoundingClientRect().left), { signal });
    plot.addEventListener("pointerdown", (event) => this.#point(plot, event.clientX - plot.getBoundingClientRect().left), { signal });
    plot.addEventListener("pointerleave", () => this.#point(plot, null), { signal });
    plot.addEventListener("blur", () => this.#point(plot, null), { signal });
    plot.addEventListener("keydown", (event) => this.#key(event, name), { signal });
  }

  /** @param {HTMLCanvasElement} plot @param {number | null} x */
  #point(plot, x) {
    const until = this.#pausedAt ?? this.feed?.now ?? Date.now();
    const from = until - Number(/** @type {HTMLSelectElement} */ (this.#part("select")).value) * 1000;
    this.#read(x === null ? null : momentAt(plot, /** @type {any} */ ({ from, until }), x));
  }

  /** Reads off a moment: all plots show it, and held still the picture of then as well. @param {number | null} at */
  #read(at) {
    this.#cursor = at;
    this.#draw();
    if (this.isPaused) this.#showThen(at ?? this.#pausedAt ?? 0);
  }

  /** @param {number} at */
  #showThen(at) {
    const sample = this.#readings.pictureUpTo(at);
    if (sample) this.screen?.fetch(`/live/${this.dataset.name}/picture.jpg?seq=${sample.seq}`);
  }

  /** @param {KeyboardEvent} event @param {string} name */
  #key(event, name) {
    const { points } = this.#readings.course(name);
    if (points.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return this.#read(null);
    const steps = new Map([["ArrowLeft", -1], ["ArrowRight", 1], ["PageUp", -10], ["PageDown", 10], ["Home", -Infinity], ["End", Infinity]]);
    const step = steps.get(event.key);
    if (step === undefined) return;
    event.preventDefault();
    const here = this.#cursor === null ? points.length : points.findLastIndex(({ at }) => at <= /** @type {number} */ (this.#cursor));
    const point = points[Math.min(points.length - 1, Math.max(0, here + step))];
    this.#read(point.at);
    this.#tell(`${this.#readings.course(name).write(point.value)} ${this.fields?.get(name)?.unit ?? ""} ${clockTime(point.at)}`);
  }

  /** @param {MouseEvent} event */
  #press(event) {
    const does = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-does]"))?.dataset.does : undefined;
    if (does === "pause") this.#pause(!this.isPaused);
    else if (does === "back") this.#pause(false);
    else if (does === "whole") void (document.fullscreenElement ? document.exitFullscreen() : this.requestFullscreen().catch(() => {}));
  }

  /** @param {boolean} still */
  #pause(still) {
    this.#pausedAt = still ? Math.max(this.feed?.now ?? 0, this.#latest ?? 0) : null;
    this.#cursor = null;
    this.classList.toggle("is-paused", still);
    const button = this.#part("[data-does=pause]");
    button.setAttribute("aria-pressed", String(still));
    button.setAttribute("aria-label", still ? t("Go on") : t("Pause"));
    button.title = still ? t("Go on") : t("Pause");
    const back = this.#part("[data-does=back]");
    if (!still && document.activeElement === back) button.focus();
    back.hidden = !still;
    if (!still) this.#showThen(Infinity);
    void this.#film?.then((film) => (still ? film.pause() : film.follow()));
    this.#tick();
    this.#draw();
  }

  /** How old what is shown is. It never looks live when it isn't. */
  #tick() {
    const latest = this.#latest;
    const stale = this.isStale;
    if (stale && !this.classList.contains("is-stale")) this.feed?.hurry();
    const live = Boolean(latest) && !stale && !this.isPaused;
    this.classList.toggle("is-stale", stale && !this.isPaused);
    this.#part(".live-mark").hidden = !live;
    const [words, told] = this.#inWords(latest, live);
    const age = this.#part(".panel-age");
    if (age.textContent !== words) age.textContent = words;
    this.alarms?.age(this.feed?.now ?? Date.now());
    if (told !== this.#state) this.#tell(told);
    this.#state = told;
    // The axis of time goes on, whether something comes or not.
    if (!this.isPaused) this.#draw();
  }

  /** @param {number | undefined} at @param {boolean} live @returns {[string, string]} what is shown, and what is said aloud when it changes */
  #inWords(at, live) {
    if (this.#gone) return [t("This stream isn't to be seen any more."), t("This stream isn't to be seen any more.")];
    if (this.#pausedAt !== null) return [t("Held still at {time}", { time: clockTime(this.#pausedAt) }), t("Paused")];
    if (at === undefined) return this.feed?.isOpen ? [t("Nothing has come yet"), ""] : [t("Connecting"), ""];
    const age = ageInWords((this.feed?.now ?? 0) - at);
    if (live) return [age, t("Live")];
    if (!this.feed?.isUp) return [t("Not connected. Last sample {age}", { age }), t("Not connected")];
    return [t("No signal since {time}, {age}", { time: clockTime(at), age }), t("No signal since {time}", { time: clockTime(at) })];
  }

  /** @param {string} words */
  #tell(words) {
    this.#part(".panel-told").textContent = words;
  }
}

customElements.define("live-panel", LivePanel);
