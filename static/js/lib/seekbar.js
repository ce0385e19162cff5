/** The bar of a player: what has been played, what is loaded, where the chapters begin; and the hand that moves it. */
import { clock } from "./moments.js";
import { t } from "./words.js";

/** @typedef {{start: number, title: string}} Chapter `start` in seconds */

export class Seekbar {
  /** While a finger or a pointer holds it, what plays doesn't move it. */
  #isHeld = false;
  /** @type {Chapter[]} */ #chapters = [];
  /** Called with the moment under the pointer, or nothing when it left. @type {(seconds: number | null, share: number) => void} */
  onhover = () => {};

  /**
   * @param {HTMLElement} root `.seek`
   * @param {HTMLMediaElement} media
   * @param {() => number} length seconds
   * @param {(seconds: number) => void} seek
   */
  constructor(root, media, length, seek) {
    this.root = root;
    this.media = media;
    this.length = length;
    this.seek = seek;
    this.field = /** @type {HTMLInputElement} */ (root.querySelector("input"));
    this.tip = /** @type {HTMLElement} */ (root.querySelector(".seek-tip"));
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    this.field.addEventListener("input", () => {
      this.#isHeld = true;
      this.#paint(Number(this.field.value));
      this.#speak(Number(this.field.value));
    }, { signal });
    this.field.addEventListener("change", () => {
      this.#isHeld = false;
      this.seek(Number(this.field.value));
    }, { signal });
    this.field.addEventListener("pointermove", (event) => this.#over(event), { signal });
    for (const end of ["pointerleave", "pointercancel"]) {
      this.field.addEventListener(end, () => {
        this.tip.hidden = true;
        this.onhover(null, 0);
      }, { signal });
    }
    for (const fact of ["timeupdate", "progress", "seeked", "emptied"]) this.media.addEventListener(fact, () => this.show(), { signal });
    for (const fact of ["durationchange", "loadedmetadata"]) this.media.addEventListener(fact, () => this.measure(), { signal });
    this.measure();
  }

  /** How long it is has become known. */
  measure() {
    this.field.max = String(this.length() || 1);
    this.field.disabled = this.length() === 0;
    this.mark(this.#chapters);
    this.show();
  }

  show() {
    const now = this.media.currentTime;
    if (!this.#isHeld) {
      this.field.value = String(now);
      this.#paint(now);
      this.#speak(now);
    }
    const loaded = this.#loadedAt(now);
    this.root.style.setProperty("--loaded", String(this.#share(loaded)));
  }

  /** @param {Chapter[]} chapters */
  mark(chapters) {
    this.#chapters = chapters;
    const lane = /** @type {HTMLElement} */ (this.root.querySelector(".seek-marks"));
    lane.replaceChildren(...chapters.filter(({ start }) => start > 0 && start < this.length()).map(({ start }) => {
      const mark = document.createElement("i");
      mark.style.setProperty("--at", String(this.#share(start)));
      return mark;
    }));
  }

  /** @param {number} seconds @returns {Chapter | undefined} */
  chapterAt(seconds) {
    return this.#chapters.findLast(({ start }) => start <= seconds + 0.05);
  }

  /** @param {number} seconds */
  #share(seconds) {
    const length = this.length();
    return length > 0 ? Math.min(1, Math.max(0, seconds / length)) : 0;
  }

  /** @param {number} now */
  #paint(now) {
    this.root.style.setProperty("--played", String(this.#share(now)));
  }

  /** @param {number} now */
  #speak(now) {
    const words = t("{time} of {length}", { time: clock(now), length: clock(this.length()) });
    const chapter = this.chapterAt(now);
    this.field.setAttribute("aria-valuetext", chapter ? `${words}, ${chapter.title}` : words);
  }

  /** The end of the loaded stretch that holds the moment. @param {number} now */
  #loadedAt(now) {
    const { buffered } = this.media;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= now + 0.1 && buffered.end(index) >= now) return buffered.end(index);
    }
    return 0;
  }

  /** @param {PointerEvent} event */
  #over(event) {
    const place = this.field.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - place.left) / place.width));
    const at = share * this.length();
    const chapter = this.chapterAt(at);
    this.tip.textContent = chapter ? `${clock(at)} · ${chapter.title}` : clock(at);
    this.tip.hidden = this.length() === 0;
    // Kept inside the player: half of the tip's own width from either end.
    const half = this.tip.offsetWidth / 2;
    this.tip.style.insetInlineStart = `${Math.min(place.width - half, Math.max(half, share * place.width))}px`;
    this.onhover(at, share);
  }
}
