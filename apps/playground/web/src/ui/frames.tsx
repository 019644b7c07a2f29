import { Component } from "preact";
import { useState } from "preact/hooks";
import type { FrameLog, FrameRow } from "../wire/frame-log.ts";
import { useStickToEnd } from "./use-stick-to-end.ts";
import { useStore } from "./use-store.ts";

/** The stream as it came, one frame to a row. */
export function Frames({ frames }: { frames: FrameLog }) {
  const { rows, total } = useStore(frames.store);
  const [folds, setFolds] = useState(true);
  const { ref, onScroll } = useStickToEnd<HTMLOListElement>(rows);
  return (
    <div class="frames">
      <div class="bar">
        <h2>
          Frames <small>{total}</small>
        </h2>
        <label class="check">
          <input type="checkbox" checked={folds} onChange={(event) => setFolds(event.currentTarget.checked)} />
          Fold what repeats
        </label>
        <button type="button" class="quiet" onClick={() => frames.clear()}>
          Clear
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <ol class="rows" ref={ref} onScroll={onScroll} tabIndex={0} aria-label="Frames, as they came">
        {rows.length === 0 && <li class="none">What the gateway sends shows up here, byte for byte.</li>}
        {rows.map((row) => (
          <Row key={row.id} row={row} folds={folds} />
        ))}
      </ol>
    </div>
  );
}

interface RowProps {
  row: FrameRow;
  folds: boolean;
}

/** Rows never change, and there are hundreds of them. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return next.folds !== this.props.folds || next.row !== this.props.row;
  }

  override render({ row, folds }: RowProps) {
    const { kind, at, idHead, idTail, head, gap, body, tail, cut } = row;
    const folded = folds && row.repeats;
    const id = folds && row.idRepeats ? `id: …:${idTail.trimEnd()} ` : idHead + idTail;
    return (
      <li class={kind}>
        <time>{(at / 1000).toFixed(3)}</time>
        <span class="frame">
          <i>
            {id}
            {folded ? "data: {…" : head + gap}
          </i>
          <span>{body}</span>
          <i>{folded && tail !== "" ? "…}" : tail}</i>
          {cut > 0 && <em> {cut} more characters</em>}
        </span>
      </li>
    );
  }
}
