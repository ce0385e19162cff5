/** A field for user names that proposes people by what is typed. Without a script it is a field. */
import { makeOption } from "../lib/option.js";
import { t } from "../lib/words.js";

/** Letters come quicker than this while somebody types a name. In milliseconds. */
const TYPING = 120;
const MOST = 6;

class PeopleField extends HTMLElement {
  box = /** @type {HTMLInputElement} */ (this.querySelector("input"));
  list = document.createElement("ul");
  /** @type {{username: string, display_name: string}[]} */ #found = [];
  #chosen = 0;
  /** @type {any} */ #timer = null;

  connectedCallback() {
    this.list.id = `${this.box.id}-list`;
    this.list.className = "people-list";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", t("People"));
    const says = { role: "combobox", "aria-expanded": "false", "aria-controls": this.list.id, "aria-autocomplete": "list" };
    for (const [name, value] of Object.entries(says)) this.box.setAttribute(name, value);
    this.append(this.list);
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => this.#show([]));
    // A press would take the focus, and with it the list, before it is a click.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  /** The name at the end, which is being typed. */
  get #typing() {
    const typed = this.hasAttribute("data-many") ? (this.box.value.split(/[\s,;，、]/).pop() ?? "") : this.box.value.trim();
    return typed.replace(/^@/, "");
  }

  #typed() {
    clearTimeout(this.#timer);
    if (!this.#typing) return this.#show([]);
    this.#timer = setTimeout(() => void this.#ask(this.#typing), TYPING);
  }

  /** @param {string} query */
  async #ask(query) {
    try {
      const answer = await fetch(`/api/v1/users?query=${encodeURIComponent(query)}&limit=${MOST}`);
      const { users = [] } = answer.ok ? await answer.json() : {};
      if (query === this.#typing && document.activeElement === this.box) this.#show(users);
    } catch {
      // Offline: what is typed is a user name all the same.
    }
  }

  /** @param {{username: string, display_name: string}[]} found */
  #show(found) {
    this.#found = found;
    this.list.replaceChildren(...found.map((user, index) => makeOption(`${this.list.id}-${index}`, user.display_name, user.username)));
    this.list.hidden = found.length === 0;
    this.box.setAttribute("aria-expanded", String(found.length > 0));
    this.#choose(0);
  }

  /** @param {number} index */
  #choose(index) {
    this.#chosen = index;
    this.box.removeAttribute("aria-activedescendant");
    [...this.list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) this.box.setAttribute("aria-activedescendant", option.id);
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const count = this.#found.length;
    if (count === 0 || event.isComposing || event.keyCode === 229) return;
    if (event.key === "ArrowDown") this.#choose((this.#chosen + 1) % count);
    else if (event.key === "ArrowUp") this.#choose((this.#chosen + count - 1) % count);
    else if (event.key === "Enter") this.#take(this.#chosen);
    else if (event.key === "Escape") this.#show([]);
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  #take(index) {
    const user = this.#found[index];
    if (!user) return;
    const many = this.hasAttribute("data-many");
    const before = many ? this.box.value.slice(0, this.box.value.length - this.#typing.length).replace(/@$/, "") : "";
    this.box.value = before + user.username + (many ? ", " : "");
    this.#show([]);
    this.box.focus();
  }
}

customElements.define("people-field", PeopleField);
