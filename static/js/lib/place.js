/** The page's own address, which says what is shown. */

/**
 * The address with other values in its query; `null` takes one out.
 * @param {Record<string, string | null>} changes
 * @returns {string}
 */
export function addressWith(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  return location.pathname + (query.size > 0 ? `?${query}` : "");
}
