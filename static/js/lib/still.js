/**
 * A still picture of a stream's video now and then, made here of the first frame of its newest piece: no more is fetched than
 * that needs, and nothing while nobody can see it.
 */

/** @typedef {{mime: string, init: string, segment: string}} Piece */

/** Between two pictures, ms. */
const PAUSE = 5000;
/** How long one may take, ms. */
const PATIENCE = 15_000;

export class Still {
  #shown = "";
  #at = -PAUSE;
  #busy = false;
  #seen = false;

  /** @param {HTMLElement} screen that the picture is put into */
  constructor(screen) {
    this.screen = screen;
    const sight = new IntersectionObserver((entries) => { this.#seen = entries.at(-1)?.isIntersecting ?? false; });
    sight.observe(screen);
  }

  /** @param {Piece} piece the newest */
  async show(piece) {
    const now = performance.now();
    if (this.#busy || piece.segment === this.#shown || now - this.#at < PAUSE) return;
    if (!this.#seen && this.#shown) return;
    if (!globalThis.MediaSource?.isTypeSupported(piece.mime)) return;
    this.#busy = true;
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), PATIENCE);
    try {
      this.#put(await firstFrame(piece, ending.signal));
      this.#shown = piece.segment;
    } catch {
      // The last one stays; the next piece is tried again.
    } finally {
      clearTimeout(timer);
      ending.abort();
      this.#at = now;
      this.#busy = false;
    }
  }

  /** @param {HTMLVideoElement} video at its first frame */
  #put(video) {
    const canvas = this.screen.querySelector("canvas") ?? document.createElement("canvas");
    // As large as a tile is on a fine screen; drawn smaller it is sharp.
    const scale = Math.min(1, 640 / video.videoWidth);
    Object.assign(canvas, { className: "tile-picture", width: video.videoWidth * scale, height: video.videoHeight * scale });
    canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
    if (!canvas.isConnected) this.screen.append(canvas);
  }
}

/** @param {Piece} piece @param {AbortSignal} signal ends the fetching, and lets go of what was fetched @returns {Promise<HTMLVideoElement>} */
async function firstFrame({ mime, init, segment }, signal) {
  const video = document.createElement("video");
  video.muted = true;
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  signal.addEventListener("abort", () => {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load();
  });
  await once(source, "sourceopen", signal);
  const buffer = source.addSourceBuffer(mime);
  // Wherever its own clock stands, it begins here at 0.
  buffer.mode = "sequence";
  let isThere = false;
  const there = once(video, "loadeddata", signal).then(() => { isThere = true; });
  // Awaited below, where nothing ends it before.
  there.catch(() => {});
  for (const address of [init, segment]) {
    const answer = await fetch(address, { signal });
    if (!answer.ok || !answer.body) throw new Error(`${address}: ${answer.status}`);
    const reader = answer.body.getReader();
    for (let { done, value } = await reader.read(); !done && value && !isThere; { done, value } = await reader.read()) {
      buffer.appendBuffer(/** @type {BufferSource} */ (value));
      await once(buffer, "updateend", signal);
    }
    if (isThere) void reader.cancel();
  }
  if (!isThere) source.endOfStream();
  await there;
  return video;
}

/** @param {EventTarget} target @param {string} event @param {AbortSignal} signal @returns {Promise<void>} */
function once(target, event, signal) {
  return new Promise((good, bad) => {
    target.addEventListener(event, () => good(), { once: true, signal });
    signal.addEventListener("abort", () => bad(signal.reason), { once: true });
  });
}
