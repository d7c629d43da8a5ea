// What an event followed from, and what it led to.

import { fenceName } from "./text.js";

/** Of each event its direct causes and effects: what it says itself, and the messages between. */
export function links(run) {
  const found = run.events.map(() => ({ causes: new Set(), effects: new Set() }));
  const link = (cause, effect) => {
    if (cause === effect || !found[cause] || !found[effect]) return;
    found[effect].causes.add(cause);
    found[cause].effects.add(effect);
  };
  run.events.forEach((event, index) => (event.causes ?? []).forEach((cause) => link(cause, index)));
  for (const message of run.messages) {
    if (message.sent_by !== undefined && message.led_to !== undefined) {
      link(message.sent_by, message.led_to);
    }
  }
  return found;
}

/** The event with all that it followed from and all that it led to. */
export function related(run, event) {
  if (!run.events[event]) return new Set();
  const all = links(run);
  const found = new Set([event]);
  for (const side of ["causes", "effects"]) {
    const open = [event];
    const seen = new Set(open);
    while (open.length > 0) {
      for (const next of all[open.pop()][side]) {
        if (seen.has(next)) continue;
        seen.add(next);
        found.add(next);
        open.push(next);
      }
    }
  }
  return found;
}

/** The run as it looks at a resource that takes every write, whatever its fence. */
export function withoutFenceCheck(run) {
  if (!run.events.some((event) => event.kind === "refuse")) return run;
  const events = run.events.map((event) => {
    if (event.kind !== "refuse") return event;
    const fence = event.fence === undefined ? "" : ` with the older fence ${fenceName(event.fence)}`;
    return { ...event, kind: "write", stale: true, text: `takes the write${fence} over the newer one` };
  });
  return { ...run, events };
}
