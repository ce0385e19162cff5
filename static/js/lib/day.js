/** The way to a day of a conversation. Without a script the day is that of UTC; with one, the reader's own. */

/**
 * @param {HTMLFormElement | null} form with the field `day`
 * @param {AbortSignal} signal
 */
export function leadToDay(form, signal) {
  const field = /** @type {HTMLInputElement | null | undefined} */ (form?.querySelector("[name=day]"));
  if (!form || !field) return;
  form.addEventListener("submit", (event) => {
    const at = new Date(`${field.value}T00:00`).getTime();
    if (Number.isNaN(at)) return;
    event.preventDefault();
    location.assign(`${new URL(form.action).pathname}?at=${at}`);
  }, { signal });
}
