/** The drawings that templates take from `icons.svg`, for what a script makes. */

const SPACE = "http://www.w3.org/2000/svg";
const FILE = new URL("../../icons.svg", import.meta.url).pathname;

/** @param {string} name @returns {SVGElement} */
export function icon(name) {
  const drawing = document.createElementNS(SPACE, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SPACE, "use");
  use.setAttribute("href", `${FILE}#${name}`);
  drawing.append(use);
  return drawing;
}
