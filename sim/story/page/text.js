// Texts of others, as they are shown: escaped, with invisible marks made visible, and cut to a width.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

// Controls, what changes the direction of text or takes no room, and halves of letters.
const MARKS = /[\p{Cc}\p{Cs}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;
const PLAIN = /^[ -~]*$/;

/** The text with every mark that cannot be seen named: `⟨202E⟩`. */
export function visible(text) {
  const given = String(text);
  if (PLAIN.test(given)) return given;
  return given.replace(MARKS, (mark) => {
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

const WIDTHS = new Map();

function letterWidth(letter) {
  let ems = WIDTHS.get(letter);
  if (ems === undefined) {
    if (/[iljtfr.,:;'|! ()[\]]/.test(letter)) ems = 0.38;
    else if (/[mwMW@%]/.test(letter)) ems = 0.94;
    else if (/[A-Z0-9&#]/.test(letter)) ems = 0.67;
    else ems = letter.codePointAt(0) > 0x2e7f ? 1.05 : 0.6;
    WIDTHS.set(letter, ems);
  }
  return ems;
}

/** The text in at most so many lines of this width. What does not fit ends in an ellipsis. */
export function wrap(text, room, size, most) {
  // No more is looked at than could ever fit, however long the text is.
  const enough = Math.ceil((Math.max(0, room) / size) * most * 4) + 8;
  const shown = visible(text.slice(0, enough));
  const words = shown.split(" ").flatMap((word) => pieces(word, room, size));
  const space = width(" ", size);
  const lines = [];
  let used = Infinity;
  for (const word of words) {
    const wide = width(word, size);
    if (used + space + wide <= room) {
      lines[lines.length - 1] += ` ${word}`;
      used += space + wide;
    } else {
      lines.push(word);
      used = wide;
    }
  }
  if (lines.length === 0) return [""];
  if (lines.length <= most && text.length <= enough) return lines;
  const kept = lines.slice(0, most);
  let last = kept[kept.length - 1];
  while (last !== "" && width(`${last}…`, size) > room) last = last.replace(/.$/su, "");
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

/** A time in microseconds for people: that which has passed, not the next to come. */
export function time(micros) {
  if (micros < 10_000_000) return `${(Math.floor(micros / 100) / 10).toFixed(1)} ms`;
  return `${(Math.floor(micros / 10_000) / 100).toFixed(2)} s`;
}

/** A fence, of a long one its end. */
export function fenceName(fence) {
  const digits = String(fence);
  return digits.length > 9 ? `…${digits.slice(-7)}` : digits;
}

/** A duration, with no more digits than it has, and four of them. */
export function duration(micros) {
  if (micros >= 10_000_000) return `${Number((micros / 1_000_000).toFixed(1))} s`;
  if (micros >= 100_000) return `${Math.round(micros / 1000)} ms`;
  if (micros >= 1000) return `${Number((micros / 1000).toFixed(1))} ms`;
  return `${micros} µs`;
}
