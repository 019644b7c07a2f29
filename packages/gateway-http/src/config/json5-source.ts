import { type AnyNode, parse, type Token } from "@humanwhocodes/momoa";
import { isJson } from "../errors/is-json.ts";

/** A piece of text to put in the place of what stands from one offset to another. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export type Range = Pick<Edit, "from" | "to">;

/** JSON5 with what is needed to edit it and leave the rest, comments and all, as it is. */
export class Json5Source {
  readonly text: string;
  readonly body: AnyNode;
  /** The file is plain JSON: other programs may read it as that. */
  readonly isJson: boolean;
  readonly newline: string;
  /** One step of indentation. */
  readonly indent: string;
  readonly #tokens: readonly Token[];
  readonly #byteOrderMark: string;

  /** @param file well-formed JSON5 */
  constructor(file: string) {
    this.text = file.replace(/^\uFEFF/, "");
    this.#byteOrderMark = file.slice(0, file.length - this.text.length);
    const { body, tokens } = parse(this.text, { mode: "json5", tokens: true });
    this.body = body;
    this.#tokens = tokens ?? [];
    this.isJson = isJson(this.text);
    this.newline = this.text.includes("\r\n") ? "\r\n" : "\n";
    this.indent = /^(?:\t| {2,8})(?=\S)/m.exec(this.text)?.[0] ?? "  ";
  }

  /** The last token within a container, its comments included; its opening bracket when it is empty. */
  lastWithin(container: AnyNode): Range {
    return rangeOf(this.#tokens.findLast(({ loc }) => loc.end.offset < container.loc.end.offset) ?? container);
  }

  /** The comma after an item of a container. */
  commaAfter(item: AnyNode): Range | undefined {
    const next = this.#tokens.find(({ type, loc }) => loc.start.offset >= item.loc.end.offset && !isComment(type));
    return next?.type === "Comma" ? rangeOf(next) : undefined;
  }

  /** The white space that the line of an offset begins with. */
  indentAt(offset: number): string {
    return /^[ \t]*/.exec(this.text.slice(this.lineStart(offset)))?.[0] ?? "";
  }

  lineStart(offset: number): number {
    return this.text.lastIndexOf("\n", offset - 1) + 1;
  }

  /** Whether nothing but white space comes before it on its line. */
  beginsLine(offset: number): boolean {
    return this.text.slice(this.lineStart(offset), offset).trim() === "";
  }

  /** The whole file with these edits, in the order of the text. */
  apply(edits: readonly Edit[]): string {
    const edited = edits.reduceRight(
      (text, { from, to, text: piece }) => text.slice(0, from) + piece + text.slice(to),
      this.text,
    );
    return this.#byteOrderMark + edited;
  }
}

export function rangeOf({ loc }: Pick<AnyNode, "loc">): Range {
  return { from: loc.start.offset, to: loc.end.offset };
}

function isComment(type: Token["type"]): boolean {
  return type === "LineComment" || type === "BlockComment";
}
