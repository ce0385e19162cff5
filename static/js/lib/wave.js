/** The wave form of a recording, drawn from its peaks; what has been heard is in the stronger colour, and a press goes there. */

/**
 * @param {import("../media/player.js").MediaPlayer} player
 * @param {AbortSignal} signal
 */
export async function drawWave(player, signal) {
  const sleeve = /** @type {HTMLElement | null} */ (player.querySelector("[data-wave]"));
  if (!sleeve) return;
  const answer = await fetch(sleeve.dataset.wave ?? "", { signal }).catch(() => null);
  if (!answer?.ok) return;
  /** @type {number[]} */
  const peaks = (await answer.json().catch(() => ({ peaks: [] }))).peaks;
  if (!Array.isArray(peaks) || peaks.length === 0) return;
  const canvas = document.createElement("canvas");
  canvas.className = "wave";
  canvas.setAttribute("aria-hidden", "true");
  sleeve.replaceChildren(canvas);
  const draw = () => paint(canvas, peaks, player.length > 0 ? player.currentTime / player.length : 0);
  const size = new ResizeObserver(draw);
  size.observe(canvas);
  signal.addEventListener("abort", () => size.disconnect());
  for (const fact of ["timeupdate", "seeked", "durationchange"]) player.media.addEventListener(fact, draw, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  canvas.addEventListener("click", (event) => {
    const place = canvas.getBoundingClientRect();
    player.seek(((event.clientX - place.left) / place.width) * player.length);
  }, { signal });
  draw();
}

/** @param {HTMLCanvasElement} canvas @param {number[]} peaks 0 to 255 @param {number} share that has been heard */
function paint(canvas, peaks, share) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  if (width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = getComputedStyle(canvas).color;
  // A stroke of two pixels and as much between, each the loudest of its stretch.
  const step = 4 * scale;
  const count = Math.max(1, Math.floor(width / step));
  const loudest = Math.max(1, ...peaks);
  for (let index = 0; index < count; index += 1) {
    const from = Math.floor((index * peaks.length) / count);
    const until = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / count));
    const tall = Math.max(2 * scale, (Math.max(...peaks.slice(from, until)) / loudest) * height * 0.9);
    pen.globalAlpha = index / count <= share ? 1 : 0.35;
    pen.fillRect(index * step, (height - tall) / 2, step / 2, tall);
  }
}
