/** The list of chapters beside the player: which one is heard is marked, in the list and in the bar. */

/**
 * @param {import("../media/player.js").MediaPlayer} player
 * @param {AbortSignal} signal
 */
export function followChapters(player, signal) {
  /** @type {HTMLAnchorElement[]} */
  const links = [...document.querySelectorAll(`.chapters a[data-start]`)].map((link) => /** @type {HTMLAnchorElement} */ (link));
  if (links.length === 0) return;
  const starts = links.map((link) => Number(link.dataset.start));
  player.bar?.mark(links.map((link, index) => ({ start: starts[index], title: link.querySelector(".chapter-title")?.textContent ?? "" })));
  let shown = -1;
  const show = () => {
    const now = starts.findLastIndex((start) => start <= player.currentTime + 0.05);
    if (now === shown) return;
    links[shown]?.removeAttribute("aria-current");
    links[now]?.setAttribute("aria-current", "true");
    shown = now;
    const list = links[now]?.closest("ol");
    // Only the list moves, never the page that somebody reads.
    if (list && list.scrollHeight > list.clientHeight) list.scrollTop = links[now].offsetTop - list.clientHeight / 3;
  };
  for (const fact of ["timeupdate", "seeked", "loadedmetadata"]) player.media.addEventListener(fact, show, { signal });
  show();
}
