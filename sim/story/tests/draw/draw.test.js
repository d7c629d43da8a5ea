// What is drawn of a story, without a browser.

import assert from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { links, related, withoutFenceCheck } from "../../page/cause.js";
import { drawHeads, drawLayout, drawRun, heldTogether } from "../../page/draw.js";
import { drawPicture } from "../../page/picture.js";
import { layOut, timeY } from "../../page/layout.js";
import { duration, escape, fenceName, time, visible, width, wrap } from "../../page/text.js";

const read = (name) => JSON.parse(readFileSync(`${process.env.STORIES}/${name}.json`, "utf8"));
const failover = read("failover");
const [told, held] = failover.runs;

test("texts are escaped, and what cannot be seen is named", () => {
  assert.equal(escape(`<b a="1" c='2'>&`), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
  assert.equal(visible("a\u202eb\u0000c\ud800d"), "a⟨202E⟩b⟨0000⟩c⟨D800⟩d");
  assert.equal(visible("naïve 漢字 😀"), "naïve 漢字 😀");
});

test("texts fit into their room", () => {
  for (const text of ["a few words that are longer than a line", "x".repeat(10_000), "", "😀".repeat(50)]) {
    const lines = wrap(text, 100, 13, 3);
    assert.ok(lines.length <= 3);
    for (const line of lines) assert.ok(width(line, 13) <= 100, line);
  }
  assert.deepEqual(wrap("short", 100, 13, 3), ["short"]);
  assert.ok(wrap("word ".repeat(50), 100, 13, 2)[1].endsWith("…"));
});

test("times are for people", () => {
  assert.equal(time(92_458), "92.4 ms");
  assert.equal(fenceName(12), "12");
  assert.equal(fenceName(1767225600091458), "…0091458");
  assert.equal(time(12_345_678), "12.34 s");
  assert.equal(duration(986_000), "986 ms");
  assert.equal(duration(250), "250 µs");
});

test("time runs down, and labels of a lane do not overlap", () => {
  for (const story of [failover, read("everything"), read("hostile")]) {
    for (const width of [320, 700, 1280, 2400]) {
      const { rows, height, narrow, lanes } = layOut(story, story.runs[0], { width });
      rows.reduce((above, row) => (assert.ok(row.y >= above.y), row));
      assert.ok(rows.at(-1).y < height);
      for (let lane = 0; lane < lanes.length; lane++) {
        const own = rows.filter((row) => narrow || row.lane === lane);
        own.reduce((above, row) => (assert.ok(row.y - above.y >= 12), row));
      }
    }
  }
});

test("keys that a server has at the same time stand side by side", () => {
  const boxes = (keys) => {
    const spans = keys.map(([from, to]) => ({ lane: 2, kind: "key", from, to, text: "has a key" }));
    const { svg } = drawRun(failover, { ...told, spans }, { width: 1280 });
    const found = [...svg.matchAll(/<g class="bar key[^>]*><rect x="([\d.]+)" y="[\d.]+" width="(\d+)"/g)];
    return found.map(([, left, wide]) => [Number(left), Number(left) + Number(wide)]);
  };
  const [first, second] = boxes([[0, 2000], [2000, 14000]]);
  assert.deepEqual(first, second);
  const [a, b, c, afterA, afterB] = boxes([[0, 14000], [1000, 92000], [2000, 152000], [14000, 153000], [92000, 152000]]);
  for (const [left, right] of [[b, a], [c, b]]) assert.ok(left[1] < right[0], `${left} beside ${right}`);
  assert.deepEqual([afterA, afterB], [a, b]);
  assert.ok(c[0] > layOut(failover, told, { width: 1280 }).lanes[2].left - 8);
});

test("quiet stretches are folded, and zoom does not change which", () => {
  const folds = (zoom) => layOut(failover, told, { width: 900, zoom }).folds.map(({ from, to }) => [from, to]);
  assert.deepEqual(folds(1), [[3000, 14000], [14000, 91400], [93400, 152000], [153000, 400000]]);
  assert.deepEqual(folds(4), folds(1));
});

test("a span begins and ends at the events of its grant", () => {
  const layout = layOut(failover, told, { width: 900 });
  const row = (index) => layout.byEvent[index].y;
  assert.equal(timeY(layout, 1000, 2, "from", "A1"), row(1));
  assert.equal(timeY(layout, 1000, 2, "to"), row(2));
  assert.equal(timeY(layout, 2000, 0, "from", "A1"), row(5));
  const between = timeY(layout, 2500, 0, "from");
  assert.ok(between > row(6) && between < row(7));
});

test("every event and lane is drawn, with a name", () => {
  for (const width of [340, 1200]) {
    const { svg, layout } = drawRun(failover, told, { width });
    assert.equal(svg.match(/role="option"/g).length, told.events.length);
    assert.ok(svg.includes('aria-label="1.0 ms, server: grants A the lock until 1002 ms, fence 1"'));
    assert.equal(drawHeads(layout).match(/role="listitem"/g).length, 5);
    assert.ok(drawHeads(layout).includes('aria-label="replica, replica"'));
  }
});

test("the event that breaks the promise is marked and said", () => {
  const { svg } = drawRun(failover, told, { width: 900, callout: told.verdict.text });
  assert.ok(/class="event act broke[^"]*" id="event-13"/.test(svg));
  assert.ok(svg.includes('class="callout"') && svg.includes("Client A acts under the lock while client C holds it."));
  const calm = drawRun(failover, held, { width: 900 });
  assert.ok(!/class="[^"]*(broke|callout)/.test(calm.svg));
});

test("a request is part of the call that sends it, unless all is wanted", () => {
  const run = structuredClone(told);
  run.events.splice(1, 0, { at: 0, lane: 0, kind: "send", text: "sends: acquire" });
  run.messages = [{ from: 0, to: 2, sent: 0, arrived: 1000, fate: "delivered", text: "acquire", sent_by: 1, led_to: 2 }];
  const brief = layOut(failover, run, { width: 900 });
  assert.equal(brief.byEvent[1], brief.byEvent[0]);
  assert.ok(brief.byEvent[0].raised);
  const detailed = layOut(failover, run, { width: 900, detailed: true });
  assert.ok(detailed.byEvent[1].y > detailed.byEvent[0].y);
});

test("requests in vain are left out, unless all is wanted", () => {
  const run = structuredClone(told);
  const exchange = (at, decision) => {
    const first = run.events.length;
    run.events.push(
      { at, lane: 1, kind: "send", text: "sends: acquire" },
      { at: at + 1000, lane: 3, kind: "apply", text: "executes", causes: [first], decision },
      { at: at + 2000, lane: 1, kind: "reply", text: "hears: held by another", causes: [first + 1] },
    );
    const message = (from, to, sent, sent_by) => ({ from, to, sent, arrived: sent + 1000, fate: "delivered", text: "", sent_by, led_to: sent_by + 1 });
    run.messages.push(message(1, 3, at, first), message(3, 1, at + 1000, first + 1));
  };
  exchange(200_000);
  exchange(300_000, 0);
  const brief = layOut(failover, run, { width: 900 });
  assert.deepEqual([15, 16, 17, 18, 19, 20].map((event) => brief.byEvent[event] !== undefined), [false, false, false, true, true, true]);
  assert.ok(drawLayout(brief).includes("later, with requests in vain"));
  const all = layOut(failover, run, { width: 900, detailed: true });
  assert.equal(all.rows.length, 21);
  assert.ok(!drawLayout(all).includes("in vain"));
});

test("a client that only asks in vain is left out, unless all is wanted", () => {
  const story = structuredClone(failover);
  story.lanes.splice(1, 0, { name: "client B", kind: "client" });
  const run = story.runs[0];
  const moved = (lane) => (lane > 0 ? lane + 1 : lane);
  run.events.forEach((event) => (event.lane = moved(event.lane)));
  run.spans.forEach((span) => (span.lane = moved(span.lane)));
  run.messages.forEach((message) => Object.assign(message, { from: moved(message.from), to: moved(message.to) }));
  run.events.push({ at: 200_000, lane: 1, kind: "call", text: "asks for the lock" });
  const brief = layOut(story, run, { width: 900 });
  assert.deepEqual([...brief.idle], [1]);
  assert.equal(drawHeads(brief).match(/role="listitem"/g).length, 5);
  assert.equal(brief.byEvent[15], undefined);
  assert.ok(!drawLayout(brief).includes("NaN"));
  const all = layOut(story, run, { width: 900, detailed: true });
  assert.ok(all.byEvent[15] && drawHeads(all).includes("client B"));
});

test("what is held by several at once is found", () => {
  assert.deepEqual(heldTogether({ story: failover, run: told }).lanes, [0, 1]);
  assert.equal(heldTogether({ story: failover, run: told }).from, 92_400);
  assert.equal(heldTogether({ story: failover, run: held }), undefined);
});

test("messages are drawn by how they fared", () => {
  const everything = read("everything");
  const { svg } = drawRun(everything, everything.runs[0], { width: 900 });
  const shapes = ["delivered", "lost", "late", "duplicate", "unanswered"].map((fate) => {
    const drawn = svg.match(new RegExp(`<g class="message ${fate}[^>]*>(.*?)</g>`))[1];
    return drawn.replace(/[-\d. ]+/g, "");
  });
  assert.equal(new Set(shapes).size, 5);
  for (const word of ["lost", "late", "copy", "no answer"]) assert.ok(svg.includes(`>${word}<`), word);
  for (const kind of ["pause", "partition", "clock", "down"]) assert.ok(svg.includes(`class="band ${kind}"`), kind);
});

test("causes and effects of a selected event stand out", () => {
  assert.deepEqual([...links(told)[6].causes], [5]);
  assert.deepEqual([...related(told, 5)].sort((a, b) => a - b), [0, 1, 5, 6, 7, 13, 14]);
  const { svg } = drawRun(failover, told, { width: 900, selected: 5 });
  assert.ok(/id="event-8"/.test(svg) && /class="event call g1 dim" id="event-8"/.test(svg));
  assert.ok(/class="event act g0" id="event-6"/.test(svg));
});

test("with the event that breaks the promise, the other holder stands out", () => {
  const { svg } = drawRun(failover, told, { width: 900, selected: 13 });
  for (const event of [1, 3, 4, 9, 12]) assert.ok(new RegExp(`class="event [a-z]+( g\\d)?" id="event-${event}"`).test(svg), `${event}`);
});

test("without the check of fences the older write is taken", () => {
  const run = withoutFenceCheck(told);
  assert.equal(run.events[14].kind, "write");
  assert.ok(run.events[14].text.includes("older fence 1"));
  assert.equal(withoutFenceCheck(held), held);
});

test("hostile texts are texts", () => {
  const hostile = read("hostile");
  for (const width of [340, 1200]) {
    const { svg, layout } = drawRun(hostile, hostile.runs[0], { width, callout: hostile.runs[0].verdict.text, selected: 3 });
    for (const drawn of [svg, drawHeads(layout), drawPicture(hostile, { width }).replace(/<style>[^<]*<.style>/, "")]) {
      assert.ok(!/<script|<!--|[\u0000\u202e\u2066]/.test(drawn));
      const tags = drawn.match(/<[^>]*>/g);
      for (const tag of tags) assert.ok(/^<\/?[a-z]+( [a-zA-Z-]+="[^"<>]*")*\/?>$/.test(tag), tag.slice(0, 300));
    }
  }
});

test("of a long story only what is in view is drawn", () => {
  const long = read("long");
  const layout = layOut(long, long.runs[0], { width: 1200 });
  const drawn = drawLayout(layout, { view: { top: 10_000, bottom: 12_000 } });
  assert.ok(drawn.length < 200_000, `${drawn.length}`);
  assert.ok(drawn.includes('role="option"'));
});

test("a picture stands by itself", () => {
  const picture = drawPicture(failover, { width: 960 });
  assert.ok(picture.startsWith('<svg class="story" xmlns="http://www.w3.org/2000/svg" role="img"'));
  assert.ok(picture.includes("prefers-color-scheme: dark") && !picture.includes("NaN") && !picture.includes("undefined"));
});

test("any story can be drawn, also one that contradicts itself", () => {
  let state = 1;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  const some = (list) => list[random(list.length)];
  const maybe = (value) => (random(2) === 0 ? undefined : value);
  const event = () => ({
    at: random(20) * 700,
    lane: random(6),
    kind: some(["call", "return", "send", "apply", "grant", "act", "write", "refuse", "key", "reply", "give-up", "end", "fault", "note", "new"]),
    text: some(["asks", "x".repeat(40), "", "a b c d e f g h i j k l m n o p"]),
    grant: maybe(some(["A1", "B1"])),
    fence: maybe(some([1, 1767225600001000, "18446744073709551615"])),
    decision: maybe(0),
    causes: maybe([random(30)]),
  });
  const message = () => ({
    from: random(6),
    to: random(6),
    sent: random(20) * 700,
    arrived: maybe(random(20) * 700),
    fate: some(["delivered", "lost", "late", "duplicate", "unanswered"]),
    text: "m",
    sent_by: maybe(random(30)),
    led_to: maybe(random(30)),
  });
  const span = () => ({
    lane: maybe(random(6)),
    kind: some(["lease", "key", "work", "pause", "partition", "clock", "down"]),
    from: random(20) * 700,
    to: random(20) * 700,
    text: "s",
    grant: maybe("A1"),
  });
  const list = (make) => Array.from({ length: random(25) }, make);
  for (let round = 0; round < 400; round++) {
    const events = list(event).sort((a, b) => a.at - b.at);
    const verdict = { holds: random(2) === 0, text: "it broke", event: maybe(random(30)) };
    const run = { without: [], verdict, end: random(20) * 700, events, messages: list(message), spans: list(span), text: [] };
    const kinds = ["client", "client", "server", "replica", "resource"].slice(0, random(6));
    const story = { lanes: kinds.map((kind, index) => ({ name: `${kind} ${index}`, kind })), decisions: [], runs: [run] };
    for (const width of [20, 340, 1200]) {
      for (const detailed of [false, true]) {
        const drawn = drawRun(story, run, { width, detailed, callout: "it broke", selected: maybe(random(25)) });
        assert.ok(!/NaN|undefined|Infinity/.test(drawn.svg + drawHeads(drawn.layout)), `round ${round}`);
      }
    }
  }
});
