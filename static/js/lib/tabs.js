/** The person's other tabs: what one of them learns, all of them know; what only one may do, one of them does. */

export class Tabs extends EventTarget {
  /** @type {BroadcastChannel | null} */ #channel = null;

  /** @param {number} user */
  constructor(user) {
    super();
    this.user = user;
    if (user && typeof BroadcastChannel === "function") {
      this.#channel = new BroadcastChannel(`hubbub:${user}`);
      this.#channel.addEventListener("message", (event) => this.dispatchEvent(new CustomEvent("told", { detail: event.data })));
    }
  }

  /** @param {{fact: string, [field: string]: any}} news */
  tell(news) {
    this.#channel?.postMessage(news);
  }

  /** Whether tabs can wait for each other. Plain http away from localhost has no locks. */
  get canWait() {
    return navigator.locks !== undefined;
  }

  /**
   * Runs while no other tab does; at once where there are no locks.
   * @param {string} what
   * @param {() => Promise<void>} run
   * @returns {Promise<void>}
   */
  async alone(what, run) {
    if (!this.canWait) return run();
    await navigator.locks.request(`hubbub:${this.user}:${what}`, run);
  }

  /**
   * Claims something that one tab is to do, for as long as the others may hesitate.
   * @param {string} what
   * @returns {Promise<boolean>} whether this tab is the first
   */
  claim(what) {
    if (!this.canWait) return Promise.resolve(true);
    return new Promise((resolve) => {
      void navigator.locks.request(`hubbub:${this.user}:${what}`, { ifAvailable: true }, async (lock) => {
        resolve(lock !== null);
        if (lock) await new Promise((done) => setTimeout(done, CLAIM_LASTS));
      });
    });
  }
}

/** Tabs hear of the same message within a second of each other. */
const CLAIM_LASTS = 2000;
