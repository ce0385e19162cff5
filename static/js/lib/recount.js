/** How often one is called in a room, asked anew: an unread message says something else now, and whether it counted is the server's to know. */

/** Several changes are one question. In milliseconds. */
const GATHER = 1000;
/** @type {Set<number>} */
const waiting = new Set();

/**
 * @param {number} id of the room
 * @param {(room: any) => void} learn
 */
export function recountLater(id, learn) {
  if (waiting.has(id)) return;
  waiting.add(id);
  setTimeout(async () => {
    waiting.delete(id);
    try {
      const answer = await fetch(`/api/v1/rooms/${id}`);
      if (answer.ok) learn(await answer.json());
    } catch {
      // The next `ready` counts.
    }
  }, GATHER);
}
