/** Beside the list of members: bringing somebody in and taking somebody out, each after a question. */
import { ask } from "./deeds.js";
import { live } from "./live.js";
import { say } from "./say.js";
import { t } from "./words.js";

/**
 * @param {HTMLElement} body with the list
 * @param {number} room
 * @param {AbortSignal} signal
 */
export function keepBelonging(body, room, signal) {
  body.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".member-out") : null;
    if (button) remove(/** @type {HTMLElement} */ (button.closest(".member")), room);
  }, { signal });
  const form = /** @type {HTMLFormElement | null} */ (body.parentElement?.querySelector(".details-invite"));
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    bringIn(form, room);
  }, { signal });
  // Without this view there is nobody to answer.
  signal.addEventListener("abort", () => form?.querySelector(".member-sure")?.remove());
}

/** Offers to take somebody out where the viewer may: the template has the button then. @param {HTMLElement} row @param {boolean} isOwner */
export function equip(row, isOwner) {
  const button = row.querySelector(".member-out");
  if (!button) return;
  const words = t("Remove {name}", { name: nameOf(row) });
  button.setAttribute("aria-label", words);
  button.setAttribute("title", words);
  button.toggleAttribute("hidden", isOwner || Number(row.dataset.user) === live.user);
}

/** @param {HTMLElement} row */
const nameOf = (row) => row.querySelector(".member-name")?.textContent ?? "";

/** @param {HTMLElement} row @param {number} room */
function remove(row, room) {
  const name = nameOf(row);
  const button = /** @type {HTMLElement} */ (row.querySelector(".member-out"));
  question(row, t("Remove {name} from here?", { name }), t("Remove"), "button-danger", () => button.focus(), async () => {
    if (!(await ask("kick", { room, user: row.dataset.username ?? "" }))) return button.focus();
    say(t("{name} is out now.", { name }));
    document.getElementById("details-title")?.focus({ preventScroll: true });
  });
}

/** @param {HTMLFormElement} form @param {number} room */
function bringIn(form, room) {
  const box = /** @type {HTMLInputElement} */ (form.elements.namedItem("user"));
  const user = box.value.trim().replace(/^@/, "");
  if (!user) return box.focus();
  const words = form.dataset.tells ? t("Bring {name} in? Who comes in can read all that was said here before.", { name: user }) : t("Bring {name} in?", { name: user });
  question(form, words, t("Invite"), "", () => box.focus(), async () => {
    box.focus();
    if (!(await ask("invite", { room, user }))) return;
    box.value = "";
    say(t("{name} is in now.", { name: user }));
  });
}

/**
 * @param {HTMLElement} place
 * @param {string} words
 * @param {string} yes
 * @param {string} look of the button that does it
 * @param {() => void} refused
 * @param {() => void} agreed
 */
function question(place, words, yes, look, refused, agreed) {
  place.querySelector(".member-sure")?.remove();
  const box = document.createElement("div");
  box.className = "member-sure";
  const line = document.createElement("p");
  line.setAttribute("role", "alert");
  line.textContent = words;
  const answer = (/** @type {string} */ text, /** @type {string} */ className, /** @type {() => void} */ then) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, className: `button ${className}` });
    button.addEventListener("click", () => {
      box.remove();
      then();
    });
    return button;
  };
  const no = answer(t("Not now"), "button-quiet", refused);
  box.append(line, answer(yes, look, agreed), no);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    no.click();
  });
  place.append(box);
  box.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement} */ (box.querySelector("button")).focus({ preventScroll: true });
}
