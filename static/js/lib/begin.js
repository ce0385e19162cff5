/** The first message of a private conversation: it makes the room, so it can't wait in the outbox. */
import { live } from "./live.js";
import { makeNonce } from "./outbox.js";
import { RequestError } from "./socket.js";
import { said, t } from "./words.js";

/** What was tried already, so that trying again sends nothing twice. @type {{text: string, nonce: string} | null} */
let last = null;

/**
 * @param {string} user the other one's user name
 * @param {string} text
 * @returns {Promise<string>} what is wrong, or nothing
 */
export async function begin(user, text) {
  if (last?.text !== text) last = { text, nonce: makeNonce() };
  try {
    const { room } = await live.socket.request("open", { user });
    await live.socket.request("send", { room: room.id, nonce: last.nonce, text });
    return "";
  } catch (error) {
    const isRefused = error instanceof RequestError && error.code !== "offline";
    return isRefused ? said(error.message) : t("You are offline. Your words stay here until you send them.");
  }
}
