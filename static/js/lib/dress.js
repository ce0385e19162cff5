/** What the server's HTML of a message gets in the page: who is meant, where links go, a button on code. */
import { copy, say } from "./say.js";
import { t } from "./words.js";

/** How long a button says that it has done its work. */
const THANKS = 1500;

const me = typeof document === "undefined" ? "" : (document.body.dataset.username ?? "").normalize("NFKC").toLowerCase();

/** Code and tables that are wider than the page scroll, by keyboard too. */
const widths = typeof ResizeObserver === "undefined" ? null : new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});

/** @param {Element} words a message's text, as the server rendered it */
export function dress(words) {
  for (const chip of words.querySelectorAll(".hb-mention")) {
    chip.classList.toggle("is-mine", chip.classList.contains("hb-all") || /** @type {HTMLElement} */ (chip).dataset.name === me);
  }
  for (const link of words.querySelectorAll("a[href]")) {
    // What leads around in this place needs no window of its own.
    if (/** @type {HTMLAnchorElement} */ (link).origin === location.origin) link.removeAttribute("target");
  }
  for (const table of words.querySelectorAll("table")) widths?.observe(table);
  for (const pre of words.querySelectorAll("pre:not(.code > pre)")) wrap(/** @type {HTMLElement} */ (pre));
}

/** @param {HTMLElement} pre */
function wrap(pre) {
  const frame = document.createElement("div");
  frame.className = "code";
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "code-copy", textContent: t("Copy") });
  button.setAttribute("aria-label", t("Copy the code"));
  button.addEventListener("click", () => void copyCode(pre, button));
  pre.replaceWith(frame);
  frame.append(pre, button);
  widths?.observe(pre);
}

/** @param {HTMLElement} pre @param {HTMLButtonElement} button */
async function copyCode(pre, button) {
  const done = await copy(pre.textContent ?? "");
  const words = done ? t("Copied") : t("Your browser did not let it be copied.");
  button.textContent = words;
  say(words);
  setTimeout(() => { button.textContent = t("Copy"); }, THANKS);
}
