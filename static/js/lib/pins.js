/** What is pinned in a room, the newest first. */
import { Gathering } from "./gathering.js";
import { t } from "./words.js";

export const title = () => t("Pinned messages");

/** @param {import("./views.js").Place} place */
export async function show({ body, room, signal }) {
  const empty = document.createElement("p");
  empty.className = "details-words";
  empty.textContent = t("Nothing is pinned yet. Pin what everybody should find again: the menu of a message has it.");
  const gathering = new Gathering({ body, room, signal, belongs: (message) => message.pinned === true, newestFirst: true, empty });
  await gathering.start(async (before) => {
    const answer = await fetch(`/api/v1/rooms/${room}/pins${before ? `?before=${before}` : ""}`);
    if (!answer.ok) throw new Error("The pinned messages could not be read.");
    return answer.json();
  });
}
