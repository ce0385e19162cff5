/** Whether a message calls me: by name, or with everybody in the room. The server has marked whom it mentions. */

/** My own, folded. */
export const myName = typeof document === "undefined" ? "" : fold(document.body.dataset.username ?? "");

/** As `text::fold` in Rust. @param {string} name */
function fold(name) {
  return name.normalize("NFKC").toLowerCase().normalize("NFKC");
}

/**
 * @param {{html?: string, to_all?: boolean}} message
 * @param {string} [name] folded
 * @returns {boolean}
 */
export function callsMe({ html, to_all }, name = myName) {
  // A name has nothing in it that an attribute would escape.
  return to_all === true || (name !== "" && html !== undefined && html.includes(`class="hb-mention" data-name="${name}"`));
}
