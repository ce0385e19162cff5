/**
 * Sends what the outbox holds: in order within a room, one at a time, so that a refused one never overtakes (only what waits
 * for its files is overtaken, which may take minutes); by one tab at a
 * time where the browser lends locks, and else by all, which the nonce makes harmless.
 */
import { isCarried, isWaiting } from "./outbox.js";
import { t } from "./words.js";

/** @typedef {import("./outbox.js").Unsent} Unsent */
/** @typedef {import("./outbox.js").Receipt} Receipt */

/** Refusals that pass by themselves. */
const PASSING = new Set(["rate_limited", "busy", "unavailable"]);

/** @param {Unsent} entry */
const isReady = (entry) => isWaiting(entry) && isCarried(entry);

export class Sender {
  /** @type {Map<number, boolean>} rooms that are being sent to, and whether to look again afterwards */
  #busy = new Map();

  /**
   * @param {import("./outbox.js").Outbox} outbox
   * @param {(entry: Unsent) => Promise<Receipt>} send
   * @param {{settled: (entry: Unsent, reply: Receipt) => void, failed: (entry: Unsent) => void,
   *   gone: (entry: Unsent) => void, wait: (ms: number) => Promise<void>,
   *   alone?: (room: number, run: () => Promise<void>) => Promise<void>}} way
   */
  constructor(outbox, send, way) {
    this.outbox = outbox;
    this.send = send;
    this.way = way;
  }

  /** Sends everything that hasn't failed for good. */
  drain() {
    const rooms = this.outbox.all().filter(isReady).map((entry) => entry.room);
    for (const room of new Set(rooms)) void this.#drainRoom(room);
  }

  /** @param {number} room */
  async #drainRoom(room) {
    if (this.#busy.has(room)) {
      this.#busy.set(room, true);
      return;
    }
    const alone = this.way.alone ?? ((_, run) => run());
    do {
      this.#busy.set(room, false);
      await alone(room, () => this.#sendAll(room)).catch(() => {});
    } while (this.#busy.get(room));
    this.#busy.delete(room);
  }

  /** @param {number} room */
  async #sendAll(room) {
    for (;;) {
      const next = this.outbox.all().find((entry) => entry.room === room && isReady(entry));
      if (!next) return;
      // Another tab may have sent it while this one waited for its turn.
      if (!(await this.outbox.isKept(next.nonce))) {
        this.outbox.forget(next.nonce);
        // Its word of that may have come before this page could hear it.
        this.way.gone(next);
      } else if (!(await this.#sendOne(next))) return;
    }
  }

  /** @param {Unsent} entry @returns {Promise<boolean>} whether to go on with the next */
  async #sendOne(entry) {
    try {
      const reply = await this.send(entry);
      this.outbox.remove(entry.nonce);
      this.way.settled(entry, reply);
    } catch (error) {
      const refused = /** @type {{code?: string, message?: string, retryAfter?: number}} */ (error);
      if (refused.code === "offline") return false;
      if (PASSING.has(refused.code ?? "")) {
        await this.way.wait(refused.retryAfter ?? 1000);
      } else if (this.outbox.get(entry.nonce)) {
        const failed = { ...entry, error: refused.message ?? t("That did not work") };
        this.outbox.put(failed);
        this.way.failed(failed);
      }
    }
    return true;
  }
}
