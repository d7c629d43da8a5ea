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

/**
 * The arrow of a message between two points, by how it fared. A word says it, too, where it `isClear`: a
 * function of the box that the word would cover.
 */
export function arrow(from, to, { fate }, isClear = () => true) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const along = (distance) => ({ x: n(from.x + dx * distance), y: n(from.y + dy * distance) });
  const start = along(Math.min(8, length / 4));
  const said = word(along, length, { dx, text: WORDS[fate], isClear });
  if (fate === "lost") {
    const end = along(length * (said.share ?? 0.55));
    return line(start, end) + `<path class="cross" d="M${end.x - 6} ${end.y - 6}l12 12m0 -12l-12 12"/>` + said.svg;
  }
  const tip = along(Math.max(length - 9, length / 2));
  const head = pointed(tip, dx, dy, fate === "late") + said.svg;
  if (fate === "duplicate") {
    const aside = { x: n(-dy * 2.2), y: n(dx * 2.2) };
    const move = (point, sign) => ({ x: n(point.x + aside.x * sign), y: n(point.y + aside.y * sign) });
    return line(move(start, 1), move(tip, 1)) + line(move(start, -1), move(tip, -1)) + head;
  }
  if (fate === "unanswered") {
    const middle = along(length * (said.share ?? 0.5));
    return line(start, tip) + head + `<circle class="hollow" cx="${middle.x}" cy="${middle.y}" r="4"/>`;
  }
  return line(start, tip) + head;
}

const WORDS = { lost: "lost", late: "late", duplicate: "copy", unanswered: "no answer" };

// A word beside an arrow, and at which share of its length: nowhere, if there is no room.
function word(along, length, { dx, text, isClear }) {
  if (text === undefined) return { svg: "" };
  for (const share of [0.55, 0.4, 0.7, 0.25, 0.85]) {
    const point = along(length * share);
    for (const y of [point.y - 9, point.y + 19]) {
      const wide = text.length * 7.5;
      const left = dx > 0 ? point.x + 5 : point.x - 5 - wide;
      if (!isClear({ left, right: left + wide, top: y - 12, bottom: y + 4 })) continue;
      return { share, svg: `<text class="fate" x="${n(left)}" y="${n(y)}">${text}</text>` };
    }
  }
  return { svg: "" };
}

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
