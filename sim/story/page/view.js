// A story in the page: its headline, its drawing, its switches, and what is said of a selected event.

import { links, withoutFenceCheck } from "./cause.js";
import { drawHeads, drawLayout } from "./draw.js";
import { eventY, layOut, spoken } from "./layout.js";
import { button, element, show, toggle } from "./parts.js";
import { duration, time } from "./text.js";

// Of more events than these only what is in view is drawn.
const MANY = 300;

/** Shows a story in an element, once it is told to `look`. `changed` is called when what is looked at changes. */
export class View {
  constructor(place, story, changed) {
    Object.assign(this, { place, story, changed });
    this.state = { without: new Set(), checked: true, selected: undefined, zoom: 1, detailed: false };
    this.build();
    this.observer = new ResizeObserver(() => this.layout?.width !== this.width && this.draw());
    this.observer.observe(this.parts.diagram);
    this.redrawInView = () => this.layout?.rows.length > MANY && this.drawInView();
    addEventListener("scroll", this.redrawInView, { passive: true });
  }

  /** Looks at the run without these decisions, if it is known, with or without the check of fences. */
  look(without, checked) {
    if (this.runWithout(without)) Object.assign(this.state, { without: new Set(without), checked });
    this.update();
  }

  get width() {
    return Math.floor(this.parts.diagram.clientWidth);
  }

  close() {
    this.observer.disconnect();
    removeEventListener("scroll", this.redrawInView);
    this.place.replaceChildren();
  }

  /** The run that is looked at. */
  get run() {
    const wanted = [...this.state.without].sort((a, b) => a - b).join();
    const found = this.story.runs.find((run) => [...run.without].sort((a, b) => a - b).join() === wanted);
    const run = found ?? this.told;
    return this.state.checked ? run : withoutFenceCheck(run);
  }

  get told() {
    return this.story.runs.find((run) => run.without.length === 0) ?? this.story.runs[0];
  }

  runWithout(decisions) {
    const wanted = [...decisions].sort((a, b) => a - b).join();
    return this.story.runs.find((run) => [...run.without].sort((a, b) => a - b).join() === wanted);
  }

  build() {
    const { story } = this;
    const parts = {
      headline: element("h1", { class: "headline", tabindex: "-1" }, story.headline),
      outcome: element("div", { class: "outcome", role: "status" }),
      switches: element("section", { class: "card switches" }),
      details: element("section", { class: "card details", "aria-live": "polite" }),
      heads: element("div", { class: "heads" }),
      drawing: element("div", {
        class: "drawing",
        role: "listbox",
        tabindex: "0",
        "aria-label": "Events, from top to bottom in time. Arrow keys step.",
      }),
      legend: element("div", { class: "legend" }),
      now: element("output", { class: "now" }),
      words: element("section", { class: "told" }),
      tip: element("div", { class: "tip", hidden: true }),
    };
    parts.diagram = element("div", { class: "diagram" }, parts.heads, parts.drawing, this.player(parts), parts.legend);
    this.parts = parts;
    const header = element(
      "header",
      {},
      element("p", { class: "title" }, story.title),
      parts.headline,
      story.claim && element("p", { class: "claim" }, element("b", {}, "Promised: "), story.claim),
      parts.outcome,
    );
    const side = element("aside", { class: "side" }, parts.switches, parts.details);
    const columns = element("div", { class: "columns" }, parts.diagram, side);
    this.place.replaceChildren(header, columns, parts.words, parts.tip);
    this.listen();
  }

  player(parts) {
    const step = (by) => () => this.step(by);
    return element(
      "div",
      { class: "player", role: "toolbar", "aria-label": "Steps and zoom" },
      button("⇤", step(-Infinity), { "aria-label": "first event", title: "first event (Home)" }),
      button("◀", step(-1), { "aria-label": "event before", title: "event before (←)" }),
      button("▶", step(1), { "aria-label": "next event", title: "next event (→)" }),
      button("✕", () => this.toBreak(), { "aria-label": "the event that broke it", class: "to-break", title: "what broke it (b)" }),
      parts.now,
      button("−", () => this.zoom(0.5), { "aria-label": "zoom out", title: "less time to scale (−)" }),
      button("≡", () => this.detail(), { "aria-label": "every request and reply", title: "every request and reply, also those in vain (a)", "aria-pressed": "false", class: "detail" }),
      button("+", () => this.zoom(2), { "aria-label": "zoom in", title: "more time to scale (+)" }),
    );
  }

  listen() {
    const { drawing, tip } = this.parts;
    drawing.addEventListener("click", (click) => {
      const event = click.target.closest("[data-event]");
      this.select(event ? Number(event.dataset.event) : undefined, true);
    });
    drawing.addEventListener("pointermove", (move) => this.hover(move));
    drawing.addEventListener("pointerleave", () => (tip.hidden = true));
  }

  hover({ target, clientX, clientY }) {
    const { tip } = this.parts;
    const found = target.closest("[data-event], [data-message], [data-span]");
    tip.hidden = !found;
    if (!found) return;
    tip.replaceChildren(...this.described(found.dataset).map((line) => element("div", {}, line)));
    const left = Math.min(clientX + 14, innerWidth - tip.offsetWidth - 8);
    const top = clientY + 18 + tip.offsetHeight > innerHeight ? clientY - tip.offsetHeight - 10 : clientY + 18;
    tip.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  }

  /** What lies under the pointer, in words. */
  described({ event, message, span }) {
    const { run, story } = this;
    const name = (lane) => story.lanes[lane]?.name ?? "everywhere";
    const decided = ({ decision }) => (decision === undefined ? "" : `because ${story.decisions[decision]?.text}`);
    if (event !== undefined) return [spoken(story, run.events[event]), decided(run.events[event])];
    if (message !== undefined) {
      const found = run.messages[message];
      const arrived = found.arrived === undefined ? "" : ` to ${time(found.arrived)}`;
      return [`${found.text}: ${name(found.from)} → ${name(found.to)}`, `${FATES[found.fate]}, ${time(found.sent)}${arrived}`, decided(found)];
    }
    const found = run.spans[span];
    const fence = found.fence === undefined ? "" : `, fence ${found.fence}`;
    return [`${name(found.lane)} ${found.text}${fence}`, `${time(found.from)} to ${time(found.to)}`, decided(found)];
  }

  /** Shows what the switches say. */
  update() {
    this.showOutcome();
    this.showSwitches();
    this.showWords();
    this.draw();
  }

  showOutcome() {
    const { verdict } = this.run;
    const summary = verdict.holds ? "The promise holds." : "The promise is broken.";
    const lines = [outcome(verdict.holds, this.story.claim || !verdict.holds ? summary : "", verdict.text)];
    const refused = this.run.verdict.fenced ?? (this.run.events.some(isRefused) && REFUSED);
    if (refused && this.state.checked) lines.push(outcome(true, "The data are safe.", refused));
    else if (refused || this.run.events.some((event) => event.stale)) lines.push(outcome(false, "The data are damaged.", TAKEN));
    this.parts.outcome.replaceChildren(...lines);
    const gone = [...this.state.without].sort((a, b) => a - b).map((index) => this.story.decisions[index].kind);
    const words = gone.length > 0 ? `Without ${gone.join(" and ")}: ${verdict.text}` : this.story.headline;
    // What went wrong, and how it would not have.
    const [what, then] = words.split(/(?<=; )(?=without )/);
    this.parts.headline.replaceChildren(element("span", {}, what), element("span", { class: "then" }, then));
  }

  showSwitches() {
    const { story, state } = this;
    const items = story.decisions.map((decision, index) => this.decisionItem(decision, index));
    const together = this.runWithout(story.decisions.keys()) !== undefined;
    const asks = story.runs.some((run) => run.verdict.fenced !== undefined || run.events.some(isRefused));
    const check = toggle(state.checked, () => this.change({ checked: !state.checked }), "The resource checks fences");
    const focused = [...this.parts.switches.querySelectorAll("button")].indexOf(document.activeElement);
    const shown = [
      element("h2", {}, "What if not?"),
      items.length > 0 && element("p", { class: "hint" }, `Switch off what was decided against this run${together ? "" : ", one at a time"}.`),
      items.length > 0 && element("ol", {}, ...items),
      asks && element("div", { class: "check" }, check, element("p", { class: "hint" }, FENCE)),
      this.changes(),
    ];
    this.parts.switches.hidden = items.length === 0 && !asks;
    this.parts.switches.replaceChildren(...shown.filter(Boolean));
    if (focused >= 0) this.parts.switches.querySelectorAll("button")[focused]?.focus();
  }

  decisionItem(decision, index) {
    const isOn = !this.state.without.has(index);
    const alone = this.runWithout([index]);
    const notes = [];
    if (alone) notes.push(alone.verdict.holds ? "Without it, the promise holds." : "Without it, the promise breaks all the same.");
    if (decision.breaks_above_micros > 0) notes.push(`It breaks only above ${duration(decision.breaks_above_micros)}.`);
    const flip = () => this.flip(index);
    return element(
      "li",
      { class: decision.fault ? "fault" : "calm" },
      toggle(isOn, flip, element("b", {}, decision.kind), " ", decision.text),
      notes.length > 0 && element("p", { class: "hint" }, notes.join(" ")),
    );
  }

  /** Switches a decision. Of a set that was not computed, only this one stays switched off. */
  flip(index) {
    const without = new Set(this.state.without);
    if (!without.delete(index)) without.add(index);
    const known = this.runWithout(without) ? without : new Set(without.has(index) ? [index] : []);
    this.change({ without: known });
  }

  change(to) {
    Object.assign(this.state, to, { selected: undefined });
    this.update();
    this.showDetails();
    this.changed();
  }

  /** How the run differs from the one that is told. */
  changes() {
    if (this.run === this.told) return undefined;
    const lines = difference(this.told.text, this.run.text);
    const [gone, added] = ["gone", "new"].map((kind) => lines.filter((line) => line.kind === kind).length);
    if (gone + added === 0) return undefined;
    return element("p", { class: "hint" }, `Against the story: ${gone} lines go, ${added} come. They are marked in the words below.`);
  }

  showWords() {
    const { told, run, story } = this;
    const lines = difference(told.text, run.text).map(({ kind, line }) =>
      element("li", { class: kind }, kind === "gone" ? element("del", {}, line) : kind === "new" ? element("ins", {}, line) : line),
    );
    const { verdict } = run;
    this.parts.words.replaceChildren(
      element("h2", {}, "In words"),
      element("ol", {}, ...lines),
      element("p", { class: verdict.holds ? "good" : "bad" }, verdict.text),
      ...(run.events.some((event) => event.stale) ? [element("p", { class: "bad" }, TAKEN)] : []),
      ...(story.command ? [this.command()] : []),
    );
  }

  command() {
    const copied = element("output", { class: "hint" });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(this.story.command);
        copied.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        copied.textContent = "selected: copy it";
      }
    };
    const code = element("code", {}, this.story.command);
    return element("p", { class: "command" }, "Replay it: ", code, " ", button("Copy", copy), " ", copied);
  }

  draw() {
    const { run, width } = this;
    if (width === 0) return;
    const { zoom, detailed } = this.state;
    const callout = run.verdict.holds ? undefined : run.verdict.text;
    this.layout = layOut(this.story, run, { width, zoom, detailed, callout });
    show(this.parts.heads, drawHeads(this.layout));
    this.parts.drawing.style.height = `${this.layout.height}px`;
    this.drawInView();
    this.showNow();
    show(this.parts.legend, "");
    this.parts.legend.append(...legend(this.layout));
  }

  drawInView() {
    const { layout, state } = this;
    const { drawing } = this.parts;
    let view = { top: 0, bottom: layout.height };
    if (layout.rows.length > MANY && !this.printing) {
      const { top } = drawing.getBoundingClientRect();
      const from = Math.max(0, -top - innerHeight);
      view = { top: Math.floor(from), bottom: Math.min(layout.height, Math.ceil(from + 3 * innerHeight)) };
    }
    show(drawing, drawLayout(layout, { view, selected: state.selected }));
    drawing.firstChild.style.marginTop = `${view.top}px`;
    const row = layout.byEvent[state.selected];
    const active = row ? `event-${row.index}` : "";
    if (active) drawing.setAttribute("aria-activedescendant", active);
    else drawing.removeAttribute("aria-activedescendant");
  }

  /** Selects an event, or none. */
  select(index, still) {
    this.state.selected = this.run.events[index] ? index : undefined;
    this.showDetails();
    if (!still) this.scrollTo(index);
    this.drawInView();
    this.showNow();
    this.changed();
  }

  scrollTo(index) {
    const y = eventY(this.layout, index);
    if (y === undefined) return;
    const top = this.parts.drawing.getBoundingClientRect().top + y;
    const { details } = this.parts;
    const covered = getComputedStyle(details).position === "fixed" ? details.offsetHeight : 0;
    const low = innerHeight - covered - 130;
    if (top < 90 || top > low) scrollBy({ top: top - (90 + low) / 2, behavior: "instant" });
  }

  /** The events that have a place of their own in the drawing, in its order. */
  get steps() {
    return this.layout.rows.filter((row) => row.event).map((row) => row.index);
  }

  step(by) {
    const { steps } = this;
    const here = steps.indexOf(this.layout.byEvent[this.state.selected]?.index);
    const from = here < 0 && by < 0 ? steps.length : here;
    this.select(steps[Math.max(0, Math.min(steps.length - 1, from + by))]);
  }

  /** Shows each message's coming and going, or no more. */
  detail() {
    this.state.detailed = !this.state.detailed;
    this.place.querySelector(".detail").setAttribute("aria-pressed", String(this.state.detailed));
    this.draw();
    if (this.state.selected !== undefined) this.scrollTo(this.state.selected);
  }

  toBreak() {
    if (this.run.verdict.event !== undefined) this.select(this.run.verdict.event);
  }

  /** Selects an event at this time, by its number among them, else the first one at this time or later. */
  seek(micros, number) {
    const meant = this.allAt(micros)[number - 1];
    this.select(this.layout.byEvent[meant] ? meant : this.firstAt(micros));
  }

  allAt(micros) {
    return this.run.events.flatMap((event, index) => (event.at === micros ? [index] : []));
  }

  firstAt(micros) {
    const { events } = this.run;
    const { steps } = this;
    return steps.find((index) => events[index].at >= micros) ?? steps[steps.length - 1];
  }

  /** The moment of an event, for a link: with its number among those at the time, unless it is the first that is shown. */
  moment(index) {
    const { at } = this.run.events[index];
    return `${at / 1000}ms${this.firstAt(at) === index ? "" : `:${this.allAt(at).indexOf(index) + 1}`}`;
  }

  zoom(by) {
    this.state.zoom = Math.max(0.25, Math.min(16, this.state.zoom * by));
    this.draw();
    if (this.state.selected !== undefined) this.scrollTo(this.state.selected);
  }

  showNow() {
    const { selected } = this.state;
    const { steps } = this;
    const place = steps.indexOf(this.layout.byEvent[selected]?.index);
    this.parts.now.textContent = place < 0 ? `${steps.length} events` : `${place + 1} of ${steps.length}`;
    this.place.querySelector(".to-break").disabled = this.run.verdict.event === undefined;
  }

  showDetails() {
    const { selected } = this.state;
    const { story, run } = this;
    if (selected === undefined) return this.parts.details.replaceChildren();
    const event = run.events[selected];
    const { causes, effects } = links(run)[selected];
    const list = (name, found) =>
      found.size > 0 && [
        element("h3", {}, name),
        element("ul", {}, [...found].sort((a, b) => a - b).map((index) => element("li", {}, button(spoken(story, run.events[index]), () => this.select(index), { class: "link" })))),
      ];
    const decision = story.decisions[event.decision];
    this.parts.details.replaceChildren(
      ...[
        element("h2", {}, `${time(event.at)}, ${story.lanes[event.lane]?.name}`),
        element("p", {}, event.text, event.fence === undefined ? "" : ` (fence ${event.fence})`),
        decision && element("p", { class: "hint" }, `Decided: ${decision.text}`),
        ...(list("It followed from", causes) || []),
        ...(list("It led to", effects) || []),
      ].filter(Boolean),
    );
  }
}

const isRefused = (event) => event.kind === "refuse";
const REFUSED = "The resource refuses the write with the older fence.";
const TAKEN = "Without the check, the resource takes the write with the older fence over the newer one.";
const FENCE =
  "A fence is a number that grows with every grant. A resource that remembers the greatest one refuses a write with a lesser: what its sender took for its lock is over.";

const FATES = {
  delivered: "delivered",
  lost: "lost",
  late: "late: nobody waited for it any more",
  duplicate: "a second copy",
  unanswered: "never answered",
};

function outcome(isGood, summary, text) {
  const mark = element("span", { class: "mark", "aria-hidden": "true" }, isGood ? "✓" : "✕");
  return element("p", { class: isGood ? "good" : "bad" }, mark, element("span", {}, summary && element("b", {}, summary), summary && " ", text));
}

const KEY = {
  lease: ["bar", "a client believes that it holds"],
  work: ["bar work", "a client runs what is protected or put off"],
  key: ["box", "a server has the key"],
  pause: ["wash", "a process is paused"],
  partition: ["wash", "nothing passes"],
  clock: ["wash", "a clock is wrong"],
  down: ["wash", "a server is down"],
};

function legend({ run, story, idle }) {
  const names = [...idle].map((lane) => story.lanes[lane].name).join(" and ");
  const kinds = new Set(run.spans.map((span) => span.kind));
  return Object.entries(KEY)
    .filter(([kind]) => kinds.has(kind))
    .map(([, [sign, words]]) => element("span", {}, element("i", { class: sign }), words))
    .concat(element("span", {}, element("i", { class: "folded" }, "≈"), "nothing happens: time is folded"))
    .concat(names ? element("span", {}, `≡ shows ${names}, too, whose requests are in vain`) : [])
    .concat(element("span", { class: "keys" }, "Keys: ← → step, b what broke it, a all messages, + − zoom, Esc"));
}

/** The lines of both, in order: kept, gone from the first, new in the second. */
export function difference(before, after) {
  if (before.length * after.length > 1_000_000) return after.map((line) => ({ kind: "kept", line }));
  const rows = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      rows[i][j] = before[i] === after[j] ? rows[i + 1][j + 1] + 1 : Math.max(rows[i + 1][j], rows[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ kind: "kept", line: before[i++] });
      j++;
    } else if (j >= after.length || (i < before.length && rows[i + 1][j] >= rows[i][j + 1])) {
      lines.push({ kind: "gone", line: before[i++] });
    } else lines.push({ kind: "new", line: after[j++] });
  }
  return lines;
}
