/** Who of the shown people is here. The server tells of those that are watched, of a page's all together. */
import { live, on } from "./live.js";
import { t } from "./words.js";

/** @typedef {{user: number, state: string, text?: string}} Presence */

/** The server watches at most this many for one connection. */
export const MOST_WATCHED = 100;
/** @type {Set<Company>} */
const companies = new Set();
let isAsking = false;

/** Some people whose presence is shown. */
export class Company {
  /** @type {Set<number>} */ #users = new Set();

  /**
   * @param {(users: Presence[]) => void} learn
   * @param {AbortSignal} signal
   */
  constructor(learn, signal) {
    this.learn = learn;
    companies.add(this);
    on("ready", ask, signal);
    on("presence", (users) => this.#hear(users), signal);
    signal.addEventListener("abort", () => {
      companies.delete(this);
      ask();
    });
  }

  /** @param {number[]} users those that matter most first */
  watch(users) {
    const next = new Set(users);
    if (next.size === this.#users.size && users.every((user) => this.#users.has(user))) return;
    this.#users = next;
    ask();
  }

  /** Asks again: what is shown was read from elsewhere, and may be older than the last news. */
  refresh() {
    ask();
  }

  get users() {
    return [...this.#users];
  }

  /** @param {Presence[]} users */
  #hear(users) {
    const mine = users.filter(({ user }) => this.#users.has(user));
    if (mine.length > 0) this.learn(mine);
  }
}

/** Asks once for all that changed in this turn. */
function ask() {
  if (isAsking) return;
  isAsking = true;
  queueMicrotask(async () => {
    isAsking = false;
    // Without a connection nobody can be asked; its `ready` asks again.
    if (!live.ready || !live.socket.isOpen) return;
    const users = [...new Set([...companies].flatMap((company) => company.users))].slice(0, MOST_WATCHED);
    try {
      const reply = await live.socket.request("watch", { users });
      live.dispatchEvent(new CustomEvent("presence", { detail: reply.users ?? [] }));
    } catch {
      // What is shown stays, and the next `ready` asks again.
    }
  });
}

/** @param {string} state @returns {string} for the ear, and beside the mark */
export function stateInWords(state) {
  return { online: t("here now"), away: t("away"), dnd: t("busy") }[state] ?? t("not here");
}
