import { readdirSync, readFileSync } from "node:fs";

/** Linux tells CPU time in ticks of USER_HZ, which is 100 on every architecture that Node runs on. */
const MICROS_A_TICK = 10_000;

/** CPU time of a process and its children, ended ones too, in µs. */
export function readCpuMicros(pid: number): number {
  let ticks = 0;
  for (const one of listTree(pid)) {
    const stat = readText(`/proc/${one}/stat`);
    // The name before the last parenthesis may contain anything; utime, stime, cutime and cstime are 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    for (const position of [11, 12, 13, 14]) ticks += Number(fields[position] ?? 0);
  }
  return ticks * MICROS_A_TICK;
}

/** Resident memory of a process and its children, in KiB. */
export function readRssKib(pid: number): number {
  let kib = 0;
  for (const one of listTree(pid)) kib += Number(/^VmRSS:\s*(\d+)/m.exec(readText(`/proc/${one}/status`))?.[1] ?? 0);
  return kib;
}

/** How many files a child may open: Node raises the soft limit to the hard one when it starts. */
export function readOpenFileLimit(): number {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readText("/proc/self/limits"))?.[1];
  return limit === "unlimited" || limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

/** Connections that were dropped because a server was slow to accept them, of all servers since the machine started. */
export function readDrops(): number {
  const [names = "", values = ""] = readText("/proc/net/netstat").split("\n");
  return Number(values.split(" ")[names.split(" ").indexOf("ListenDrops")] ?? 0);
}

function listTree(pid: number): number[] {
  const children = listTasks(pid).flatMap((task) => readText(`/proc/${pid}/task/${task}/children`).split(" "));
  return [pid, ...children.filter((child) => child !== "").flatMap((child) => listTree(Number(child)))];
}

function listTasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty when the process has gone in between, or where there is no /proc: the figure is then missing, not wrong. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
