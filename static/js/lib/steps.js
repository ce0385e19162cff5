/** From room to room by keyboard, in the order of the rail. */

/**
 * The place to go to from the one where one is; round at the ends.
 * @param {{isHere: boolean, isUnread: boolean}[]} places
 * @param {1 | -1} way
 * @param {boolean} onlyUnread
 * @returns {number} its index, or -1
 */
export function stepFrom(places, way, onlyUnread) {
  const here = places.findIndex(({ isHere }) => isHere);
  const from = here < 0 ? (way > 0 ? -1 : places.length) : here;
  for (let i = 1; i <= places.length; i++) {
    const next = (((from + way * i) % places.length) + places.length) % places.length;
    if (next !== here && (!onlyUnread || places[next].isUnread)) return next;
  }
  return -1;
}

/**
 * @param {ParentNode} root
 * @param {1 | -1} way
 * @param {boolean} onlyUnread
 * @returns {boolean} whether there is such a room
 */
export function step(root, way, onlyUnread) {
  const links = /** @type {HTMLAnchorElement[]} */ ([...root.querySelectorAll("a[data-rail], a[data-rail-room]")]);
  const places = links.map((link) => ({
    isHere: link.getAttribute("aria-current") === "page",
    isUnread: link.classList.contains("is-unread"),
  }));
  const to = stepFrom(places, way, onlyUnread);
  if (to < 0) return false;
  links[to].click();
  return true;
}
