/** How long a server may take to introduce itself and to list its tools. */
export const CONNECT_MS = 30_000;

/** The largest message of a server that is read. A call's text is cut to far less, but it comes in one piece. */
export const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

export const TOO_LARGE = "it sent a message larger than 32 MiB";
