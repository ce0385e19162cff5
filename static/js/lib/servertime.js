/** The server's clock as far as it can be known from here: of several questions the quickest answer tells it best. */

/** Answers that are kept; a clock drifts by less in the time that they take. */
const KEPT = 8;

/** This machine's clock, ms since 1970, without the jumps of one that is set. */
export const clockHere = () => performance.timeOrigin + performance.now();

export class ServerTime {
  /** @type {{took: number, offset: number}[]} newest last */
  #answers = [];

  /** @param {() => Promise<number>} ask for the server's clock, ms */
  constructor(ask) {
    this.ask = ask;
  }

  /** The server's clock now, ms. */
  get now() {
    const best = this.#answers.reduce((one, other) => (other.took < one.took ? other : one), { took: Infinity, offset: 0 });
    return clockHere() + best.offset;
  }

  /** Asks some times, one after the other. @param {number} times */
  async measure(times) {
    for (let n = 0; n < times; n += 1) {
      const asked = clockHere();
      const there = await this.ask();
      this.note(asked, there, clockHere());
    }
  }

  /**
   * One answer: when it was asked for, what it said, when it came. The answer was given half-way, as far as anybody knows.
   * @param {number} asked
   * @param {number} there
   * @param {number} came
   */
  note(asked, there, came) {
    this.#answers.push({ took: came - asked, offset: there - (asked + came) / 2 });
    if (this.#answers.length > KEPT) this.#answers.shift();
  }
}
