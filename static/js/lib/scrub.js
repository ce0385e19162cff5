/** A small picture of the moment under the pointer, from the tiles that the server made. */

/**
 * @param {import("../media/player.js").MediaPlayer} player
 */
export function previewMoments(player) {
  const scene = /** @type {HTMLElement | null} */ (player.querySelector(".seek-scene"));
  const { bar } = player;
  if (!scene || !bar) return;
  const [width, height, columns, tiles, interval] = ["width", "height", "columns", "tiles", "interval"].map((name) => Number(scene.dataset[name]));
  bar.onhover = (seconds) => {
    scene.hidden = seconds === null;
    if (seconds === null) return;
    // Brought by the first hand that asks for it.
    if (!scene.style.backgroundImage) {
      scene.style.backgroundImage = `url("${scene.dataset.src}")`;
      scene.style.inlineSize = `${width}px`;
      scene.style.blockSize = `${height}px`;
    }
    const tile = Math.min(tiles - 1, Math.max(0, Math.floor((seconds * 1000) / interval)));
    scene.style.backgroundPosition = `${-(tile % columns) * width}px ${-Math.floor(tile / columns) * height}px`;
    const lane = bar.root.clientWidth;
    const middle = (seconds / (player.length || 1)) * lane;
    scene.style.insetInlineStart = `${Math.min(lane - width, Math.max(0, middle - width / 2))}px`;
  };
}
