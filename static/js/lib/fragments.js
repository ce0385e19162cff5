/**
 * Plays a live stream's fragments as they come, by Media Source Extensions, near the newest.
 *
 * Times are seconds. A sender that begins anew, or one whose fragments were left out since this viewer was slow, goes on in
 * the same player: what is missing is jumped over.
 */

/** More in hand than a fragment, for those that come late; it grows with every halt. */
const MARGIN = 0.3;
const MARGIN_MAX = 2;
/** Further behind than this isn't caught up with by playing faster. */
const BEHIND_MAX = 1;
const FASTER = 1.08;
/** Kept behind the moment that is shown. */
const KEPT = 30;
/** Somebody who pauses for longer goes on with the newest. */
const PAUSED_MAX = 120;

/** @typedef {{mime: string, bytes: ArrayBuffer}} Init */
/** @typedef {{key: boolean, start: number, bytes: ArrayBuffer}} Fragment */

export class LiveVideo {
  /** @type {(Init | Fragment)[]} */ #queue = [];
  /** @type {MediaSource | null} */ #source = null;
  /** @type {SourceBuffer | null} */ #buffer = null;
  /** What the newest fragments need. @type {Init | null} */ #init = null;
  /** The next fragment has to begin with a key frame, and goes on where the last one ended. */
  #isFresh = true;
  #margin = MARGIN;
  /** How long a fragment is. */
  #length = 0;
  #end = 0;
  #isFollowing = true;

  /**
   * @param {HTMLVideoElement} video
   * @param {(mime: string) => void} refuse called where the browser doesn't play this
   * @param {AbortSignal} signal
   */
  constructor(video, refuse, signal) {
    this.video = video;
    this.refuse = refuse;
    video.addEventListener("waiting", () => this.#halted(), { signal });
    video.addEventListener("error", () => this.#open(), { signal });
    signal.addEventListener("abort", () => this.#close());
  }

  /** A sender begins, or begins anew. @param {Init} init */
  begin(init) {
    if (!globalThis.MediaSource?.isTypeSupported(init.mime)) {
      this.refuse(init.mime);
      return;
    }
    if (!this.#source) {
      this.#init = init;
      this.#open();
    } else {
      this.#queue.push(init);
      this.#work();
    }
  }

  /** @param {Fragment} fragment */
  add(fragment) {
    if (!this.#source) return;
    this.#queue.push(fragment);
    this.#work();
  }

  /** Stands still until {@link follow}. */
  pause() {
    this.#isFollowing = false;
    this.video.pause();
  }

  /** Shows the newest. */
  follow() {
    this.#isFollowing = true;
    const at = this.#newest;
    if (at !== null) this.video.currentTime = at;
    this.#play();
  }

  /** Where one is who shows the newest and still has some in hand. */
  get #newest() {
    const { buffered } = this.video;
    if (!buffered.length) return null;
    const last = buffered.length - 1;
    return Math.max(buffered.start(last), buffered.end(last) - this.#length - this.#margin);
  }

  #open() {
    this.#close();
    const init = this.#init;
    if (!init) return;
    const source = new MediaSource();
    this.#source = source;
    this.video.src = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(this.video.src);
      if (source !== this.#source) return;
      this.#buffer = source.addSourceBuffer(init.mime);
      this.#buffer.addEventListener("updateend", () => {
        this.#steer();
        this.#work();
      });
      this.#queue.unshift(init);
      this.#work();
    }, { once: true });
  }

  #close() {
    this.#source = null;
    this.#buffer = null;
    this.#isFresh = true;
    this.#end = 0;
    // What was to come in before is of no use without what was there.
    this.#queue = [];
  }

  #work() {
    const buffer = this.#buffer;
    while (buffer && !buffer.updating && this.#source?.readyState === "open" && this.#queue.length) {
      const [next] = this.#queue;
      try {
        if ("mime" in next) this.#begin(buffer, next);
        else this.#append(buffer, next);
        this.#queue.shift();
      } catch (error) {
        if (/** @type {Error} */ (error).name !== "QuotaExceededError") return this.#open();
        // It goes in as soon as there is room.
        return buffer.remove(0, Math.max(0.1, this.video.currentTime - 2));
      }
    }
  }

  /** @param {SourceBuffer} buffer @param {Init} init */
  #begin(buffer, init) {
    if (this.#init && this.#init.mime !== init.mime) buffer.changeType(init.mime);
    this.#init = init;
    this.#isFresh = true;
    buffer.appendBuffer(init.bytes);
  }

  /** @param {SourceBuffer} buffer @param {Fragment} fragment */
  #append(buffer, fragment) {
    if (this.#isFresh) {
      if (!fragment.key) return;
      const { buffered } = buffer;
      buffer.timestampOffset = (buffered.length ? buffered.end(buffered.length - 1) : 0) - fragment.start;
      this.#isFresh = false;
    }
    buffer.appendBuffer(fragment.bytes);
  }

  /** After each piece: stays near the newest, jumps over what is missing, gives up what is long past. */
  #steer() {
    const { video } = this;
    const { buffered } = video;
    if (!buffered.length) return;
    const end = buffered.end(buffered.length - 1);
    if (end > this.#end && this.#end > 0) this.#length = Math.min(5, Math.max(end - this.#end, this.#length * 0.9));
    this.#end = end;
    const behind = end - video.currentTime;
    if (!this.#isFollowing) {
      if (behind > PAUSED_MAX) this.#forget(end - PAUSED_MAX);
      return;
    }
    const wanted = this.#length + this.#margin;
    if (video.currentTime < buffered.start(0) || behind > wanted + BEHIND_MAX || this.#isBeforeGap) {
      video.currentTime = /** @type {number} */ (this.#newest);
      video.playbackRate = 1;
    } else if (behind > wanted + 0.3) video.playbackRate = FASTER;
    else if (behind <= wanted) video.playbackRate = 1;
    if (video.paused) this.#play();
    if (video.currentTime > 2 * KEPT) this.#forget(video.currentTime - KEPT);
  }

  /** Nothing comes after this moment, and something after that. */
  get #isBeforeGap() {
    const { buffered, currentTime } = this.video;
    for (let n = 0; n < buffered.length - 1; n += 1) {
      if (currentTime <= buffered.end(n) && currentTime > buffered.end(n) - 0.15) return true;
    }
    return false;
  }

  /** @param {number} until */
  #forget(until) {
    const buffer = this.#buffer;
    if (buffer && !buffer.updating && buffer.buffered.length && buffer.buffered.start(0) < until - KEPT) buffer.remove(0, until);
  }

  #halted() {
    if (this.#isFollowing && this.#end > 0) this.#margin = Math.min(MARGIN_MAX, this.#margin + 0.2);
  }

  #play() {
    // Without sound it may always; where it may not even then, the browser's own button is there.
    this.video.play().catch(() => {});
  }
}
