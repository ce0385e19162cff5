/** The slider for the accent: the whole page shows the colour while it is being chosen. */

class AccountsHue extends HTMLElement {
  #left = new AbortController();
  #root = document.documentElement;

  connectedCallback() {
    const slider = /** @type {HTMLInputElement} */ (this.querySelector("input[type=range]"));
    const { signal } = this.#left;
    slider.addEventListener("input", () => this.#show(slider.value), { signal });
    // A browser that comes back to the page restores the slider, but not what it had changed.
    window.addEventListener("pageshow", () => { if (slider.value !== slider.defaultValue) this.#show(slider.value); }, { signal });
  }

  disconnectedCallback() {
    this.#left.abort();
    this.#root.style.removeProperty("--hue");
  }

  /** @param {string} hue degrees */
  #show(hue) {
    this.#root.style.setProperty("--hue", hue);
  }
}

customElements.define("accounts-hue", AccountsHue);
