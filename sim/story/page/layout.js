// Where everything of a run is drawn: a column for each lane, and time from top to bottom.
//
// Time is true to scale only where little happens at once: each label gets the room that it needs, and
// a quiet stretch is folded.

import { related } from "./cause.js";
import { fenceName, time, visible, width, wrap } from "./text.js";

export const SIZE = 13;
/** How large the bold text in a fence's tag seems. */
export const TAG = 13.2;
export const LINE = 17;
const SMALL = 12;
const EDGE = 10;
const FOLD = 30;
/** How much lower a label is below an arrow than beside its event. */
export const LOWERED = 11;
const FAULTS = new Set(["pause", "partition", "clock", "down"]);

// How much wider bold text is.
const WIDER = 1.13;
const QUIET = new Set(["call", "return", "send", "apply", "reply", "give-up", "end", "note"]);
const PARTS = new Set(["send", "apply", "reply"]);
// Whose fence is to be seen.
const FENCED = new Set(["grant", "write", "refuse"]);
const BOLD = new Set(["fault", "refuse"]);

/** Whether a span is a fault's. */
export const isFault = (span) => FAULTS.has(span.kind);

/**
 * The places of a run's lanes and events.
 *
 * Options: `width` in pixels, `zoom` (1 unless told), `callout`: what is said of the event that broke
 * the promise, `detailed`: whether each message's coming and going is an event of its own.
 */
export function layOut(story, run, options) {
  const idle = options.detailed ? new Set() : idleClients(story, run);
  const columns = lanesAcross(story, options.width, idle);
  const { rows: all, vain } = rowsOf(run, options.detailed, idle);
  const rows = all.filter((row) => columns.lanes[row.lane] !== undefined);
  const { above, below } = besideArrows(run);
  for (const row of rows) {
    row.raised = row.members.some((event) => above.has(event));
    row.lowered = !row.raised && row.members.some((event) => below.has(event));
    row.broke = !run.verdict.holds && row.members.includes(run.verdict.event);
  }
  const scale = scaleOf(story.runs[0] ?? run, options.zoom ?? 1);
  const placed = placeRows(rows, columns, scale, { run, callout: options.callout, vain });
  const byEvent = [];
  for (const row of placed.rows) for (const event of row.members) byEvent[event] = row;
  return { ...columns, ...placed, story, run, idle, byEvent, ends: endsOf(placed) };
}

// The clients that only ask and are told, of which nothing else follows.
function idleClients(story, run) {
  const clients = story.lanes.flatMap((lane, index) => (lane.kind === "client" ? [index] : []));
  const busy = new Set(run.spans.map((span) => span.lane));
  for (const event of run.events) {
    if (!QUIET.has(event.kind) || event.decision !== undefined) busy.add(event.lane);
  }
  for (const { from, to, fate } of run.messages) {
    if (fate !== "delivered") busy.add(from).add(to);
  }
  const broke = run.verdict.event;
  if (run.events[broke]) for (const event of related(run, broke)) busy.add(run.events[event].lane);
  const idle = clients.filter((client) => !busy.has(client));
  return new Set(idle.length < clients.length ? idle : []);
}

function lanesAcross(story, width, idle) {
  const count = Math.max(1, story.lanes.length - idle.size);
  const gutter = width < 600 ? 66 : 76;
  const each = Math.min(340, (width - gutter - EDGE) / count);
  const narrow = each < 118;
  const inset = narrow ? each / 2 : 20;
  let left = gutter;
  const lanes = story.lanes.map((lane, index) => {
    if (idle.has(index)) return undefined;
    const lines = wrap(lane.name, each - (narrow ? 2 : 26), narrow ? 10 : SIZE * WIDER, 2);
    const placed = { ...lane, left, width: each, x: left + inset, lines };
    left += each;
    return placed;
  });
  return { width, gutter, narrow, each, lanes, right: left };
}

// What has a row of its own: each event, and each fault that no event tells of. Unless all is wanted, a
// message's coming and going is part of what its lane does at the time, if it does more, and messages
// that nothing comes of are left out.
function rowsOf(run, detailed, idle) {
  const rows = [];
  const told = new Map();
  const place = (event) => `${event.lane} ${event.at}`;
  const isPart = (event, index) => !detailed && PARTS.has(event.kind) && index !== run.verdict.event;
  run.events.forEach((event, index) => {
    if (isPart(event, index)) return;
    const row = { at: event.at, lane: event.lane, event, index, members: [index] };
    rows.push(row);
    told.set(place(event), [...(told.get(place(event)) ?? []), row]);
  });
  run.events.forEach((event, index) => {
    if (!isPart(event, index)) return;
    const near = told.get(place(event))?.reduce((a, b) => (Math.abs(b.index - index) < Math.abs(a.index - index) ? b : a));
    if (near) near.members.push(index);
    else rows.push({ at: event.at, lane: event.lane, event, index, members: [index], isPart: true });
  });
  run.spans.forEach((span, index) => {
    if (!isFault(span) || told.has(`${span.lane} ${span.from}`)) return;
    rows.push({ at: span.from, lane: span.lane ?? 0, span, spanIndex: index, members: [] });
  });
  const vain = inVain(rows, run, idle);
  const kept = rows.filter((row) => !vain.has(row));
  kept.sort((a, b) => a.at - b.at || (a.index ?? -1) - (b.index ?? -1));
  return { rows: kept, vain: [...vain].map((row) => row.at).sort((a, b) => a - b) };
}

// The rows of idle clients, and of exchanges that consist of messages only, all of which arrived as they
// should.
function inVain(rows, run, idle) {
  const byEvent = new Map(rows.flatMap((row) => row.members.map((event) => [event, row])));
  const next = new Map();
  const open = rows.filter((row) => (!row.isPart && !idle.has(row.lane)) || row.event?.decision !== undefined);
  for (const { sent_by, led_to, fate } of run.messages) {
    const ends = [byEvent.get(sent_by), byEvent.get(led_to)].filter((row) => row !== undefined);
    if (fate !== "delivered") open.push(...ends);
    for (const row of ends) next.set(row, [...(next.get(row) ?? []), ...ends]);
  }
  const told = new Set(open);
  while (open.length > 0) {
    for (const row of next.get(open.pop()) ?? []) {
      if (told.has(row)) continue;
      told.add(row);
      // What an exchange of others goes on to is not part of this one.
      if (row.isPart) open.push(row);
    }
  }
  return new Set(rows.filter((row) => !told.has(row) || idle.has(row.lane)));
}

// The events whose label is above the arrow that leaves to the right of them, and those whose label is
// below the arrow that comes from there.
function besideArrows(run) {
  const [above, below] = [new Set(), new Set()];
  for (const message of run.messages) {
    if (message.to > message.from) above.add(message.sent_by);
    if (message.to < message.from) below.add(message.led_to);
  }
  for (const none of [above, below]) none.delete(undefined);
  return { above, below };
}

// Pixels for each microsecond, and from when on a stretch is folded.
function scaleOf(run, zoom) {
  const gaps = [];
  run.events.forEach((event, index) => {
    const gap = index === 0 ? 0 : event.at - run.events[index - 1].at;
    if (gap > 0) gaps.push(gap);
  });
  gaps.sort((a, b) => a - b);
  const usual = gaps[Math.floor(gaps.length / 2)] ?? 1000;
  return { each: (14 * zoom) / usual, fold: usual * 6, least: 14 * Math.max(1, zoom) };
}

function placeRows(rows, columns, scale, { run, callout, vain }) {
  const bottoms = columns.lanes.map(() => 0);
  const folds = [];
  let [y, at, call] = [0, 0, undefined];
  for (const row of rows) {
    const passed = row.at - at;
    row.lines = linesOf(row, columns);
    const above = columns.narrow || row.raised ? row.lines.length * LINE + (columns.narrow ? 8 : 0) : 0;
    const free = Math.max(...bottoms, 0);
    if (passed > scale.fold) {
      folds.push({ y: free + FOLD / 2 + 4, from: at, to: row.at, vain: between(vain, at, row.at) });
      y = free + FOLD + 22 + above;
    } else {
      const needed = columns.narrow ? free + 8 + above : (bottoms[row.lane] ?? 0) + 12 + above;
      y = Math.max(y + scale.least + passed * scale.each, needed);
    }
    row.y = y;
    const lower = row.lowered ? LOWERED : 0;
    const below = columns.narrow || row.raised ? 12 : row.lines.length * LINE - 6 + lower;
    bottoms[row.lane] = y + below;
    if (callout !== undefined && row.broke) {
      const room = columns.right - columns.gutter - 44;
      const lines = wrap(callout, room, (SIZE + 1) * WIDER, 6);
      const top = Math.max(...bottoms) + 10;
      call = { top, bottom: top + lines.length * 20 + 16, lines, row };
      bottoms.fill(call.bottom + 6);
      y = call.bottom;
    }
    at = row.at;
  }
  const last = Math.max(y, ...bottoms, 0) + 26;
  if (run.end - at > scale.fold) folds.push({ y: last - 4, from: at, to: run.end, vain: between(vain, at, run.end) });
  const height = last + (run.end - at > scale.fold ? 34 : 6);
  return { rows, folds, call, height };
}

// How many of sorted times are in a stretch.
const between = (times, from, to) => firstAfter(times, to) - firstAfter(times, from);

function linesOf(row, columns) {
  const text = row.event ? row.event.text : row.span.text;
  if (FENCED.has(row.event?.kind) && row.event.fence !== undefined) row.fence = fenceTag(row.event.fence, columns);
  // Some are bold, which is wider.
  const isBold = BOLD.has(row.event?.kind) || row.event?.stale || row.broke || row.span !== undefined;
  row.size = (columns.narrow ? SMALL : SIZE) * (isBold ? WIDER : 1);
  if (columns.narrow) return wrap(text, columns.width - columns.gutter - 10, row.size, 3);
  return [...(row.fence ? [""] : []), ...wrap(text, columns.each - 36, row.size, 6)];
}

// What a fence is called where it has this room.
function fenceTag(fence, columns) {
  const name = `fence ${fenceName(fence)}`;
  const room = columns.narrow ? 110 : columns.each - 40;
  return width(name, TAG) < room ? name : fenceName(fence);
}

// For each time the rows at it, to find where a span or a message begins and ends.
function endsOf({ rows, height }) {
  const times = new Map();
  for (const row of rows) {
    const found = times.get(row.at);
    if (found) found.push(row);
    else times.set(row.at, [row]);
  }
  const known = [...times.keys()];
  return { times, known, height };
}

/** How far down an event is. */
export function eventY(layout, index) {
  return layout.byEvent[index]?.y;
}

/**
 * How far down a time is on a lane. Several rows may be at one time: a span begins at the first and ends
 * at the last (`edge`), of its own grant if it has one there.
 */
export function timeY({ ends, rows }, at, lane, edge, grant) {
  const here = ends.times.get(at);
  if (here) {
    const own = here.filter((row) => row.lane === lane);
    const same = own.filter((row) => grant !== undefined && row.event?.grant === grant);
    const rowsHere = same.length > 0 ? same : own.length > 0 ? own : here;
    return edge === "to" ? rowsHere[rowsHere.length - 1].y : rowsHere[0].y;
  }
  if (rows.length === 0) return 0;
  const after = firstAfter(ends.known, at);
  const below = after < ends.known.length ? ends.times.get(ends.known[after])[0].y : ends.height - 8;
  if (after === 0) return Math.max(0, below - 12);
  if (after === ends.known.length) return below;
  const [before, until] = [ends.known[after - 1], ends.known[after]];
  const above = ends.times.get(before).at(-1).y;
  return above + ((below - above) * (at - before)) / (until - before);
}

// The place of the first of sorted numbers that is greater.
function firstAfter(numbers, than) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] > than) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The event in words, for those who do not see the drawing. */
export function spoken(story, event) {
  const lane = story.lanes[event.lane]?.name ?? "nowhere";
  const fence = event.fence === undefined ? "" : `fence ${fenceName(event.fence)}`;
  const more = event.text.includes(fence) ? "" : `, ${fence}`;
  return visible(`${time(event.at)}, ${lane}: ${event.text}${more}`);
}
