/** How far one has got: told to the server now and then, so that another device goes on from there. */
import { clock, readMoment } from "./moments.js";
import { t } from "./words.js";

/** While it plays, ms. */
const EVERY = 10_000;

/** @typedef {import("../media/player.js").MediaPlayer} Player */

/**
 * @param {{media: HTMLMediaElement, item: number, length: number}} player
 * @param {AbortSignal} signal
 */
export function keepPosition(player, signal) {
  const { media } = player;
  /** As it was told last, ms. */
  let told = -1;
  /** In any of its qualities: the browser forgets what was played when another one is loaded. */
  let hasPlayed = false;
  const isKnown = document.body.dataset.user !== undefined;

  const tell = (isLeaving = false) => {
    const position = Math.round(media.currentTime * 1000);
    // What was only looked at keeps the place where one really was; what is still loading stands at its beginning.
    if (!isKnown || position === told || !hasPlayed || media.readyState === HTMLMediaElement.HAVE_NOTHING) return;
    told = position;
    fetch(`/api/v1/media/${player.item}/position`, {
      method: "PUT", keepalive: isLeaving, headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ position, length: Math.round(player.length * 1000) }),
    }).catch(() => { told = -1; });
  };

  const timer = setInterval(() => { if (!media.paused) tell(); }, EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));
  media.addEventListener("playing", () => { hasPlayed = true; }, { signal });
  for (const fact of ["pause", "ended"]) media.addEventListener(fact, () => tell(), { signal });
  media.addEventListener("seeked", () => { if (media.paused) tell(); }, { signal });
  addEventListener("pagehide", () => tell(true), { signal });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") tell(true); }, { signal });
}

/**
 * Begins where the page's address says, or where one was; and follows links to other moments.
 * @param {Player} player
 * @param {AbortSignal} signal
 */
export function startAt(player, signal) {
  document.addEventListener("click", (event) => follow(player, event), { signal });
  const start = Number(player.dataset.start ?? 0);
  if (!(start > 0)) return;
  player.seek(start);
  if (player.dataset.remembered === undefined) return;
  const line = /** @type {HTMLElement} */ (player.querySelector(".player-says"));
  const again = document.createElement("button");
  Object.assign(again, { type: "button", className: "player-again", textContent: t("From the beginning") });
  again.addEventListener("click", () => {
    player.seek(0);
    line.hidden = true;
    player.querySelector("button")?.focus();
  });
  line.replaceChildren(t("Goes on at {time}.", { time: clock(start) }), " ", again);
  line.hidden = false;
}

/** A link to a moment of what stands here moves it there, one in a message too, which would open a page of its own. @param {Player} player @param {MouseEvent} event */
function follow(player, event) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.hasAttribute("download") || event.defaultPrevented) return;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const address = new URL(link.href);
  if (address.origin !== location.origin || address.pathname !== `/media/${player.item}`) return;
  const moment = readMoment(address.searchParams.get("t"));
  if (moment === null) return;
  event.preventDefault();
  player.seek(moment);
}
