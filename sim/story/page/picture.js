// A story as one picture, light or dark as its reader prefers:
//
//     node picture.js STORY.json [WIDTH] > STORY.svg

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { HEAD, drawWhole } from "./draw.js";
import { layOut } from "./layout.js";
import { escape, wrap } from "./text.js";

/** The picture. Options: `width` in pixels. */
export function drawPicture(story, { width }) {
  const run = story.runs.find((each) => each.without.length === 0);
  const callout = run.verdict.holds ? undefined : run.verdict.text;
  const layout = layOut(story, run, { width, callout });
  const headline = wrap(story.headline, width - 12, 18.3, 5);
  const top = headline.length * 22 + 14;
  const height = top + HEAD + layout.height;
  const lines = headline.map((line, place) => `<tspan x="4" y="${20 + place * 22}">${escape(line)}</tspan>`).join("");
  const style = readFileSync(new URL("draw.css", import.meta.url), "utf8");
  return (
    `<svg class="story" xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" aria-labelledby="title described"><title id="title">` +
    `${escape(story.headline)}</title><desc id="described">${run.text.map(escape).join("\n")}</desc>` +
    `<style>${style}</style><rect class="ground" width="100%" height="100%"/>` +
    `<text class="title">${lines}</text><g transform="translate(0 ${top})">${drawWhole(layout)}</g></svg>`
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const story = JSON.parse(readFileSync(process.argv[2], "utf8"));
  process.stdout.write(`${drawPicture(story, { width: Number(process.argv[3] ?? 960) })}\n`);
}
