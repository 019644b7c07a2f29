import type { z } from "zod";

/** What is wrong with a value, and where: the first of its faults, as JSON Schema's validators write it. */
export function describeIssue({ issues: [issue] }: z.ZodError): string {
  if (!issue) return "is not valid";
  const path = issue.path.map((part) => `/${String(part).slice(0, 64)}`).join("");
  return `${path === "" ? "at root" : `at ${path}`}: ${issue.message.slice(0, 200)}`;
}
