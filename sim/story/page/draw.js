// A story as SVG: text in, text out. Nothing here knows of a document.

import { related } from "./cause.js";
import { arrow, marker } from "./marks.js";
import { LINE, LOWERED, SIZE, TAG, eventY, isFault, layOut, spoken, timeY } from "./layout.js";
import { duration, escape, time, width } from "./text.js";

/** How high the names of the lanes are. */
export const HEAD = 44;

/**
 * The layout of a run, and it as SVG.
 *
 * Options, besides those of `layOut`: `selected`, the event whose causes and effects stand out; `view`,
 * the part that is drawn, as `{ top, bottom }`.
 */
export function drawRun(story, run, options) {
  const layout = layOut(story, run, options);
  return { layout, svg: drawLayout(layout, options) };
}

/** What is in view of a layout, as SVG. */
export function drawLayout(layout, options = {}) {
  const view = options.view ?? { top: 0, bottom: layout.height };
  const shown = options.selected === undefined ? undefined : standingOut(layout, options.selected);
  const context = { layout, view, shown, selected: options.selected, colours: colours(layout) };
  const [wide, high] = [layout.width, view.bottom - view.top];
  return (
    `<svg class="story" xmlns="http://www.w3.org/2000/svg" role="presentation" width="${wide}" ` +
    `height="${high}" viewBox="0 ${view.top} ${wide} ${high}">${inside(context)}</svg>`
  );
}

// What stands out with an event: all that belongs to it, and of one that breaks the promise also how the
// others came to hold what it holds.
function standingOut(layout, selected) {
  const { run } = layout;
  const found = related(run, selected);
  const held = selected === run.verdict.event ? heldTogether(layout) : undefined;
  for (const span of held?.spans ?? []) {
    run.events.forEach((event, index) => {
      if (event.grant === undefined || event.grant !== span.grant) return;
      found.add(index);
      if (event.kind === "grant") for (const each of related(run, index)) found.add(each);
    });
  }
  return found;
}

/** The names of the lanes, as SVG. */
export function drawHeads(layout) {
  const size = `width="${layout.width}" height="${HEAD}" viewBox="0 0 ${layout.width} ${HEAD}"`;
  const svg = `<svg class="story" xmlns="http://www.w3.org/2000/svg" role="list" aria-label="lanes" ${size}>`;
  return `${svg}${heads(layout, "listitem")}</svg>`;
}

/** All of a layout with the names of its lanes above, for an SVG that is `HEAD` higher. */
export function drawWhole(layout) {
  const context = { layout, view: { top: 0, bottom: layout.height }, colours: colours(layout) };
  return `${heads(layout)}<g transform="translate(0 ${HEAD})">${inside(context)}</g>`;
}

function inside(context) {
  return (
    HATCH +
    bands(context) +
    together(context) +
    times(context) +
    axes(context) +
    bars(context) +
    messages(context) +
    folds(context) +
    events(context) +
    callout(context)
  );
}

const HATCH =
  '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" ' +
  'patternTransform="rotate(45)"><rect class="hatch" width="2.5" height="7"/></pattern></defs>';

const inView = ({ view }, top, bottom) => bottom >= view.top - 40 && top <= view.bottom + 40;

const dim = ({ shown }, isShown) => (shown === undefined || isShown ? "" : " dim");

/** The number of the colour of each grant: that of the client whose grant it is. */
function colours({ story }) {
  const clients = story.lanes.map((lane, index) => (lane.kind === "client" ? index : -1));
  const order = clients.filter((index) => index >= 0);
  const found = new Map();
  for (const run of story.runs) {
    for (const thing of [...run.events, ...run.spans]) {
      const place = order.indexOf(thing.lane);
      if (thing.grant !== undefined && place >= 0 && !found.has(thing.grant)) {
        found.set(thing.grant, place % 6);
      }
    }
  }
  return { grant: (grant) => found.get(grant), lane: (lane) => order.indexOf(lane) % 6 };
}

// The class that gives a thing the colour of its grant, else that of its client.
function hue({ colours: of }, { grant, lane }) {
  const number = of.grant(grant) ?? of.lane(lane);
  return number >= 0 ? ` g${number}` : "";
}

function heads(layout, role) {
  const of = colours(layout);
  return layout.lanes
    .map((lane, index) => {
      if (lane === undefined) return "";
      const colour = of.lane(index) >= 0 ? ` g${of.lane(index)}` : "";
      const start = layout.narrow ? lane.x : lane.left + 8;
      const top = 27 - (lane.lines.length - 1) * 7;
      const lines = lane.lines.map((line, place) => `<tspan x="${start}" y="${top + place * 14}">${escape(line)}</tspan>`);
      const named = role ? ` role="${role}" aria-label="${escape(`${lane.name}, ${lane.kind}`)}"` : "";
      return (
        `<g class="head ${lane.kind}${colour}"${named}><title>${escape(lane.name)}</title>` +
        `<rect x="${lane.left + 2}" y="4" width="${lane.width - 6}" height="36" rx="${RADII[lane.kind] ?? 4}"/>` +
        `<text class="${layout.narrow ? "middle tiny" : ""}">${lines.join("")}</text></g>`
      );
    })
    .join("");
}

const RADII = { client: 18, server: 4, replica: 4, resource: 0 };

function axes(context) {
  const { layout, view } = context;
  const top = Math.max(0, view.top - 20);
  const bottom = Math.min(layout.height, view.bottom + 20);
  return layout.lanes
    .map((lane) => (lane ? `<path class="axis" d="M${lane.x} ${top}V${bottom}"/>` : ""))
    .join("");
}

function reach(context, span) {
  const { layout } = context;
  const lane = span.lane ?? 0;
  const top = timeY(layout, span.from, lane, "from", span.grant);
  const open = span.to >= layout.run.end;
  const bottom = open ? layout.height : timeY(layout, span.to, lane, "to", span.grant);
  return { top, bottom: Math.max(bottom, top + 8), open };
}

function bands(context) {
  const { layout } = context;
  return each(layout.run.spans, (span, index) => {
    if (!isFault(span)) return "";
    const { top, bottom } = reach(context, span);
    if (!inView(context, top, bottom)) return "";
    const lane = layout.lanes[span.lane];
    const [left, wide] = lane ? [lane.left, lane.width] : [layout.gutter, layout.right - layout.gutter];
    const box = `x="${left + 2}" y="${top}" width="${wide - 6}" height="${bottom - top}" rx="3"`;
    return (
      `<g class="band ${span.kind}" data-span="${index}"><rect class="wash" ${box}/>` +
      `<rect ${box} fill="url(#hatch)"/></g>`
    );
  });
}

/** The stretch around the instant at which the promise broke in which several clients hold at once. */
export function heldTogether({ run, story }) {
  const at = run.events[run.verdict.event]?.at;
  if (run.verdict.holds || at === undefined) return undefined;
  const spans = run.spans.filter(
    (span) =>
      (span.kind === "lease" || span.kind === "work") &&
      story.lanes[span.lane]?.kind === "client" &&
      span.from <= at &&
      span.to >= at,
  );
  const lanes = [...new Set(spans.map((span) => span.lane))];
  if (lanes.length < 2) return undefined;
  const latest = (lane) => Math.min(...spans.filter((span) => span.lane === lane).map((span) => span.from));
  const soonest = (lane) => Math.max(...spans.filter((span) => span.lane === lane).map((span) => span.to));
  const start = lanes.reduce((a, b) => (latest(a) >= latest(b) ? a : b));
  const end = lanes.reduce((a, b) => (soonest(a) <= soonest(b) ? a : b));
  return { lanes, spans, from: latest(start), fromLane: start, to: soonest(end), toLane: end };
}

function together(context) {
  const { layout } = context;
  const held = heldTogether(layout);
  if (held === undefined) return "";
  const top = timeY(layout, held.from, held.fromLane, "from");
  const bottom = held.to >= layout.run.end ? layout.height : timeY(layout, held.to, held.toLane, "to");
  return each(held.lanes, (index) => {
    const lane = layout.lanes[index];
    const left = Math.max(lane.left + 2, lane.x - 11);
    const right = lane.left + lane.width - 4;
    const box = `x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" rx="4"`;
    const isLast = bottom >= layout.height && !layout.narrow;
    const words = `<text class="both" x="${lane.x + 14}" y="${bottom - 8}">${held.lanes.length > 2 ? "held by all" : "held by both"}</text>`;
    return `<rect class="together" ${box}/>${isLast ? words : ""}`;
  });
}

// Keys that a server has at the same time stand side by side: of each that is not alone, its place and
// how wide it is.
function sideBySide(run) {
  const places = new Map();
  const byLane = new Map();
  for (const span of run.spans) {
    if (span.kind !== "key") continue;
    if (byLane.has(span.lane)) byLane.get(span.lane).push(span);
    else byLane.set(span.lane, [span]);
  }
  for (const spans of byLane.values()) {
    const ends = [];
    for (const span of spans) {
      const free = ends.findIndex((end) => end <= span.from);
      const place = free >= 0 ? free : Math.min(ends.length, MOST_KEYS - 1);
      ends[place] = Math.max(ends[place] ?? 0, span.to);
      places.set(span, place);
    }
    for (const span of spans) {
      if (ends.length > 1) places.set(span, { left: -9 * places.get(span), wide: 7 });
      else places.delete(span);
    }
  }
  return places;
}

// No more keys than these stand side by side.
const MOST_KEYS = 3;

function bars(context) {
  const { layout, shown } = context;
  const places = sideBySide(layout.run);
  return each(layout.run.spans, (span, index) => {
    const lane = layout.lanes[span.lane];
    if (isFault(span) || lane === undefined) return "";
    const { top, bottom, open } = reach(context, span);
    if (!inView(context, top, bottom)) return "";
    const { left, wide } = places.get(span) ?? { left: 0, wide: { lease: 14, key: 14, work: 6 }[span.kind] };
    const held = shown && layout.run.events.some((event, place) => shown.has(place) && event.grant === span.grant);
    const box = `x="${lane.x + left - wide / 2}" y="${top}" width="${wide}" height="${bottom - top + (open ? 6 : 0)}"`;
    return (
      `<g class="bar ${span.kind}${hue(context, span)}${dim(context, held)}" data-span="${index}">` +
      `<rect ${box} rx="${open ? 0 : 3}"/></g>`
    );
  });
}

function times(context) {
  const { layout } = context;
  let last;
  return each(layout.rows, (row) => {
    const repeated = row.at === last;
    last = row.at;
    if (repeated || !inView(context, row.y, row.y)) return "";
    const line = layout.narrow ? "" : `<path class="tick" d="M${layout.gutter - 6} ${row.y}H${layout.right - 4}"/>`;
    const x = layout.gutter - (layout.narrow ? 5 : 10);
    return `${line}<text class="${layout.narrow ? "time tiny" : "time"}" x="${x}" y="${row.y + 4}">${time(row.at)}</text>`;
  });
}

function folds(context) {
  const { layout } = context;
  return each(layout.folds, ({ y, from, to, vain }) => {
    if (!inView(context, y, y)) return "";
    const [left, right] = [layout.gutter - 6, layout.right - 4];
    let [zig, zag] = [`M${left} ${y - 4}`, `M${left} ${y + 4}`];
    for (let x = left + 6, up = false; x <= right; x += 6, up = !up) {
      zig += `L${x} ${y - 4 + (up ? 0 : -4)}`;
      zag += `L${x} ${y + 4 + (up ? 0 : -4)}`;
    }
    const back = `${zig}L${right} ${y + 4}L${left} ${y + 4}Z`;
    const words = `${time(to - from)} later${vain > 0 ? ", with requests in vain" : ""}`;
    return (
      `<g class="fold"><title>${escape(words)}: nothing else happens, and the scale is broken</title>` +
      `<path class="gap" d="${back}"/><path d="${zig}"/><path d="${zag}"/>` +
      (layout.narrow ? `<text class="time tiny" x="${layout.gutter - 8}" y="${y + 4}">+${duration(to - from)}</text>` : "") +
      (layout.narrow ? "" : `<text class="later" x="${(left + right) / 2}" y="${y + 3}">${words}</text>`) +
      `</g>`
    );
  });
}

function messages(context) {
  const { layout, shown } = context;
  const isClear = clearOf(context);
  return each(layout.run.messages, (message, index) => {
    const [from, to] = [layout.lanes[message.from], layout.lanes[message.to]];
    const isLeftOut = [message.sent_by, message.led_to].some((event) => event !== undefined && !layout.byEvent[event]);
    if (from === undefined || to === undefined || isLeftOut) return "";
    const start = eventY(layout, message.sent_by) ?? timeY(layout, message.sent, message.from, "from");
    const arrived = message.arrived ?? layout.run.end;
    const known = eventY(layout, message.led_to) ?? timeY(layout, arrived, message.to, "to");
    const steep = layout.byEvent[message.sent_by]?.raised ? 18 : 60;
    const end = message.fate === "lost" && message.led_to === undefined ? Math.min(known, start + steep) : known;
    if (!inView(context, Math.min(start, end), Math.max(start, end))) return "";
    const near = shown?.has(message.sent_by) && (message.led_to === undefined || shown.has(message.led_to));
    const line = arrow({ x: from.x, y: start }, { x: to.x, y: Math.max(end, start + 1) }, message, isClear);
    const by = { lane: layout.lanes[message.from].kind === "client" ? message.from : message.to };
    return (
      `<g class="message ${message.fate}${hue(context, by)}${dim(context, near)}" data-message="${index}">` +
      `${line}</g>`
    );
  });
}

// Whether what covers a box would lie on no label, as a function.
function clearOf(context) {
  const { layout } = context;
  const boxes = layout.rows
    .filter((row) => inView(context, row.y, row.y))
    .map((row) => labelPlace(layout, row))
    .flatMap(({ box, pill }) => (pill ? [box, { left: pill.x, right: pill.x + tagWidth(pill.text), top: pill.y - 14, bottom: pill.y + 5 }] : [box]));
  const { call } = layout;
  if (call) boxes.push({ left: 0, right: layout.width, top: call.top - 4, bottom: call.bottom + 4 });
  return (word) =>
    !boxes.some((box) => word.right > box.left && word.left < box.right && word.bottom > box.top && word.top < box.bottom);
}

function events(context) {
  const { layout } = context;
  return each(layout.rows, (row) => {
    if (!inView(context, row.y - 90, row.y + 90)) return "";
    return row.event ? eventMark(context, row) : `<g class="event fault">${label(context, row)}</g>`;
  });
}

function eventMark(context, row) {
  const { layout, shown, selected } = context;
  const { event, index } = row;
  const isSelected = row.members.includes(selected);
  const { broke } = row;
  const classes = [
    event.kind,
    broke ? "broke" : "",
    event.stale ? "stale" : "",
    isSelected ? "selected" : "",
  ];
  const lane = layout.lanes[event.lane];
  const halo = isSelected ? `<circle class="halo" cx="${lane.x}" cy="${row.y}" r="12"/>` : "";
  const name = escape(spoken(layout.story, event) + (broke ? `. ${layout.run.verdict.text}` : ""));
  return (
    `<g class="event ${classes.filter(Boolean).join(" ")}${hue(context, event)}${dim(context, row.members.some((member) => shown?.has(member)))}" ` +
    `id="event-${index}" data-event="${index}" role="option" aria-selected="${isSelected}" ` +
    `aria-label="${name}">${halo}${marker(event.kind, lane.x, row.y, broke)}${label(context, row)}</g>`
  );
}

function label({ layout }, row) {
  const { x, y, pill } = labelPlace(layout, row);
  const lines = row.lines.map((line, place) => {
    if (line === "") return "";
    return `<text${layout.narrow ? ' class="small"' : ""} x="${x}" y="${y + place * LINE}">${escape(line)}</text>`;
  });
  return lines.join("") + (pill ? tag(pill.x, pill.y, pill.text) : "");
}

// Where the first line of a label begins, where its fence is, and what the lines cover.
function labelPlace(layout, row) {
  const lane = layout.lanes[row.lane] ?? layout.lanes[0];
  const { fence } = row;
  const longest = Math.max(...row.lines.map((line) => width(line, row.size)));
  let x = lane.x + 14;
  let y = row.raised ? row.y - 6 - (row.lines.length - 1) * LINE : row.y + 4 + (row.lowered ? LOWERED : 0);
  let pill = { x, y };
  if (layout.narrow) {
    x = Math.max(layout.gutter, Math.min(lane.x - 6, layout.width - longest - 8));
    y = row.y - row.lines.length * LINE + 3;
    const wide = fence ? tagWidth(fence) + 14 : 0;
    pill = { x: lane.x + wide < layout.width ? lane.x + 14 : lane.x - wide, y: row.y + 4 };
  }
  const box = { left: x, right: x + longest, top: y - 14, bottom: y + (row.lines.length - 1) * LINE + 5 };
  return { x, y, box, pill: fence && { ...pill, text: fence } };
}

const tagWidth = (text) => width(text, TAG) + 10;

function tag(x, y, text) {
  const wide = tagWidth(text);
  return (
    `<g class="tag"><rect x="${x}" y="${y - 12}" width="${wide}" height="16" rx="8"/>` +
    `<text x="${x + wide / 2}" y="${y}">${escape(text)}</text></g>`
  );
}

function callout(context) {
  const { layout } = context;
  const { call } = layout;
  if (call === undefined || !inView(context, call.top - 40, call.bottom)) return "";
  const [left, right] = [layout.gutter, layout.right - 4];
  const lane = layout.lanes[call.row.lane];
  const lines = call.lines.map((line, place) => `<text x="${left + 38}" y="${call.top + 23 + place * 20}">${escape(line)}</text>`);
  const point = `M${lane.x - 7} ${call.top}L${lane.x} ${call.top - 9}L${lane.x + 7} ${call.top}Z`;
  const middle = (call.top + call.bottom) / 2;
  return (
    `<g class="callout" font-size="${SIZE + 1}"><rect x="${left}" y="${call.top}" width="${right - left}" ` +
    `height="${call.bottom - call.top}" rx="6"/><path class="point" d="${point}"/>` +
    `<path class="cross" d="M${left + 13} ${middle - 6}l12 12m0 -12l-12 12"/>${lines.join("")}</g>`
  );
}

const each = (things, draw) => things.map(draw).join("");
