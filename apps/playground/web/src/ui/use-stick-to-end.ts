import type { RefObject } from "preact";
import { useCallback, useLayoutEffect, useRef } from "preact/hooks";

/** How far from its end a pane still counts as read to the end, in pixels. */
const NEAR = 32;

/** Keeps a pane that grows scrolled to its end, unless its reader has scrolled away. */
export function useStickToEnd<T extends HTMLElement>(content: unknown): { ref: RefObject<T>; onScroll: () => void } {
  const ref = useRef<T>(null) as RefObject<T>;
  const atEnd = useRef(true);
  const stick = useCallback(() => {
    const pane = ref.current;
    if (atEnd.current && pane) pane.scrollTop = pane.scrollHeight;
  }, [ref]);

  useLayoutEffect(stick, [content]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(stick);
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [ref, stick]);

  const onScroll = useCallback(() => {
    const { scrollHeight, scrollTop, clientHeight } = ref.current;
    if (clientHeight > 0) atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
  }, [ref]);
  return { ref, onScroll };
}
