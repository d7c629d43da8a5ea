// The page: which story is looked at, the address that says so, and the keys.

import { showMatrix } from "./matrix.js";
import { unpack, unpackStory } from "./parts.js";
import { visible } from "./text.js";
import { View } from "./view.js";

const place = document.getElementById("view");
const report = document.getElementById("report");
const back = document.getElementById("back");
const words = document.getElementById("words");
const blocks = [...document.querySelectorAll(".story-data")];
let view;
let shown;
// Where the reader was in the matrix.
let cell;

/** Opens what the address names: a story, a moment in it, and what it goes without. */
async function open() {
  const address = new URLSearchParams(location.hash.slice(1));
  const number = report ? address.get("story") : "0";
  if (!blocks[number ?? -1]) return report && showReport();
  if (shown !== number) {
    view?.close();
    shown = number;
    const story = await unpackStory(blocks[number]);
    if (report) {
      cell = document.activeElement;
      report.hidden = true;
      back.hidden = false;
    }
    place.hidden = false;
    view = new View(place, story, remember);
    document.title = visible(story.title);
    scrollTo(0, 0);
    if (report) view.parts.headline.focus({ preventScroll: true });
  }
  const without = (address.get("without") ?? "").split(",").filter(Boolean).map(Number);
  view.look(without, address.get("fences") !== "off");
  const at = /^([\d.]+)(ms|s|us)?(?::(\d+))?$/.exec(address.get("t") ?? "");
  if (at) view.seek(Math.round(at[1] * { ms: 1000, s: 1_000_000, us: 1 }[at[2] ?? "ms"]), at[3]);
}

function showReport() {
  view?.close();
  [view, shown] = [undefined, undefined];
  place.hidden = true;
  back.hidden = true;
  report.hidden = false;
  cell?.focus();
}

/** Puts what is looked at into the address. */
function remember() {
  const { without, checked, selected } = view.state;
  const parts = [];
  if (report) parts.push(`story=${shown}`);
  if (without.size > 0) parts.push(`without=${[...without].join()}`);
  if (!checked) parts.push("fences=off");
  if (selected !== undefined) parts.push(`t=${view.moment(selected)}`);
  history.replaceState(null, "", `#${parts.join("&")}`);
}

const KEYS = {
  ArrowRight: () => view.step(1),
  ArrowLeft: () => view.step(-1),
  j: () => view.step(1),
  k: () => view.step(-1),
  b: () => view.toBreak(),
  a: () => view.detail(),
  Escape: () => view.select(undefined, true),
  "+": () => view.zoom(2),
  "-": () => view.zoom(0.5),
};
// These scroll, unless the drawing has the focus.
const IN_DRAWING = {
  ArrowDown: () => view.step(1),
  ArrowUp: () => view.step(-1),
  Home: () => view.step(-Infinity),
  End: () => view.step(Infinity),
};

addEventListener("keydown", (key) => {
  if (!view || key.ctrlKey || key.metaKey || key.altKey) return;
  const inDrawing = document.activeElement === view.parts.drawing;
  const act = KEYS[key.key] ?? (inDrawing ? IN_DRAWING[key.key] : undefined);
  if (!act) return;
  key.preventDefault();
  act();
});

for (const [type, printing] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(type, () => {
    if (!view) return;
    view.printing = printing;
    view.draw();
  });
}

addEventListener("hashchange", open);

// Without it, the stories are there in words.
if (typeof DecompressionStream === "function") {
  words.hidden = true;
  const matrix = document.getElementById("matrix-data");
  if (matrix) {
    unpack(matrix).then((data) => showMatrix(document.getElementById("matrix"), data, (story) => (location.hash = `story=${story}`)));
  }
  open();
}
