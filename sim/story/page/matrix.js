// The first screen of a report: what holds under what, as a grid for each subject.

import { button, element } from "./parts.js";

const CHECK = "M4.5 10.5l3.5 3.5l7.5 -8";
const STATES = {
  holds: { words: "holds", icon: `<path class="stroke" d="${CHECK}"/>` },
  proven: {
    words: "holds, proven in a bounded model",
    icon: `<circle class="fill" cx="10" cy="10" r="9"/><path class="stroke on" d="${CHECK}"/>`,
  },
  broken: {
    words: "broken",
    icon: '<rect class="fill" x="1" y="1" width="18" height="18" rx="3"/><path class="stroke on" d="M6 6l8 8m0 -8l-8 8"/>',
  },
  "not-exercised": { words: "not exercised", icon: '<circle class="thin" cx="10" cy="10" r="2.5"/>' },
  "not-applicable": { words: "does not apply", icon: '<path class="thin" d="M7 10h6"/>' },
};

// The report with the faults of a group side by side.
function grouped(report) {
  const groups = [...new Set(report.faults.map((fault) => fault.group))];
  const order = report.faults.map((_, index) => index);
  order.sort((a, b) => groups.indexOf(report.faults[a].group) - groups.indexOf(report.faults[b].group) || a - b);
  const cells = report.cells.map((cell) => ({ ...cell, fault: order.indexOf(cell.fault) }));
  return { ...report, faults: order.map((index) => report.faults[index]), cells };
}

/** Shows a report in an element. `open` is called with the number of a story. */
export function showMatrix(place, given, open) {
  const report = grouped(given);
  const tabs = report.subjects.map((subject, index) =>
    element(
      "button",
      { type: "button", role: "tab", class: "subject", id: `tab-${index}`, "aria-controls": "grid", on: { click: () => reveal(index) } },
      element("b", {}, subject.name),
      element("span", { class: "promise" }, subject.promise),
      element("span", { class: "breaks" }, subject.breaks),
    ),
  );
  const grid = element("div", { id: "grid", role: "tabpanel", "aria-labelledby": "tab-0" });
  const list = element("div", { class: "subjects", role: "tablist", "aria-orientation": "vertical", "aria-label": "Who was tested" }, ...tabs);
  place.replaceChildren(list, grid);
  const choose = (index) => {
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    });
    grid.setAttribute("aria-labelledby", `tab-${index}`);
    grid.replaceChildren(...gridOf(report, index, open));
  };
  const reveal = (index) => {
    choose(index);
    if (grid.getBoundingClientRect().top > innerHeight / 2) grid.scrollIntoView();
  };
  list.addEventListener("keydown", (key) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[key.key];
    if (by === undefined) return;
    key.preventDefault();
    const next = (tabs.indexOf(document.activeElement) + by + tabs.length) % tabs.length;
    choose(next);
    tabs[next].focus();
  });
  if (tabs.length > 0) choose(0);
}

function gridOf(report, subject, open) {
  const cells = report.cells.filter((cell) => cell.subject === subject);
  const rows = report.guarantees.map((_, index) => index).filter((row) => cells.some((cell) => cell.guarantee === row));
  const said = element("p", { class: "said", "aria-live": "polite" }, "Point at a name or a cell: here is what it means. A click on a cell tells more.");
  const say = (...parts) => said.replaceChildren(...parts);
  const body = rows.map((row) => rowOf(report, row, cells, { say, open }));
  const table = element("table", { role: "grid", style: `--faults: ${report.faults.length}`, "aria-label": `${report.subjects[subject].name}: guarantees under faults` },
    element("thead", { role: "rowgroup" }, groupsOf(report), faultsOf(report, say)),
    element("tbody", { role: "rowgroup" }, ...body),
  );
  roam(table);
  return [said, table, legendOf(cells)];
}

function groupsOf(report) {
  const groups = [];
  for (const fault of report.faults) {
    if (groups.at(-1)?.name === fault.group) groups.at(-1).size++;
    else groups.push({ name: fault.group, size: 1 });
  }
  const heads = groups.map(({ name, size }) => element("th", { colspan: size, scope: "colgroup", role: "columnheader", class: "group", style: `--size: ${size}` }, name === "none" ? "" : name));
  return element("tr", { role: "row", class: "groups" }, element("td", { role: "cell" }), ...heads);
}

function faultsOf(report, say) {
  const heads = report.faults.map((fault, index) => {
    const tell = () => say(element("b", {}, fault.name === "none" ? "no fault" : fault.name), ": ", fault.claim);
    const named = element("span", { tabindex: "-1", on: { pointerenter: tell, focus: tell } }, fault.name === "none" ? "no fault" : fault.name);
    const first = index === 0 || report.faults[index - 1].group !== fault.group;
    return element("th", { scope: "col", role: "columnheader", class: first ? "fault first" : "fault" }, named);
  });
  return element("tr", { role: "row", class: "faults" }, element("td", { role: "cell" }), ...heads);
}

function rowOf(report, row, cells, { say, open }) {
  const guarantee = report.guarantees[row];
  const tell = () => say(element("b", {}, guarantee.name), ": ", guarantee.claim);
  const name = element("span", { tabindex: "-1", on: { pointerenter: tell, focus: tell } }, guarantee.name);
  const found = report.faults.map((fault, column) => {
    const cell = cells.find((each) => each.guarantee === row && each.fault === column);
    const first = column === 0 || report.faults[column - 1].group !== fault.group;
    return element("td", { role: "gridcell", class: first ? "first" : undefined }, cell ? cellOf(report, cell, { say, open }) : "");
  });
  return element("tr", { role: "row" }, element("th", { scope: "row", role: "rowheader" }, name), ...found);
}

function cellOf(report, cell, { say, open }) {
  const [guarantee, fault] = [report.guarantees[cell.guarantee].name, report.faults[cell.fault].name];
  const { words, icon } = STATES[cell.state];
  const what = fault === "none" ? `${guarantee} without faults` : `${guarantee} under ${fault}`;
  const more = cell.story === undefined ? "" : ": see its story";
  const tell = () => say(element("b", {}, what), ` ${words}${more}. ${counted(cell)}`);
  const click = () => (cell.story === undefined ? explain(report, cell, what) : open(cell.story));
  const made = element("button", { type: "button", class: `cell ${cell.state}`, tabindex: "-1", "aria-label": `${what}: ${words}${more}`, on: { click, pointerenter: tell, focus: tell } });
  made.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true">${icon}</svg>`;
  return made;
}

function counted({ state, schedules, exercised }) {
  if (state === "not-applicable") return "There is nothing here that the fault could befall.";
  const runs = schedules === 1 ? "1 schedule was run" : `${schedules.toLocaleString("en")} schedules were run`;
  if (exercised === 0 && state !== "not-exercised") return `${runs}.`;
  return `${runs}; in ${exercised.toLocaleString("en")} of them it could have broken.`;
}

/** Says why a cell is as it is, where there is no story to show. */
function explain(report, cell, what) {
  const models = cell.models ?? [];
  const dialog = element("dialog", { "aria-labelledby": "explained", class: "explained" },
    element("h2", { id: "explained" }, `${report.subjects[cell.subject].name}: ${what}`),
    element("p", { class: cell.state === "broken" ? "bad" : "good" }, STATES[cell.state].words),
    element("p", {}, element("b", {}, "Promised: "), report.guarantees[cell.guarantee].claim),
    element("p", {}, element("b", {}, "Fault: "), report.faults[cell.fault].claim),
    element("p", {}, counted(cell)),
    models.length > 0 && element("p", {}, "Within the bounds of these models every schedule was run, and none breaks it:"),
    models.length > 0 && element("ul", {}, ...models.map((model) => element("li", {}, model))),
    button("Close", () => dialog.close()),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Lets the arrow keys go from cell to cell: only one of them is reached by Tab. */
function roam(table) {
  const rows = [...table.rows].map((row) => [...row.querySelectorAll("[tabindex]")]).filter((row) => row.length > 0);
  const first = rows[1]?.[1] ?? rows[0]?.[0];
  if (first) first.tabIndex = 0;
  table.addEventListener("keydown", (key) => {
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[key.key] ?? [];
    const y = rows.findIndex((row) => row.includes(document.activeElement));
    if (down === undefined || y < 0) return;
    key.preventDefault();
    // The heads of the columns begin one place further right than the rows.
    const x = rows[y].indexOf(document.activeElement) + (y === 0 ? 1 : 0);
    const row = rows[Math.max(0, Math.min(rows.length - 1, y + down))];
    const place = x + right - (row === rows[0] ? 1 : 0);
    const next = row[Math.max(0, Math.min(row.length - 1, place))];
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function legendOf(cells) {
  const items = Object.entries(STATES).map(([state, { words, icon }]) => {
    const count = cells.filter((cell) => cell.state === state).length;
    if (count === 0) return undefined;
    const sign = element("span", { class: `cell ${state}` });
    sign.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true">${icon}</svg>`;
    return element("span", {}, sign, `${count} ${words}`);
  });
  return element("p", { class: "legend" }, ...items.filter(Boolean));
}
