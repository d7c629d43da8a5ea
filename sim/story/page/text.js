// Texts of others, as they are shown: escaped, with invisible marks made visible, and cut to a width.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

// Controls, and what changes the direction of text or takes no room.
const MARKS =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text with every mark that cannot be seen named: `⟨202E⟩`. */
export function visible(text) {
  return String(text).replace(MARKS, (mark) => {
    const number = mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `⟨${number}⟩`;
  });
}

/** The text as it may stand in markup. */
export function escape(text) {
  return visible(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark]);
}

/** How wide a text is, in the widest font without serifs that is usual. */
export function width(text, size) {
  let ems = 0;
  for (const letter of text) ems += letterWidth(letter);
  return ems * size;
}

function letterWidth(letter) {
  if (/[iljtfr.,:;'|! ()[\]]/.test(letter)) return 0.38;
  if (/[mwMW@%]/.test(letter)) return 0.94;
  if (/[A-Z0-9&#]/.test(letter)) return 0.67;
  return letter.codePointAt(0) > 0x2e7f ? 1.05 : 0.6;
}

/** The text in at most so many lines of this width. What does not fit ends in an ellipsis. */
export function wrap(text, room, size, most) {
  // No more is looked at than could ever fit, however long the text is.
  const shown = visible(text).slice(0, Math.ceil((room / size) * most * 4) + 8);
  const words = shown.split(" ").flatMap((word) => pieces(word, room, size));
  const lines = [""];
  for (const word of words) {
    const line = lines[lines.length - 1];
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || width(longer, size) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  if (lines.length <= most && shown.length === visible(text).length) return lines;
  const kept = lines.slice(0, most);
  let last = kept[most - 1] ?? kept[kept.length - 1];
  while (last !== "" && width(`${last}…`, size) > room) last = last.slice(0, -1);
  kept[kept.length - 1] = `${last}…`;
  return kept;
}

// A word that is wider than a line, in pieces that are not.
function pieces(word, room, size) {
  if (width(word, size) <= room) return [word];
  const found = [""];
  for (const letter of word) {
    if (width(found[found.length - 1] + letter, size) > room) found.push("");
    found[found.length - 1] += letter;
  }
  return found.filter((piece) => piece !== "");
}

/** A time in microseconds for people. */
export function time(micros) {
  if (micros < 10_000_000) return `${(micros / 1000).toFixed(1)} ms`;
  return `${(micros / 1_000_000).toFixed(2)} s`;
}

/** A duration, with no more digits than it has, and four of them. */
export function duration(micros) {
  if (micros >= 10_000_000) return `${Number((micros / 1_000_000).toFixed(1))} s`;
  if (micros >= 100_000) return `${Math.round(micros / 1000)} ms`;
  if (micros >= 1000) return `${Number((micros / 1000).toFixed(1))} ms`;
  return `${micros} µs`;
}
