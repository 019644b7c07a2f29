import type { GatewaySetup } from "./targets.ts";

/** What a figure is held against: the floor's or direct's of the same round, or a figure of its own. */
export type Bound = { of: "floor" | "direct" | "itself"; sense: "min" | "max"; gate: number; aim: number };
/** One line of the table. `aboveDirect` takes direct's figure of the same round away first. */
export type Row = { label: string; figure: string; aboveDirect?: boolean; bound?: Bound };
/** `isSaturating`: target or load must be at its limit, or something else had the machine. */
export type Scenario<Plan = unknown> = {
  name: string;
  full: Plan;
  quick: Plan;
  deadlineMs: number;
  isSaturating?: true;
  /** The one target it is for: the others do not have what it measures, and show "–". */
  target?: "gateway";
  /** How its gateways are started; they are up at the same time. One as its users have it when absent. */
  gateways?(plan: Plan): GatewaySetup[];
  rows: Row[];
};
