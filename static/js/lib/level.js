/** What one wants to hear of a room: kept by the server, the same on all of one's devices. */
import { live, on } from "./live.js";
import { say } from "./say.js";
import { t } from "./words.js";

/**
 * @param {HTMLFormElement | null} form with the field `level`, which a script sends at once
 * @param {number} room
 * @param {AbortSignal} signal
 */
export function followLevel(form, room, signal) {
  const field = form?.querySelector("select");
  if (!field) return;
  const show = () => { field.value = live.rooms.get(room)?.level ?? field.value; };
  const send = async () => {
    try {
      const reply = await live.socket.request("level", { room, level: field.value });
      live.learn(reply.room);
      say(t("Saved."));
    } catch {
      show();
      say(t("That did not work. Nothing was changed."));
    }
  };
  field.addEventListener("change", send, { signal });
  on("room", ({ id }) => { if (id === room) show(); }, signal);
  on("ready", show, signal);
  // Chosen before this was here to hear of it.
  if (field.selectedOptions[0]?.defaultSelected === false) void send();
  else if (live.ready) show();
}
