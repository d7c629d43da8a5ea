// The first screen of a report: what holds under what, as a grid.

import { button, element } from "./parts.js";

const STATES = {
  holds: ["✓", "holds"],
  proven: ["✓", "holds, and is proven in a bounded model"],
  broken: ["✕", "broken"],
  "not-exercised": ["·", "not exercised"],
  "not-applicable": ["", "does not apply"],
};

/** Shows the matrix of a report in an element. `open` is given the number of a story. */
export function showMatrix(place, report, open) {
  place.replaceChildren("matrix");
}
