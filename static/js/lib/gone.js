/** The page of a room that is gone, or gone for this person, closes with a sentence and a way back. */

/** Leaving by a form's own button brings the page elsewhere; that takes less than this. In milliseconds. */
const LEAVING = 1500;

/**
 * Closes the room's page. A channel that one has only left can be read on.
 * @param {string} kind
 * @param {number} id
 */
export async function closeRoom(kind, id) {
  if (kind === "channel") {
    await new Promise((resolve) => setTimeout(resolve, LEAVING));
    const answer = await fetch(`/api/v1/rooms/${id}`, { cache: "no-store" }).catch(() => null);
    if (!answer) return;
    if (answer.status !== 404) return location.reload();
  }
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("gone-template"));
  const content = document.getElementById("content");
  if (!template || !content) return;
  content.className = "content content-middle";
  content.replaceChildren(template.content.cloneNode(true));
  document.querySelector(".skip[href='#text']")?.remove();
  document.querySelector(".head-members")?.remove();
  for (const tool of document.querySelectorAll(".head-tools a[href$='/settings'][href^='/c/'], .head-tools a[href$='/settings'][href^='/g/']")) tool.remove();
  /** @type {HTMLElement | null} */ (content.querySelector("a"))?.focus();
}
