// The marks of events, and the arrows of messages.

const n = (number) => Number(number.toFixed(1));

/** The mark of an event: each kind has a shape of its own. */
export function marker(kind, x, y, broke) {
  if (broke) {
    const corners = [-3.7, 3.7].flatMap((a) => [[a, -9], [a, 9], [-9, a], [9, a]]);
    corners.sort((a, b) => Math.atan2(a[1], a[0]) - Math.atan2(b[1], b[0]));
    const points = corners.map(([dx, dy]) => `${n(x + dx)},${n(y + dy)}`).join(" ");
    return `<polygon class="stop" points="${points}"/><path class="cross" d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8"/>`;
  }
  return (MARKERS[kind] ?? MARKERS.note)(x, y);
}

const circle = (radius, type) => (x, y) => `<circle class="${type}" cx="${x}" cy="${y}" r="${radius}"/>`;
const shape = (path) => (x, y) => `<path class="full" d="M${x} ${y}${path}"/>`;

const MARKERS = {
  call: circle(4.5, "hollow"),
  return: circle(4.5, "full"),
  send: circle(3, "hollow"),
  reply: circle(3, "full"),
  apply: circle(4, "full"),
  grant: shape("m0 -7.5l7.5 7.5l-7.5 7.5l-7.5 -7.5z"),
  act: shape("m-5 -7l12 7l-12 7z"),
  write: shape("m-6 -6h12v12h-12z"),
  refuse: (x, y) => `<circle class="hollow" cx="${x}" cy="${y}" r="7"/><path class="cross" d="M${x - 4.9} ${y + 4.9}l9.8 -9.8"/>`,
  key: circle(5, "hollow"),
  "give-up": (x, y) => `<path class="cross" d="M${x - 5} ${y - 5}l10 10m0 -10l-10 10"/>`,
  end: (x, y) => `<path class="cross" d="M${x - 8} ${y}h16"/>`,
  fault: shape("m2.5 -10l-8.5 11h5l-2 9l8.5 -11h-5z"),
  note: circle(3, "full"),
};

/** The arrow of a message between two points, by how it fared, which is said where it `isClear`. */
export function arrow(from, to, { fate }, isClear = () => true) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const along = (distance) => ({ x: n(from.x + dx * distance), y: n(from.y + dy * distance) });
  const start = along(Math.min(8, length / 4));
  if (fate === "lost") {
    const clear = [0.55, 0.7, 0.4, 0.85, 0.25].find((share) => isClear(along(length * share)));
    const end = along(length * (clear ?? 0.55));
    const cross = `<path class="cross" d="M${end.x - 6} ${end.y - 6}l12 12m0 -12l-12 12"/>`;
    return line(start, end) + cross + (clear ? word(end, "lost", dx) : "");
  }
  const tip = along(Math.max(length - 9, length / 2));
  const clear = [0.5, 0.3, 0.7, 0.15, 0.85].find((part) => isClear(along(length * part)));
  const middle = along(length * (clear ?? 0.5));
  const said = clear && WORDS[fate] ? word(middle, WORDS[fate], dx) : "";
  const head = pointed(tip, dx, dy, fate === "late");
  if (fate === "duplicate") {
    const aside = { x: n(-dy * 2.2), y: n(dx * 2.2) };
    const move = (point, sign) => ({ x: n(point.x + aside.x * sign), y: n(point.y + aside.y * sign) });
    return line(move(start, 1), move(tip, 1)) + line(move(start, -1), move(tip, -1)) + head + said;
  }
  if (fate === "unanswered") {
    return line(start, tip) + head + `<circle class="hollow" cx="${middle.x}" cy="${middle.y}" r="4"/>` + said;
  }
  return line(start, tip) + head + said;
}

// The shape says it, too, where there is no room for the word.
const WORDS = { late: "late", duplicate: "copy", unanswered: "no answer" };

const line = (from, to) => `<path class="line" d="M${from.x} ${from.y}L${to.x} ${to.y}"/>`;

function pointed(tip, dx, dy, hollow) {
  const back = { x: tip.x - dx * 8, y: tip.y - dy * 8 };
  const points = [
    [tip.x, tip.y],
    [back.x - dy * 4, back.y + dx * 4],
    [back.x + dy * 4, back.y - dx * 4],
  ];
  const list = points.map(([x, y]) => `${n(x)},${n(y)}`).join(" ");
  return `<polygon class="${hollow ? "hollow" : "full"}" points="${list}"/>`;
}

const word = ({ x, y }, text, dx) =>
  `<text class="fate" x="${n(x + (dx > 0 ? 4 : -4))}" y="${n(y - 8)}" text-anchor="${dx > 0 ? "start" : "end"}">${text}</text>`;
