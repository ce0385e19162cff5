/** The part of a conversation that is before the eyes: how far from its end, and where it stands when it is short. */

/** This near to the end counts as the end; fractions of a pixel come from zooming. */
const NEAR_END = 48;

export class View {
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
  }

  /** In pixels from the end. */
  get distance() {
    return this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight;
  }

  get isNearEnd() {
    return this.distance < NEAR_END;
  }
}
