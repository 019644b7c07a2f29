import type { Variables } from "../config/substitute.ts";

/** What requests to Bedrock are signed with. */
export interface AwsCredentials {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The variables with AWS's own secrets. */
export const AWS_SECRET_VARIABLES: readonly string[] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/** The credentials that AWS's own tools read, when they are there. */
export function readAwsCredentials(variables: Variables, baseUrl: string): AwsCredentials | undefined {
  const read = (name: string) => variables[name]?.trim() || undefined;
  const accessKeyId = read("AWS_ACCESS_KEY_ID");
  const secretAccessKey = read("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = read("AWS_SESSION_TOKEN");
  // A signature is for the region that the address is of.
  const ofAddress = /bedrock-runtime(?:-fips)?\.([\w-]+)\./.exec(baseUrl)?.[1];
  const region = ofAddress ?? read("AWS_REGION") ?? "us-east-1";
  return { region, accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}
