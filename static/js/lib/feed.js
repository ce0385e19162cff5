/**
 * What comes of a stream: what the server remembers first, then everything as it comes, over connections that come back
 * by themselves.
 *
 * Events: `sample` (detail: Sample), `history` (detail: Sample[]), `picture` (detail: Blob), `video` (detail: VideoPart),
 * `recording` (detail: RecordingState), `alarm` (detail: the alarms that stand), `idle`, `state`, `gone`.
 * @typedef {import("./readings.js").Sample} Sample
 * @typedef {{on: boolean, since?: number, trouble?: string, changed: number}} RecordingState
 * @typedef {{part: "init" | "fragment", mime: string, key?: boolean, start?: number, bytes: ArrayBuffer}} VideoPart
 */
import { waitBefore } from "./socket.js";

/** Nothing has been heard for so long: whether the other end is there is asked by a plain request. */
const SILENCE = 20_000;

export class Feed extends EventTarget {
  /** @type {WebSocket | null} */ #ws = null;
  #attempt = 0;
  #wanted = true;
  #timer = 0;
  #last = 0;
  #heard = 0;
  #looking = false;
  /** What says what the next binary frame is. @type {any} */ #announced = null;
  /** The server's clock less this one's, ms. */ #offset = 0;
  /** @type {number | null} */ #comeBackIn = null;

  /** @param {string} path `/live/{name}` */
  constructor(path) {
    super();
    this.path = path;
  }

  get isOpen() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** No connection has been lost that isn't back: one that is only just being made is none. */
  get isUp() {
    return !this.#down;
  }

  #down = false;

  /** The server's clock, ms. */
  get now() {
    return Date.now() + this.#offset;
  }

  start() {
    void this.#look();
    this.#watch = window.setInterval(() => this.#mind(), 5000);
  }

  #watch = 0;

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#ws?.close();
  }

  /** Tries now instead of at the end of the wait. */
  hurry() {
    if (this.#wanted && !this.#ws) void this.#look();
    else this.#mind(2000);
  }

  /** A connection that nothing comes on may be none. @param {number} [patience] ms */
  #mind(patience = SILENCE) {
    if (!this.#wanted || !this.isOpen || Date.now() - this.#heard < patience) return;
    this.#heard = Date.now();
    void this.#look(true);
  }

  /** Asks for what was missed, then connects. @param {boolean} [connected] */
  async #look(connected = false) {
    if (this.#looking) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    try {
      const late = AbortSignal.timeout(10_000);
      const answer = await fetch(`${this.path}/samples${this.#last ? `?after=${this.#last}` : ""}`, { signal: late, headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 404) return this.#gone();
      if (!answer.ok) throw new Error(String(answer.status));
      const known = await answer.json();
      this.#offset = known.now - Date.now();
      const missed = known.samples.filter((/** @type {Sample} */ sample) => sample.seq > this.#last);
      // While one is connected, what the connection didn't bring says that it is dead.
      if (connected && missed.length > 1) this.#drop();
      this.#last = known.samples.at(-1)?.seq ?? this.#last;
      if (missed.length > 0) this.dispatchEvent(new CustomEvent("history", { detail: missed }));
      this.dispatchEvent(new CustomEvent("alarm", { detail: known.alarms }));
      if (!known.live) this.dispatchEvent(new Event("idle"));
      if (!this.#ws && this.#wanted) this.#connect();
    } catch {
      if (connected) this.#drop();
      else {
        this.#fallen();
        this.#later();
      }
    } finally {
      this.#looking = false;
    }
  }

  #connect() {
    const ws = new WebSocket(`${location.origin.replace(/^http/, "ws")}${this.path}/ws`);
    ws.binaryType = "arraybuffer";
    this.#ws = ws;
    this.#heard = Date.now();
    ws.addEventListener("open", () => {
      this.#attempt = 0;
      this.#down = false;
      this.dispatchEvent(new Event("state"));
    });
    ws.addEventListener("message", ({ data }) => {
      if (ws !== this.#ws) return;
      this.#heard = Date.now();
      if (typeof data === "string") this.#receive(data);
      else this.#take(data);
    });
    ws.addEventListener("close", ({ code }) => {
      if (ws === this.#ws) this.#closed(code);
    });
  }

  /** @param {string} data */
  #receive(data) {
    const frame = JSON.parse(data);
    if (frame.type === "sample") {
      if (frame.seq <= this.#last) return;
      this.#last = frame.seq;
      this.dispatchEvent(new CustomEvent("sample", { detail: frame }));
    } else if (frame.type === "picture" || frame.type === "video") this.#announced = frame;
    else if (frame.type === "alarm") this.dispatchEvent(new CustomEvent("alarm", { detail: frame.alarms }));
    else if (frame.type === "recording") this.dispatchEvent(new CustomEvent("recording", { detail: frame }));
    else if (frame.type === "idle") this.dispatchEvent(new Event("idle"));
    else if (frame.type === "notice") this.#comeBackIn = frame.reconnect_in ?? null;
  }

  /** @param {ArrayBuffer} bytes */
  #take(bytes) {
    const { type, ...announced } = this.#announced ?? {};
    const detail = type === "picture" ? new Blob([bytes], { type: announced.mime }) : { ...announced, bytes };
    if (type) this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #drop() {
    const ws = this.#ws;
    if (!ws) return;
    ws.close();
    this.#closed(1006);
  }

  /** @param {number} code */
  #closed(code) {
    this.#ws = null;
    if (!this.#wanted) return;
    this.#fallen();
    // Signed out, or not for these eyes any more: a plain request tells for sure.
    if (code === 4001 || code === 1008) this.#comeBackIn = 0;
    this.#later();
  }

  #fallen() {
    this.#down = true;
    this.dispatchEvent(new Event("state"));
  }

  #later() {
    if (!this.#wanted) return;
    const wait = this.#comeBackIn ?? waitBefore(this.#attempt);
    this.#comeBackIn = null;
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#look(), wait);
  }

  #gone() {
    this.stop();
    this.dispatchEvent(new Event("gone"));
  }
}
