import type { UserPart } from "@openclaw/protocol";

/** What a message can be made of. */
export const MODALITIES = ["text", "image", "audio", "file"] as const;

export type Modality = (typeof MODALITIES)[number];

const OF_PART = {
  text: "text",
  image_url: "image",
  input_audio: "audio",
  file: "file",
} as const satisfies Record<UserPart["type"], Modality>;

export function modalityOf(part: UserPart): Modality {
  return OF_PART[part.type];
}

/** These, each once and always in the same order. There is no talk without text. */
export function toModalities(named: readonly string[]): Modality[] {
  return MODALITIES.filter((modality) => modality === "text" || named.includes(modality));
}
