/**
 * The views that can stand beside a conversation. A new one is a line in `VIEWS` and a module that says `title()` and `show(place)`;
 * whoever wants it calls `openDetails` of `details.js`.
 *
 * @typedef {{body: HTMLElement, room: number, argument: string, signal: AbortSignal}} Place
 *   `body` holds what the server rendered, if it did; `signal` ends when the view is left.
 * @typedef {{title: (argument: string) => string, show: (place: Place) => void | Promise<void>}} View
 */

/** @type {Record<string, () => Promise<View>>} */
export const VIEWS = {
  members: () => import("./members.js"),
  thread: () => import("./thread.js"),
  pins: () => import("./pins.js"),
};

/**
 * @param {string | null} words as in the address: the view's name, and its argument after a dot
 * @returns {{view: string, argument: string} | null} nothing for a view that doesn't exist
 */
export function readDetails(words) {
  const [view, ...rest] = (words ?? "").split(".");
  return Object.hasOwn(VIEWS, view) ? { view, argument: rest.join(".") } : null;
}
