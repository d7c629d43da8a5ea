// node picture.js STORY.json > STORY.svg

import { readFileSync } from "node:fs";
import { drawPicture } from "./draw.js";

const story = JSON.parse(readFileSync(process.argv[2], "utf8"));
const style = readFileSync(new URL("draw.css", import.meta.url), "utf8");
process.stdout.write(`${drawPicture(story, { width: Number(process.argv[3] ?? 960), style })}\n`);
