/** The part of a conversation that is before the eyes: how far from its end, and where it stands when it is short. */

/** This near to the end counts as the end; fractions of a pixel come from zooming. */
const NEAR_END = 48;

export class View {
  #lastTop = 0;

  /** @param {HTMLElement} pane that scrolls */
  constructor(pane) {
    this.pane = pane;
  }

  /** From here on a script puts what is short low in the pane; before, a margin does. */
  begin() {
    this.pane.classList.add("is-live");
    this.stand();
  }

  /** Low by a transform: with a margin, everything would be laid out anew when a message comes. */
  stand() {
    const last = /** @type {HTMLElement} */ (this.pane.lastElementChild);
    const end = last.offsetTop + last.offsetHeight;
    const room = this.pane.clientHeight - parseFloat(getComputedStyle(this.pane).paddingBottom);
    this.pane.style.setProperty("--low", `${Math.max(0, room - end)}px`);
  }

  toEnd() {
    this.pane.scrollTop = this.pane.scrollHeight;
    this.#lastTop = this.pane.scrollTop;
  }

  /**
   * Who stood at the end and hasn't scrolled up still stands there, though the end has moved: the pane became smaller in this instant.
   * @param {boolean} stood
   * @returns {boolean}
   */
  standsAtEnd(stood) {
    const top = this.pane.scrollTop;
    const hasStayed = stood && top >= this.#lastTop;
    this.#lastTop = top;
    return hasStayed || this.isNearEnd;
  }

  /** In pixels from the end. */
  get distance() {
    return this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight;
  }

  get isNearEnd() {
    return this.distance < NEAR_END;
  }
}
