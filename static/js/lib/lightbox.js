/** Pictures one by one, as large as the window: arrow keys, a swipe, Escape. The dialog keeps the focus and gives it back. */
import { icon } from "./icon.js";
import { t } from "./words.js";

/** Pixels that a finger moves until it means the next one. */
const SWIPE = 50;

/** @type {{dialog: HTMLDialogElement, picture: HTMLImageElement, says: HTMLElement, save: HTMLAnchorElement, turn: HTMLButtonElement[]} | null} */
let box = null;
/** @type {HTMLAnchorElement[]} */
let links = [];
let at = 0;

/**
 * @param {HTMLElement} root all of whose pictures are gone through
 * @param {HTMLAnchorElement} link the first one
 */
export function open(root, link) {
  box ??= make();
  links = [...root.querySelectorAll(".picture a")].filter((one) => one instanceof HTMLAnchorElement);
  show(links.indexOf(link));
  box.dialog.showModal();
}

/** @param {number} index */
function show(index) {
  const link = links[index];
  if (!box || !link) return;
  at = index;
  const small = /** @type {HTMLImageElement} */ (link.querySelector("img"));
  const { picture, says, save, turn } = box;
  [picture.width, picture.height, picture.alt] = [small.width, small.height, small.alt];
  picture.setAttribute("width", small.getAttribute("width") ?? "");
  picture.setAttribute("height", small.getAttribute("height") ?? "");
  // The small one is there at once, in the same place; the large one follows.
  picture.src = small.currentSrc || small.src;
  const large = new Image();
  large.onload = () => { if (links[at] === link) picture.src = large.src; };
  large.src = link.href;
  const number = links.length > 1 ? t("{index} of {count}", { index: index + 1, count: links.length }) : "";
  says.replaceChildren(small.alt, ...(number ? [span(number)] : []));
  save.href = link.href.startsWith("blob:") ? link.href : `${link.href}?download`;
  save.download = decodeURIComponent(link.pathname.split("/").pop() ?? "");
  turn[0].hidden = index === 0;
  turn[1].hidden = index === links.length - 1;
}

/** @param {string} words */
function span(words) {
  const made = document.createElement("span");
  made.textContent = words;
  return made;
}

function make() {
  const dialog = document.createElement("dialog");
  const picture = new Image();
  const says = document.createElement("p");
  const save = document.createElement("a");
  dialog.className = "lightbox";
  dialog.setAttribute("aria-label", t("Picture"));
  says.className = "lightbox-says";
  says.setAttribute("role", "status");
  save.className = "tool";
  save.setAttribute("aria-label", t("Download"));
  save.title = t("Download");
  save.append(icon("download"));
  const turn = [tool("back", t("Previous picture"), () => step(-1)), tool("forward", t("Next picture"), () => step(1))];
  const close = tool("close", t("Close"), () => dialog.close());
  const bar = document.createElement("div");
  bar.className = "lightbox-bar";
  bar.append(says, save, close);
  turn[0].classList.add("lightbox-back");
  turn[1].classList.add("lightbox-forward");
  dialog.append(bar, picture, ...turn);
  listen(dialog, picture);
  document.body.append(dialog);
  return { dialog, picture, says, save, turn };
}

/** @param {HTMLDialogElement} dialog @param {HTMLImageElement} picture */
function listen(dialog, picture) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // A press beside the picture closes it.
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { picture.removeAttribute("src"); links[at]?.focus(); });
  let from = 0;
  dialog.addEventListener("touchstart", (event) => { from = event.touches.length === 1 ? event.touches[0].clientX : NaN; }, { passive: true });
  dialog.addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - from;
    // Under a pinch, a finger moves to look closer.
    if (Math.abs(moved) > SWIPE && (visualViewport?.scale ?? 1) === 1) step(moved > 0 ? -1 : 1);
  }, { passive: true });
}

/** @param {1 | -1} way */
function step(way) {
  if (links[at + way]) show(at + way);
}

/** @param {string} name @param {string} words @param {() => void} run */
function tool(name, words, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "tool";
  made.title = words;
  made.setAttribute("aria-label", words);
  made.append(icon(name));
  made.addEventListener("click", run);
  return made;
}
