/** Short tones: something was sent, came, somebody joined. Never before a gesture, never for what one is looking at. */
import { callsMe } from "./call.js";
import { live, on } from "./live.js";

/** @typedef {import("./tones.js").Tone} Tone */

const VOLUME = "hubbub-volume";
const USUAL_VOLUME = 0.5;
/** A lively room is one sound, not a rattle. In milliseconds. */
const QUIET_BETWEEN = 1200;
/** A tab that shows the room says so before another one sounds for it. */
const HESITATION = 80;

/** Event: `changed` (on, off or the volume). */
class Sound extends EventTarget {
  /** @type {AudioContext | null} nothing until the first gesture */
  #audio = null;
  /** @type {typeof import("./tones.js") | null} */
  #tones = null;
  #lastAt = 0;
  /** The person's own setting, on all their devices. */
  isOn = true;
  volume = readVolume();

  start() {
    const { signal } = new AbortController();
    // Opening the device takes up to 100 ms, which the first key itself isn't to wait for.
    const wake = () => {
      if (this.#audio?.state !== "running") setTimeout(() => this.#wake(), 100);
    };
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake, { capture: true, passive: true });
    on("ready", (frame) => {
      this.isOn = frame.user?.sounds !== false;
      this.#changed();
      // Nothing sounds in the page's first moment, and there is a server now.
      import("./tones.js").then((tones) => { this.#tones = tones; }, () => {});
    }, signal);
    on("settled", ({ isOwn }) => { if (isOwn) this.play("sent"); }, signal);
    on("arrived", (message) => void this.#arrived(message), signal);
    on("crowd", (crowd) => void this.#joined(crowd), signal);
    live.tabs.addEventListener("told", (event) => {
      const { fact, detail } = /** @type {CustomEvent} */ (event).detail;
      if (fact === "sounds") this.isOn = detail;
      if (fact === "volume") this.volume = detail;
      this.#changed();
    });
  }

  /**
   * A new message of somebody else. Of several tabs one speaks for it, and none when one of them shows it.
   * @param {{room: number, seq: number, html?: string, to_all?: boolean}} message
   */
  async #arrived(message) {
    const { room, seq } = message;
    const isCall = callsMe(message);
    if (!live.rooms.wants(room, isCall)) return;
    await this.#once(isCall ? "mention" : "received", `sound:${room}:${seq}`, live.looking === room);
  }

  /**
   * Somebody else has joined a room; who has its members before their eyes sees them come.
   * @param {{room: number, came: {user: number}[]}} crowd
   */
  async #joined({ room, came }) {
    const others = came.filter(({ user }) => user !== live.user);
    if (others.length === 0 || !live.rooms.wants(room, false)) return;
    const isSeen = live.looking === room && document.querySelector(`chat-details[data-room="${room}"][data-view="members"]:not([hidden])`) !== null;
    await this.#once("joined", `sound:${room}:joined:${others[0].user}`, isSeen);
  }

  /** @param {Tone} tone @param {string} what @param {boolean} isSeen */
  async #once(tone, what, isSeen) {
    if (isSeen) return void live.tabs.claim(what);
    if (!this.#canPlay) return;
    await new Promise((resolve) => setTimeout(resolve, HESITATION));
    if (Date.now() - this.#lastAt >= QUIET_BETWEEN && (await live.tabs.claim(what))) this.play(tone);
  }

  get #canPlay() {
    return this.isOn && this.volume > 0 && this.#audio?.state === "running" && live.ready?.user?.status?.state !== "dnd";
  }

  #wake() {
    this.#audio ??= typeof AudioContext === "function" ? new AudioContext() : null;
    if (this.#audio?.state === "suspended") void this.#audio.resume();
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }

  /** @param {Tone} tone */
  play(tone) {
    const audio = this.#audio;
    if (!audio || !this.#canPlay) return;
    this.#lastAt = Date.now();
    this.#tones?.sing(audio, tone, this.volume);
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.volume = volume;
    this.#changed();
    live.tabs.tell({ fact: "volume", detail: volume });
    try {
      localStorage.setItem(VOLUME, String(volume));
    } catch {
      // It holds for as long as the page.
    }
  }

  /** @param {boolean} isOn @returns {Promise<boolean>} whether the server has kept it */
  async turn(isOn) {
    this.isOn = isOn;
    this.#changed();
    live.tabs.tell({ fact: "sounds", detail: isOn });
    try {
      const body = JSON.stringify({ sounds: isOn });
      const answer = await fetch("/api/v1/me", { method: "PATCH", headers: { "content-type": "application/json" }, body });
      return answer.ok;
    } catch {
      return false;
    }
  }
}

/** @returns {number} 0 to 1 */
function readVolume() {
  try {
    const kept = parseFloat(localStorage.getItem(VOLUME) ?? "");
    return kept >= 0 && kept <= 1 ? kept : USUAL_VOLUME;
  } catch {
    return USUAL_VOLUME;
  }
}

export const sound = new Sound();
