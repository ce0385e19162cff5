/** Who of those that one talks with comes in: the server tells of people that are watched. */
import { live, on } from "./live.js";

/** The server watches at most this many for one person. */
const MOST = 100;
/** Going from page to page, everybody is away for a moment; who joins has been away for longer. In milliseconds. */
const REALLY_AWAY = 60_000;

/**
 * Watches those who wrote in `list`, and tells `joined` when one of them comes.
 * @param {HTMLElement} list of messages
 * @param {number} room
 * @param {AbortSignal} signal
 */
export function keepCompany(list, room, signal) {
  /** Since when somebody is away; nothing for who is here. @type {Map<number, number>} */
  const away = new Map();
  /** @type {Set<number>} */
  let watched = new Set();

  /** @param {{user: number, state: string}[]} users @param {boolean} isNews */
  const learn = (users, isNews) => {
    for (const { user, state } of users) {
      const since = away.get(user);
      if (state === "offline") away.set(user, since ?? (isNews ? Date.now() : 0));
      else away.delete(user);
      const hasCome = isNews && state !== "offline" && since !== undefined && Date.now() - since >= REALLY_AWAY;
      if (hasCome && watched.has(user)) live.dispatchEvent(new CustomEvent("joined", { detail: { id: room, user } }));
    }
  };
  const watch = async () => {
    const authors = [...list.querySelectorAll(":scope > .message")].map((article) => Number(/** @type {HTMLElement} */ (article).dataset.user));
    watched = new Set([...new Set(authors.reverse())].filter((user) => user !== live.user).slice(0, MOST));
    if (watched.size === 0) return;
    try {
      const reply = await live.socket.request("watch", { users: [...watched] });
      learn(reply.users ?? [], false);
    } catch {
      // The next `ready` asks again.
    }
  };
  on("ready", () => void watch(), signal);
  on("presence", (users) => learn(users, true), signal);
  on("message", (message) => {
    if (message.room !== room || message.user === live.user || watched.has(message.user)) return;
    // The list has it after the others have heard of it.
    queueMicrotask(() => void watch());
  }, signal);
  if (live.ready) void watch();
}
