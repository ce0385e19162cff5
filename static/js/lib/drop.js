/** Files that are dropped onto a part of the page. */

/**
 * @param {Element} ground
 * @param {AbortSignal} signal
 * @param {(files: File[]) => void} take
 */
export function takeDrops(ground, signal, take) {
  let depth = 0;
  const over = (/** @type {number} */ now) => {
    depth = Math.max(0, now);
    ground.classList.toggle("is-dropping", depth > 0);
  };
  const listen = (/** @type {string} */ name, /** @type {(event: DragEvent) => void} */ run) => {
    ground.addEventListener(name, (event) => {
      const drag = /** @type {DragEvent} */ (event);
      if (drag.dataTransfer?.types.includes("Files")) run(drag);
    }, { signal });
  };
  listen("dragenter", () => over(depth + 1));
  listen("dragleave", () => over(depth - 1));
  listen("dragover", (event) => event.preventDefault());
  listen("drop", (event) => {
    event.preventDefault();
    over(0);
    const items = [...(event.dataTransfer?.items ?? [])];
    // A folder looks like a file that can't be read.
    const files = items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile());
    take(files.filter((file) => file !== null));
  });
}
