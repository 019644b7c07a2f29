/** As the client calls it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
