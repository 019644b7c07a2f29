/** Marks what was said in another window, or by another program. */
export function Elsewhere() {
  return (
    <small class="elsewhere" title="In another window, or by another program">
      from elsewhere
    </small>
  );
}
