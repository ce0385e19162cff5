/** One line of a list that is chosen from: what it is, and a word beside it. */

/** @param {string} id @param {string} name @param {string} aside @returns {HTMLLIElement} */
export function makeOption(id, name, aside) {
  const option = document.createElement("li");
  option.id = id;
  option.setAttribute("role", "option");
  const words = document.createElement("span");
  words.textContent = name;
  const beside = document.createElement("span");
  beside.className = "fine";
  beside.textContent = aside;
  option.append(words, " ", beside);
  return option;
}
