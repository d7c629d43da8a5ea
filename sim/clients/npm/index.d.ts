/** How a server is started. */
export interface Options {
  /**
   * How its clock runs: `"frozen"`, which is the default, moves only by `advance` and `setClock`;
   * `"real"` keeps the time of this machine; a number is the seconds that pass in each second.
   */
  clock?: "frozen" | "real" | number;
  /** The seed of what is left to chance, such as a rule's `probability`. 1 if not given. */
  seed?: number;
  /** The program `leasehold`. If not given: `LEASEHOLD_BIN`, else the one in `PATH`. */
  bin?: string;
}

/**
 * Starts a server of its own on free ports. It ends with `stop()`, or with this process, however that
 * ends. It does not keep this process from ending.
 *
 * Throws a `LeaseholdError`: `NO_BINARY` if there is no program to run, `NOT_STARTED` if it ended
 * before it listened.
 */
export function start(options?: Options): Promise<Server>;

/** A running server. Its methods throw a `LeaseholdError`: `REFUSED` or `GONE`. */
export class Server {
  private constructor();
  /** Where Redis clients connect, such as `redis://127.0.0.1:6399`. */
  readonly url: string;
  /** Where clients of Upstash's REST protocol connect. */
  readonly restUrl: string;
  /** What those clients have to show. */
  readonly restToken: string;
  /** The number of its process. */
  readonly pid: number;
  /** The same as variables for code that reads its environment. */
  readonly env: {
    REDIS_URL: string;
    UPSTASH_REDIS_REST_URL: string;
    UPSTASH_REDIS_REST_TOKEN: string;
  };

  /** Lets so many milliseconds pass at once: keys expire, delays end. */
  advance(milliseconds: number): Promise<Reading>;
  /** What its clock shows. */
  clock(): Promise<Reading>;
  /** Changes its clock; all at once, in the order of the fields. */
  setClock(change: ClockChange): Promise<Reading>;

  /** Puts a fault in force: `"reply-loss command=SET next=1"`, or the same as an object. */
  fault(rule: string | Rule): Promise<Fault>;
  /** All rules in force, and what was injected. */
  faults(): Promise<{ rules: RuleReport[]; injections: Injection[] }>;
  /** Takes all rules out of force, and forgets what they did. */
  clearFaults(): Promise<void>;
  /** The last thousand requests, oldest first. */
  requests(): Promise<Request[]>;

  /** A replica takes over that lacks the writes of the last `lose`; nobody answers for `down`. */
  failover(how?: { lose?: Span; down?: Span }): Promise<Lost>;
  /** The server comes back without data and scripts; nobody answers for `down`. */
  restart(how?: { down?: Span }): Promise<Lost>;
  /** Removes every key. Connections, scripts, faults and the clock stay. */
  flush(): Promise<void>;

  /** Takes down every key and the time, and says its name. The last 16 are kept. */
  snapshot(): Promise<string>;
  /** Goes back to the keys and the time of a snapshot. Connections, scripts and faults stay. */
  restore(id: string): Promise<void>;
  /**
   * Makes the server as it was when it started: no keys, no faults, and the time and pace of its
   * first clock. Connections, scripts and snapshots stay.
   */
  reset(): Promise<void>;

  /** Ends the server. */
  stop(): Promise<void>;
}

/** A rule in force. */
export class Fault {
  private constructor();
  /** Its name. */
  readonly id: string;
  /** The rule, and how often it was injected and took effect. */
  rule(): Promise<RuleReport>;
  /** Into which requests it was injected. */
  injections(): Promise<Injection[]>;
  /** How often it changed what would have happened. A test whose fault did not has shown nothing. */
  effective(): Promise<number>;
  /** Takes it out of force. */
  remove(): Promise<void>;
  /** Lets the requests go that a rule of the kind `hold` holds; how many. */
  release(): Promise<number>;
}

/** Why a server did not do what it was asked for. */
export class LeaseholdError extends Error {
  /**
   * `NO_BINARY`: there is no program to run. `NOT_STARTED`: it did not begin to listen. `REFUSED`: the
   * server refused, and `message` is its sentence. `GONE`: it does not answer.
   */
  readonly code: "NO_BINARY" | "NOT_STARTED" | "REFUSED" | "GONE";
  /** The status of a refusal. */
  readonly status?: number;
}

/** A length of time with its unit, such as `"250ms"` or `"1s 500ms"`. */
export type Span = string;

/** What goes wrong, for which requests, and how often. SERVE.md of Leasehold has all kinds. */
export interface Rule {
  /** What goes wrong, such as `"reply-loss"`. */
  kind: string;
  /** Its name; a number if it has none. */
  id?: string;
  /** Only these commands. */
  command?: string | string[];
  /** Only commands with a key that matches this glob. */
  key?: string;
  /** Only requests over this protocol. */
  transport?: "rest" | "resp";
  /** How many requests are passed over first. */
  skip?: number;
  /** How many get the fault at most. */
  next?: number;
  /** How likely each gets it, from 0 to 1. */
  probability?: number;
  /** The seed of that chance. */
  seed?: number;
  /** What belongs to the kind, such as `lag`, `code` or `text`. */
  [field: string]: unknown;
}

/** A rule and what it has done. */
export interface RuleReport {
  id: string;
  kind: string;
  command?: string[];
  key?: string;
  transport?: "rest" | "resp";
  skip: number;
  next?: number;
  probability?: number;
  seed?: number;
  /** How many requests it was about. */
  seen: number;
  /** Into how many of them it was injected. */
  injected: number;
  /** How often that changed what would have happened. */
  effective: number;
  [field: string]: unknown;
}

/** A fault that was injected into a request. */
export interface Injection {
  id: number;
  rule: string;
  kind: string;
  unix_ms: number;
  transport: "rest" | "resp";
  client: string;
  command: string;
  keys: string[];
  effective: boolean;
  effect?: string | null;
  [field: string]: unknown;
}

/** A request that arrived. */
export interface Request {
  id: number;
  unix_ms: number;
  transport: "rest" | "resp";
  client: string;
  commands: { name: string; keys: string[] }[];
  [field: string]: unknown;
}

/** What a clock shows. */
export interface Reading {
  /** Milliseconds since the Unix epoch. */
  unix_ms: number;
  /** Milliseconds that passed by this clock since the server was started. */
  elapsed_ms: number;
  /** Seconds that pass in each second. */
  rate: number;
}

/** What to do with a clock. */
export interface ClockChange {
  mode?: "real" | "frozen";
  /** Seconds that pass in each second; in place of `mode`. */
  rate?: number;
  /** The Unix time to show. */
  unix_ms?: number;
  /** Sets the Unix time forward or back; no time passes. */
  jump_ms?: number;
  /** Lets so much time pass at once. */
  advance_ms?: number;
}

/** What a failover or a restart lost. */
export interface Lost {
  writes: number;
  keys: number;
}
