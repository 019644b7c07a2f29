import type { AgentEvent, ModelEvent } from "../chat/run-event.ts";
import type { StreamModel } from "./model.ts";

type Events = readonly AgentEvent[];

/** What a model has begun to say. */
export interface Begun {
  iterator: AsyncIterator<Events>;
  first: IteratorResult<Events>;
}

/** Says which model it is, together with the first that it says. */
export function withName(stream: StreamModel, model: string): StreamModel {
  const about: ModelEvent = { type: "model", model };
  return (request, options) => {
    const iterator = stream(request, options)[Symbol.asyncIterator]();
    let isNamed = false;
    const named = (result: IteratorResult<Events>): IteratorResult<Events> => {
      if (result.done || result.value.length === 0) return result;
      isNamed = true;
      return { value: [about, ...result.value] };
    };
    return iterable({
      next: () => (isNamed ? iterator.next() : iterator.next().then(named)),
      return: () => iterator.return?.() ?? DONE,
    });
  };
}

/** Waits until it says something: before that a failure is still the caller's to be told plainly. */
export async function firstOf(events: AsyncIterable<Events>): Promise<Begun> {
  const iterator = events[Symbol.asyncIterator]();
  let first = await iterator.next();
  while (!first.done && first.value.length === 0) first = await iterator.next();
  return { iterator, first };
}

/**
 * The events of a model that is still to be found, with what is to be known about it before the first of them. From the
 * second pull on it hands out the model's own promises: nothing is added on the way of a token.
 */
export function startWith(find: () => Promise<Begun & { about: ModelEvent }>): AsyncIterable<Events> {
  let found: AsyncIterator<Events> | undefined;
  const begin = async (): Promise<IteratorResult<Events>> => {
    const { iterator, first, about } = await find();
    found = iterator;
    return first.done ? first : { value: [about, ...first.value] };
  };
  return iterable({
    next: () => (found ? found.next() : begin()),
    return: () => found?.return?.() ?? DONE,
  });
}

const DONE = Promise.resolve({ done: true, value: undefined } as const);

function iterable(iterator: AsyncIterator<Events>): AsyncIterable<Events> {
  return { [Symbol.asyncIterator]: () => iterator };
}
