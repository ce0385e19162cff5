/**
 * The alarms of a stream that stand, above its picture, with a button for whoever takes one on.
 * @typedef {{id: number, rule: string, reading?: string, value?: string, at: number, over?: number, acknowledged?: {at: number, name?: string}}} Alarm
 */
import { ageInWords } from "./age.js";
import { labelOf } from "./readings.js";
import { t } from "./words.js";

export class Alarms {
  /** @type {Map<number, Alarm>} */ #standing = new Map();
  /** Who has which: what all viewers are sent names nobody. @type {Map<number, string>} */ #names = new Map();
  /** Those whose names were asked for. @type {Set<number>} */ #asked = new Set();

  /**
   * @param {HTMLElement} section `.alarms`
   * @param {AbortSignal} signal
   * @param {(words: string) => void} tell says something aloud
   */
  constructor(section, signal, tell) {
    this.section = section;
    this.list = /** @type {HTMLElement} */ (section.querySelector(".alarm-list"));
    this.signal = signal;
    this.tell = tell;
    this.name = /** @type {HTMLElement} */ (section.closest("[data-name]")).dataset.name ?? "";
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("alarm-template"));
    this.template = /** @type {Element} */ (template.content.firstElementChild);
    // Only who is signed in has a button.
    this.isSignedIn = this.template.querySelector("form") !== null;
    for (const item of this.#items()) {
      const id = Number(item.dataset.alarm);
      this.#standing.set(id, /** @type {any} */ ({}));
      if (item.dataset.by) this.#names.set(id, item.dataset.by);
    }
    section.addEventListener("submit", (event) => void this.#take(event), { signal });
  }

  /** @returns {NodeListOf<HTMLElement>} */
  #items() {
    return this.list.querySelectorAll(".alarm");
  }

  /** @param {Alarm[]} standing */
  show(standing) {
    const before = this.#standing;
    this.#standing = new Map(standing.map((alarm) => [alarm.id, alarm]));
    for (const item of this.#items()) {
      if (this.#standing.has(Number(item.dataset.alarm))) continue;
      // Whoever was about to press its button isn't sent to the top of the page.
      if (item.contains(document.activeElement)) /** @type {HTMLElement | null} */ (this.section.closest("[data-name]"))?.querySelector("button")?.focus();
      item.remove();
    }
    for (const alarm of standing) {
      this.#write(alarm);
      if (!before.has(alarm.id) && !alarm.over) this.tell(t("Alarm: {words}", { words: `${alarm.rule} ${alarm.value ?? ""}`.trim() }));
    }
    this.section.hidden = standing.length === 0;
    void this.#ask();
  }

  /** @param {Alarm} alarm */
  #write(alarm) {
    let item = /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-alarm="${alarm.id}"]`));
    if (!item) {
      item = /** @type {HTMLElement} */ (this.template.cloneNode(true));
      item.dataset.alarm = String(alarm.id);
      const number = /** @type {HTMLInputElement | null} */ (item.querySelector("input[name=alarm]"));
      if (number) number.value = String(alarm.id);
      this.list.append(item);
    }
    const { acknowledged, over } = alarm;
    const name = acknowledged?.name ?? this.#names.get(alarm.id);
    /** @param {string} selector @param {string} words */
    const say = (selector, words) => {
      const place = /** @type {HTMLElement} */ (item.querySelector(selector));
      if (place.textContent?.trim() !== words) place.textContent = words;
    };
    item.classList.toggle("is-over", over !== undefined);
    item.classList.toggle("is-taken", acknowledged !== undefined);
    say(".alarm-rule", alarm.rule);
    const value = /** @type {HTMLElement} */ (item.querySelector(".alarm-value"));
    value.firstChild?.replaceWith(alarm.reading ? `${labelOf(alarm.reading)} ` : "");
    say(".alarm-value strong", alarm.value ?? "");
    const open = over === undefined ? "" : t("over, not yet acknowledged");
    say(".alarm-state", acknowledged ? (name ? t("Acknowledged by {name}", { name }) : t("Acknowledged")) : open);
    const time = /** @type {HTMLTimeElement} */ (item.querySelector("time"));
    time.dateTime = new Date(alarm.at).toISOString();
    time.title = new Date(alarm.at).toLocaleString();
    const form = item.querySelector("form");
    if (acknowledged && form?.contains(document.activeElement)) {
      // Whoever has pressed the button stays at what it was for.
      item.tabIndex = -1;
      item.focus();
    }
    form?.toggleAttribute("hidden", acknowledged !== undefined);
  }

  /** How long ago each was raised. @param {number} now the server's clock, ms */
  age(now) {
    for (const time of this.list.querySelectorAll("time")) {
      const words = ageInWords(Math.max(0, now - Date.parse(time.dateTime)));
      if (time.textContent !== words) time.textContent = words;
    }
  }

  /** Asks who has those that somebody has. */
  async #ask() {
    const unknown = [...this.#standing.values()].filter(({ id, acknowledged }) => acknowledged && !acknowledged.name && !this.#names.has(id) && !this.#asked.has(id));
    if (unknown.length === 0 || !this.isSignedIn) return;
    for (const { id } of unknown) this.#asked.add(id);
    const answer = await fetch(`/api/v1/live/${this.name}/alarms`, { signal: this.signal }).catch(() => null);
    if (!answer?.ok) return;
    for (const { id, acknowledged } of (await answer.json()).alarms) if (acknowledged?.name) this.#names.set(id, acknowledged.name);
    for (const { id } of unknown) {
      const alarm = this.#standing.get(id);
      if (alarm) this.#write(alarm);
    }
  }

  /** @param {SubmitEvent} event */
  async #take(event) {
    event.preventDefault();
    const item = /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (event.target).closest(".alarm"));
    const button = /** @type {HTMLButtonElement} */ (item.querySelector("button"));
    const state = /** @type {HTMLElement} */ (item.querySelector(".alarm-state"));
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      const answer = await fetch(`/api/v1/live/${this.name}/alarms/${item.dataset.alarm}/acknowledge`, { method: "POST", signal: this.signal });
      const alarm = await answer.json();
      if (!answer.ok) throw new Error(alarm.detail);
      this.#names.set(alarm.id, alarm.acknowledged.name);
      if (this.#standing.has(alarm.id)) {
        this.#standing.set(alarm.id, alarm);
        this.#write(alarm);
      }
      this.tell(t("Acknowledged"));
    } catch (error) {
      state.textContent = error instanceof TypeError || !(error instanceof Error) ? t("Not connected") : error.message;
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }
}
