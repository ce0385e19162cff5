/** A page that waits for what happens on another device: asks how far it is, and goes on when something has changed. */

const PAUSE = 1500;

class AccountsWaiting extends HTMLElement {
  #left = new AbortController();

  connectedCallback() {
    const stage = this.dataset.stage;
    if (stage !== "asked" && stage !== "over") void this.#watch(stage ?? "");
  }

  /** @param {string} stage */
  async #watch(stage) {
    const { signal } = this.#left;
    while (!signal.aborted) {
      await new Promise((resolve) => { setTimeout(resolve, PAUSE); });
      try {
        const answer = await fetch(location.href, { signal });
        if (answer.redirected) return location.replace(answer.url);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.querySelector("accounts-waiting");
        // Another stage, or a page that says why there is none any more.
        if (!(now instanceof HTMLElement) || now.dataset.stage !== stage) return location.reload();
      } catch {
        // Offline for a moment: the next look may get through.
      }
    }
  }

  disconnectedCallback() {
    this.#left.abort();
  }
}

customElements.define("accounts-waiting", AccountsWaiting);
