/** How loud the tones are, and whether there are any. */
import { sound } from "../lib/sound.js";
import { t } from "../lib/words.js";

/** Apart, since most people never wish for them; listening from the start, for those who did. */
const noticing = import("../lib/notices.js").then(({ notices }) => {
  notices.start();
  return notices;
});

class SiteVolume extends HTMLElement {
  box = document.createElement("input");
  slider = document.createElement("input");
  notices = document.createElement("input");
  why = document.createElement("p");

  connectedCallback() {
    this.popover = "auto";
    this.className = "volume";
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", t("Sounds"));
    this.box.type = "checkbox";
    this.box.addEventListener("change", () => void this.#turned());
    Object.assign(this.slider, { type: "range", min: "0", max: "100", step: "5" });
    this.slider.addEventListener("input", () => sound.setVolume(Number(this.slider.value) / 100));
    this.slider.addEventListener("change", () => sound.play("received"));
    this.notices.type = "checkbox";
    this.notices.addEventListener("change", () => void this.#wished());
    this.why.className = "fine";
    this.why.setAttribute("role", "status");
    this.append(labelled(this.box, t("Sounds")), labelled(this.slider, t("Volume")), labelled(this.notices, t("Notify me when I look elsewhere")), this.why);
  }

  /** @param {HTMLElement} button */
  toggle(button) {
    if (this.matches(":popover-open")) return this.hidePopover();
    this.box.checked = sound.isOn;
    this.slider.value = String(Math.round(sound.volume * 100));
    this.slider.disabled = !sound.isOn;
    void noticing.then((notices) => {
      this.notices.checked = notices.isOn;
      this.notices.disabled = !notices.canBe;
      this.why.textContent = notices.canBe ? "" : t("Notifications need a safe connection (https).");
    });
    const place = button.getBoundingClientRect();
    this.style.insetBlockStart = `${place.bottom + 4}px`;
    this.style.insetInlineEnd = `${Math.max(8, document.documentElement.clientWidth - place.right)}px`;
    this.showPopover();
    this.box.focus();
  }

  async #wished() {
    const wanted = this.notices.checked;
    const isOn = await (await noticing).turn(wanted);
    this.notices.checked = isOn;
    this.why.textContent = wanted && !isOn ? t("Your browser does not allow it. Allow notifications for this site in its settings.") : "";
  }

  async #turned() {
    this.slider.disabled = !this.box.checked;
    this.dispatchEvent(new Event("turned", { bubbles: true }));
    const kept = await sound.turn(this.box.checked);
    if (!kept) this.title = t("This holds for this page. Your choice could not be saved.");
    sound.play("received");
  }
}

/** @param {HTMLInputElement} field @param {string} words */
function labelled(field, words) {
  const label = document.createElement("label");
  label.append(field, " ", words);
  return label;
}

customElements.define("site-volume", SiteVolume);
