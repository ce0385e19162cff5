/**
 * The browser's own camera or screen as a live stream: recorded in fragments that are sent as they come, over a connection
 * that comes back by itself. Each connection begins with a recording of its own.
 */
import { waitBefore } from "./socket.js";

/** What browsers can record and others can play: what costs least to encode first. */
const FORMS = [["avc1.42E01F", "mp4a.40.2"], ["avc1.42E01F", "opus"], ["vp09.00.31.08", "opus"], ["av01.0.04M.08", "opus"]];
/** How often a fragment is sent, and how often it begins with a key frame, ms. */
const FRAGMENT = 250;
const KEY_FRAMES = 1000;
/** Bytes that wait to be sent. With more the line is too slow: what comes next begins anew, with half as much a second. */
const WAITING_MAX = 512 * 1024;
/** Bits of video a second. */
const RATE_MAX = 3_000_000;
const RATE_MIN = 250_000;
/** Close codes from here on are refusals: another try would be refused as well. */
const REFUSED = 4400;

/** @typedef {"connecting" | "sending" | "lost" | "ended"} State */

/** @param {boolean} heard whether there is sound @returns {string | undefined} how this browser records; nothing where it can't */
export function formOf(heard) {
  const forms = FORMS.map(([video, audio]) => `video/mp4; codecs=${heard ? `${video},${audio}` : video}`);
  return globalThis.MediaRecorder ? forms.find((form) => MediaRecorder.isTypeSupported(form)) : undefined;
}

export class Broadcast {
  /** @type {MediaRecorder | null} */ #recorder = null;
  /** @type {WebSocket | null} */ #socket = null;
  #again = 0;
  #attempt = 0;
  #rate = RATE_MAX;
  #isOver = false;
  /** What the server said of the end. */ #said = "";

  /**
   * @param {MediaStream} stream
   * @param {string} path where it is pushed to
   * @param {(state: State, why: string) => void} tell `why` is a sentence of the server's, or nothing
   */
  constructor(stream, path, tell) {
    this.stream = stream;
    this.path = path;
    this.tell = tell;
    // The browser's own "Stop sharing" ends it too, and so does a camera that is pulled out.
    for (const track of stream.getVideoTracks()) track.addEventListener("ended", () => this.stop(), { once: true });
    this.#connect();
  }

  /** @param {string} [why] */
  stop(why = "") {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#again);
    const socket = this.#socket;
    this.#halt(() => socket?.close(1000));
    for (const track of this.stream.getTracks()) track.stop();
    this.tell("ended", why);
  }

  #connect() {
    this.tell("connecting", "");
    const socket = new WebSocket(this.path);
    this.#socket = socket;
    this.#said = "";
    socket.addEventListener("open", () => this.#record(socket));
    socket.addEventListener("message", ({ data }) => {
      const { detail, first_error } = JSON.parse(data);
      this.#said = detail ?? first_error ?? "";
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.#isOver) return;
      this.#halt();
      if (code >= REFUSED) return this.stop(this.#said);
      this.tell("lost", this.#said);
      this.#again = window.setTimeout(() => this.#connect(), waitBefore(this.#attempt));
      this.#attempt += 1;
    });
  }

  /** @param {WebSocket} socket */
  #record(socket) {
    const recorder = new MediaRecorder(this.stream, /** @type {MediaRecorderOptions} */ ({
      mimeType: formOf(this.stream.getAudioTracks().length > 0), videoBitsPerSecond: this.#rate, videoKeyFrameIntervalDuration: KEY_FRAMES,
    }));
    this.#recorder = recorder;
    let isTold = false;
    recorder.addEventListener("dataavailable", ({ data }) => {
      if (socket.readyState !== WebSocket.OPEN || data.size === 0) return;
      if (socket.bufferedAmount > WAITING_MAX) {
        this.#rate = Math.max(RATE_MIN, this.#rate / 2);
        socket.close(1000);
        return;
      }
      socket.send(data);
      // The last piece comes when it has ended already.
      if (isTold || recorder !== this.#recorder) return;
      isTold = true;
      this.#attempt = 0;
      this.tell("sending", "");
    });
    recorder.addEventListener("error", () => this.stop());
    recorder.start(FRAGMENT);
  }

  /** Ends the recording; what it still has in hand goes out before `then`. @param {() => void} [then] */
  #halt(then = () => {}) {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (!recorder || recorder.state === "inactive") return then();
    recorder.addEventListener("stop", then, { once: true });
    recorder.stop();
  }
}
