/** The wall of streams: every tile with its latest picture, its leading readings, their course and their age. */
import { ageInWords } from "../lib/age.js";
import { drawSpark } from "../lib/plot.js";
import { labelOf, Readings, written } from "../lib/readings.js";
import { Screen } from "../lib/screen.js";
import { t } from "../lib/words.js";

/** Between two looks, ms. */
const PAUSE = 1000;
/** The same while the server doesn't answer. */
const LONGER = 4000;
/** How long an answer may take, ms. */
const PATIENCE = 8000;
/** Samples that a tile's line has. */
const SHOWN = 120;

/** @typedef {{name: string, title: string, live: boolean, last?: number, fields: import("../lib/readings.js").Field[], raised: {acknowledged?: object}[], latest?: import("../lib/readings.js").Sample, picture?: {seq: number, url: string}, video?: import("../lib/still.js").Piece}} Stream */

class Tile {
  readings = new Readings();
  at = 0;
  live = false;
  #picture = 0;
  /** Of its video. @type {Promise<import("../lib/still.js").Still> | null} */ #still = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.name = element.dataset.name ?? "";
    const image = element.querySelector("img");
    this.screen = image ? new Screen(/** @type {HTMLElement} */ (element.querySelector(".tile-screen"))) : null;
  }

  /** What the server remembers. @param {AbortSignal} signal */
  async load(signal) {
    const answer = await fetch(`/live/${this.name}/samples?limit=${SHOWN}`, { signal }).catch(() => null);
    if (!answer?.ok) return;
    for (const sample of (await answer.json()).samples) this.readings.add(sample);
  }

  /** @param {Stream} stream @param {number} now the server's clock */
  show(stream, now) {
    const { latest, picture, video } = stream;
    this.live = stream.live;
    if (latest) this.readings.add(latest);
    this.at = stream.last ?? 0;
    this.#write(stream);
    if (picture && picture.seq !== this.#picture && this.screen) {
      this.#picture = picture.seq;
      this.screen.fetch(picture.url);
    }
    if (video) {
      this.#still ??= import("../lib/still.js").then(({ Still }) => new Still(/** @type {HTMLElement} */ (this.element.querySelector(".tile-screen"))));
      void this.#still.then((still) => still.show(video));
    }
    this.#call(stream.raised);
    this.age(now);
  }

  /** @param {Stream["raised"]} raised the alarms that stand */
  #call(raised) {
    const mark = /** @type {HTMLElement} */ (this.element.querySelector(".alarm-mark"));
    const taken = raised.every(({ acknowledged }) => acknowledged);
    mark.hidden = raised.length === 0;
    mark.classList.toggle("is-taken", taken);
    const words = taken ? t("Alarm, acknowledged") : t("Alarm");
    const place = /** @type {HTMLElement} */ (mark.querySelector(".alarm-mark-word"));
    if (place.textContent !== words) place.textContent = words;
  }

  /** @param {Stream} stream */
  #write({ latest, fields }) {
    const names = [...new Set([...fields.map(({ name }) => name), ...Object.keys(latest?.fields ?? {})])].filter((name) => typeof latest?.fields[name] === "number").slice(0, 2);
    const place = /** @type {HTMLElement} */ (this.element.querySelector(".tile-readings"));
    place.replaceChildren(...names.map((name) => {
      const course = this.readings.course(name);
      const words = [labelOf(name), written(Number(latest?.fields[name]), course.decimals), fields.find((field) => field.name === name)?.unit ?? ""];
      const reading = document.createElement("span");
      reading.className = "tile-reading";
      reading.classList.toggle("is-out", latest?.out?.includes(name) ?? false);
      ["tile-label", "tile-value", "tile-unit"].forEach((kind, index) => {
        const part = document.createElement("span");
        part.className = kind;
        part.textContent = words[index];
        reading.append(part, " ");
      });
      return reading;
    }));
    const spark = /** @type {HTMLCanvasElement} */ (this.element.querySelector("canvas"));
    drawSpark(spark, names[0] ? this.readings.course(names[0]).points.slice(-SHOWN) : []);
  }

  /** @param {number} now */
  age(now) {
    this.element.classList.toggle("is-stale", !this.live);
    /** @type {HTMLElement} */ (this.element.querySelector(".live-mark")).hidden = !this.live;
    const words = this.at === 0 ? t("Nothing has come yet") : ageInWords(now - this.at);
    const place = /** @type {HTMLElement} */ (this.element.querySelector(".tile-age"));
    if (place.textContent !== words) place.textContent = words;
  }
}

class LiveWall extends HTMLElement {
  #leaving = new AbortController();
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  #timer = 0;

  connectedCallback() {
    this.#collect();
    void this.#begin();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) void this.#look(); }, { signal: this.#leaving.signal });
  }

  disconnectedCallback() {
    this.#leaving.abort();
    clearTimeout(this.#timer);
    for (const tile of this.#tiles.values()) tile.screen?.close();
  }

  #collect() {
    this.#tiles.clear();
    for (const element of this.querySelectorAll(".tile")) {
      const tile = new Tile(/** @type {HTMLElement} */ (element));
      this.#tiles.set(tile.name, tile);
    }
  }

  async #begin() {
    // One after the other: a wall of a hundred isn't asked for at once.
    for (const tile of this.#tiles.values()) await tile.load(this.#leaving.signal);
    void this.#look();
  }

  async #look() {
    clearTimeout(this.#timer);
    const { signal } = this.#leaving;
    if (document.hidden || signal.aborted) return;
    let pause = PAUSE;
    try {
      const answer = await fetch("/api/v1/live", { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) });
      if (!answer.ok) throw new Error(String(answer.status));
      const { streams, now } = await answer.json();
      await this.#show(streams, now);
    } catch {
      // Nothing looks live that nobody has heard of.
      for (const tile of this.#tiles.values()) {
        tile.live = false;
        tile.age(Date.now());
      }
      pause = LONGER;
    }
    if (!signal.aborted) this.#timer = window.setTimeout(() => void this.#look(), pause);
  }

  /** @param {Stream[]} streams @param {number} now */
  async #show(streams, now) {
    const others = streams.length !== this.#tiles.size || streams.some(({ name, picture }) => {
      const tile = this.#tiles.get(name);
      return !tile || (picture !== undefined && !tile.screen);
    });
    if (others) await this.#renew();
    for (const stream of streams) this.#tiles.get(stream.name)?.show(stream, now);
  }

  /** There are others now, or one has its first picture: the server draws them. */
  async #renew() {
    const answer = await fetch(location.pathname, { signal: this.#leaving.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const tiles = page.querySelector(".tiles");
    if (!tiles) return location.reload();
    this.querySelector(".tiles")?.replaceWith(document.adoptNode(tiles));
    this.#collect();
    for (const tile of this.#tiles.values()) await tile.load(this.#leaving.signal);
  }
}

customElements.define("live-wall", LiveWall);
