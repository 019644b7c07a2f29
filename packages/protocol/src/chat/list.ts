import { z } from "zod";

/** What the lists of {@link listOf} are made of, for who describes them: their type says it, their checks cannot. */
export const listElements = new WeakMap<object, z.ZodType>();

/**
 * An array of any length that reports its first bad element and stops. `z.array` reports every one, which is fine
 * below a `.max()`; without one, a hostile body of millions of bad elements would cost gigabytes of issues, and from
 * some 100,000 on zod throws a RangeError instead of failing.
 */
export function listOf<T extends z.ZodType>(element: T): z.ZodType<z.output<T>[], z.input<T>[]> {
  const list = z.array(z.unknown()).transform((values, context) => {
    const parsed: z.output<T>[] = [];
    for (const [index, value] of values.entries()) {
      const result = element.safeParse(value);
      if (!result.success) {
        for (const issue of result.error.issues) {
          context.issues.push({ ...issue, path: [index, ...issue.path] } as z.core.$ZodRawIssue);
        }
        return z.NEVER;
      }
      parsed.push(result.data);
    }
    return parsed;
  });
  listElements.set(list, element);
  // Narrows the input type only: what is refused at run time is not offered to the compiler either.
  return list as unknown as z.ZodType<z.output<T>[], z.input<T>[]>;
}
