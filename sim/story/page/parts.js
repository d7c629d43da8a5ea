// Small parts of the page: elements whose texts are texts, and what its data are unpacked with.

import { visible } from "./text.js";

/** An element. What is among its children and is no element becomes text, with invisible marks named. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [type, listen] of Object.entries(value)) made.addEventListener(type, listen);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, visible(value));
  }
  for (const child of children.flat()) {
    if (child === undefined || child === false || child === "") continue;
    made.append(child instanceof Node ? child : visible(child));
  }
  return made;
}

/** A button that says what it does. */
export function button(label, onClick, attributes = {}) {
  return element("button", { type: "button", ...attributes, on: { click: onClick } }, label);
}

/** A switch. */
export function toggle(isOn, onClick, ...label) {
  const attributes = { type: "button", role: "switch", "aria-checked": String(isOn), class: "switch" };
  const knob = element("span", { class: "knob", "aria-hidden": "true" });
  return element("button", { ...attributes, on: { click: onClick } }, knob, element("span", {}, ...label));
}

/** Puts drawn SVG, whose texts are escaped, into a place. */
export function show(place, svg) {
  place.innerHTML = svg;
}

/** What a data block holds. */
export async function unpack(block) {
  const bytes = Uint8Array.from(atob(block.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** The story that a data block holds. */
export async function unpackStory(block) {
  const story = await unpack(block);
  for (const run of story.runs) {
    for (const list of ["events", "messages", "spans"]) run[list] = rows(run[list]);
  }
  return story;
}

// Items from their columns: numbers are differences to the one above, lists say how far above.
function rows(columns) {
  const fields = Object.entries(columns);
  const items = (fields[0]?.[1] ?? []).map(() => ({}));
  for (const [field, cells] of fields) {
    let above = 0;
    cells.forEach((cell, row) => {
      if (cell === null) return;
      if (typeof cell === "number") items[row][field] = above += cell;
      else items[row][field] = Array.isArray(cell) ? cell.map((distance) => row - distance) : cell;
    });
  }
  return items;
}
