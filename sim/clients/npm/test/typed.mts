// Not run: the compiler reads it, with what is right and what is wrong.
import { start, type Fault, type LeaseholdError, type Server } from "leasehold-test";

const server: Server = await start({ clock: "real", seed: 2 });
const fault: Fault = await server.fault("hang next=1");
const effective: number = await fault.effective();
const rate: number = (await server.advance(1.5)).rate;
const keys: string[] = (await server.requests())[0].commands[0].keys;
const snapshot: string = await server.snapshot();
await server.fault({ kind: "latency", fixed: "20ms", next: 1 });
const env: Record<string, string> = server.env;
const isRefusal = (error: LeaseholdError) => error.code === "REFUSED" && error.status === 404;
// @ts-expect-error
await server.advance("soon");
// @ts-expect-error
await start({ clock: "fast" });
// @ts-expect-error
await server.fault({ command: "SET" });
export { effective, env, isRefusal, keys, rate, snapshot };
