/** Keeps the page above an on-screen keyboard, where the browser only covers it (Safari) instead of making room. */

/** Less than this is a toolbar that comes and goes, not a keyboard. */
const KEYBOARD = 120;

/** @param {AbortSignal} signal */
export function followKeyboard(signal) {
  const seen = window.visualViewport;
  if (!seen) return;
  const root = document.documentElement;
  const fit = () => {
    // Pinched larger, one reads a part of the page on purpose.
    const isCovered = seen.scale < 1.05 && root.clientHeight - seen.height > KEYBOARD;
    root.classList.toggle("has-keyboard", isCovered);
    if (isCovered) {
      root.style.setProperty("--seen-height", `${Math.round(seen.height)}px`);
      root.style.setProperty("--seen-top", `${Math.round(seen.offsetTop)}px`);
    } else {
      root.style.removeProperty("--seen-height");
      root.style.removeProperty("--seen-top");
    }
  };
  seen.addEventListener("resize", fit, { signal });
  seen.addEventListener("scroll", fit, { signal });
  fit();
}
