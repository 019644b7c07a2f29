import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { configFor, startProvider } from "./support/provider.ts";
import { makeStateDir, runBin, SECRETS, serve, startBin } from "./support/run-bin.ts";
import { seeded } from "./support/seeded.ts";
import { type Message, startSlowProvider } from "./support/slow-provider.ts";
import { openToOthers, pathTo, readSessions, type StoredSession } from "./support/state-folder.ts";
import { explain, type SessionKind, Talker, toTalk } from "./support/talker.ts";

const { SOAK_KILLS, SOAK_SEED: SEED = String(randomInt(2 ** 32)) } = process.env;
const KILLS = Number(SOAK_KILLS ?? 50);

const CLIENTS = 12;
const KINDS: readonly SessionKind[] = ["header", "user", "chat"];
/** Turns after which a client begins another session: a talk that grows for ever makes every turn slower. */
const TURNS = 60;

test(`what a client was told survives ${KILLS} kills`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
  console.log(`SOAK_SEED=${SEED} repeats the choices of this run`);
  const random = seeded(`${SEED} kills`);
  const complaints: string[] = [];
  const moments = { asked: () => {}, told: () => {} };
  const owners = new Map<string, Talker>();
  const talkers: Talker[] = [];
  const everybody: Talker[] = [];
  const provider = await startSlowProvider(`${SEED} provider`, (messages, answer) => {
    const question = messages.at(-1)?.content ?? "";
    const talker = owners.get(question.slice(0, question.indexOf(" ")));
    const complaint = talker ? talker.hear(messages, answer) : "nobody asked this";
    if (complaint) complaints.push(`${talker?.key}: ${complaint}`);
    moments.asked();
  });
  const stateDir = await makeStateDir();
  await writeFile(join(stateDir, "openclaw.json"), configFor(provider.baseUrl), { mode: 0o600 });

  function refresh(): void {
    for (let index = 0; index < CLIENTS; index++) {
      if ((talkers[index]?.attempts.length ?? TURNS) < TURNS) continue;
      const name = `client${everybody.length}`;
      const talker = new Talker(name, KINDS[index % KINDS.length] ?? "header", SEED, () => moments.told());
      talkers[index] = talker;
      owners.set(name, talker);
      everybody.push(talker);
    }
  }

  async function checkAll(url: string): Promise<void> {
    const went = await Promise.all(talkers.map((talker) => talker.turn(url)));
    expect(went).not.toContain(false);
    expect(complaints).toEqual([]);
  }

  const startTimes: number[] = [];
  async function startTimed() {
    const from = performance.now();
    const gateway = await serve([], { stateDir });
    startTimes.push(performance.now() - from);
    return gateway;
  }

  const killed = { running: 0, starting: 0, underWay: 0 };
  while (killed.running < KILLS) {
    if (random.chance(0.15)) {
      // The first of them may find an empty folder: the database is cut short while it is made.
      const starting = startBin(stateDir, ["run", "--port", "0"]);
      await delay(random.between(0, 500));
      starting.child.kill("SIGKILL");
      await starting.exited;
      killed.starting += 1;
    }
    refresh();
    const gateway = await startTimed();
    // Every session once, undisturbed: what the provider sees now is what survived.
    await checkAll(gateway.url);

    let isStopping = false;
    const turns = talkers.map(async (talker) => {
      while (!isStopping) {
        if (!(await talker.turn(gateway.url)) && !isStopping) throw new Error(`${talker.key}: a turn failed`);
      }
    });
    const stop = (signal: NodeJS.Signals) => {
      isStopping = true;
      killed.underWay += signal === "SIGKILL" && provider.active > 0 ? 1 : 0;
      gateway.child.kill(signal);
    };
    const moment = delay(random.between(50, 400)).then(async () => {
      const when = random.pick(["now", "now", "told", "asked", "stopping"]);
      if (when === "stopping") {
        stop("SIGTERM");
        await delay(random.between(0, 150));
      } else if (when !== "now") {
        await new Promise<void>((resolve) => {
          // In the very tick: the gateway has had no time for anything it should have done before.
          moments[when] = () => {
            moments[when] = () => {};
            stop("SIGKILL");
            resolve();
          };
        });
        return;
      }
      stop("SIGKILL");
    });
    await Promise.all([moment, ...turns]);
    const { code, signal } = await gateway.exited;
    if (signal === "SIGKILL") killed.running += 1;
    // It was told to stop first, and had stopped already.
    else expect(code).toBe(0);
    expect(openToOthers(stateDir)).toEqual([]);
  }

  const last = await startTimed();
  await checkAll(last.url);
  last.child.kill("SIGTERM");
  expect(await last.exited).toMatchObject({ code: 0 });
  const { problems, sessions } = readSessions(stateDir);
  expect(problems).toEqual([]);
  for (const talker of everybody) expect(findFaults(talker, sessions.get(talker.key)), talker.key).toEqual([]);
  expect(sessions.size).toBe(everybody.length);
  expect(openToOthers(stateDir)).toEqual([]);

  const told = everybody.reduce((sum, talker) => sum + talker.told, 0);
  const attempts = everybody.reduce((sum, talker) => sum + talker.attempts.length, 0);
  startTimes.sort((one, other) => one - other);
  const at = (share: number) => Math.round(startTimes[Math.floor((startTimes.length - 1) * share)] ?? 0);
  console.log(
    `${killed.running} kills, ${killed.underWay} of them with a run under way, and ${killed.starting} during start-up; ` +
      `${attempts} turns in ${everybody.length} sessions, ${told} told whole and found again; ` +
      `ready after ${at(0.5)} ms (median), ${at(1)} ms (longest)`,
  );
  expect(killed.underWay).toBeGreaterThan(KILLS / 2);
  // Without a single turn between check and kill there would be this many.
  expect(told).toBeGreaterThan(KILLS * CLIENTS);
});

/** What is wrong with a session in the database; nothing when all is well. */
function findFaults({ kind, attempts }: Talker, session: StoredSession | undefined): string[] {
  if (!session) return ["not there"];
  const { entries, head } = session;
  const faults: string[] = [];
  for (const { parent, role, content, aborted } of entries) {
    if (role === "user") continue;
    const asked = entries.find(({ id }) => id === parent);
    const mine = attempts.filter(({ question }) => asked?.role === "user" && question === asked.content);
    const isFitting = mine.some(({ given, left }) =>
      given.some((answer) => (aborted ? left && answer.startsWith(content) : answer === content)),
    );
    if (!isFitting) faults.push(`an answer without its question, or not whole: ${content.slice(0, 80)}`);
  }
  for (const { question, given } of attempts) {
    const asked = entries.filter(({ role, content }) => role === "user" && content === question);
    const unanswered = asked.filter(({ id }) => !entries.some(({ parent }) => parent === id));
    if (given.length > 0 && asked.length === 0) faults.push(`reached the model, not kept: ${question.slice(0, 80)}`);
    if (unanswered.length > 1) faults.push(`kept twice: ${question.slice(0, 80)}`);
  }
  const told = toTalk(attempts);
  // A chat's first question that failed was given up for another one, which began a branch beside the head.
  const lastTold = entries.findLast(({ content }) => content === told.at(-1)?.content)?.id;
  const path = pathTo(kind === "chat" ? lastTold : head, session);
  const fault = explain(path, kind === "chat" ? attempts.filter((attempt) => attempt.told !== undefined) : attempts);
  return fault ? [...faults, fault] : faults;
}

test("a second gateway on the same folder ends with 1 and names it; after a kill the next one starts", async () => {
  const first = await serve([]);
  const { code, stdout, stderr } = await runBin(first.stateDir, ["run", "--port", "0"]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(first.stateDir);
  expect(stderr).not.toMatch(/^ +at /m);
  first.child.kill("SIGKILL");
  await first.exited;
  const next = await serve([], { stateDir: first.stateDir });
  expect((await fetch(`${next.url}/ready`)).status).toBe(200);
});

test.for([
  ["header", 0],
  ["header", 1],
  ["user", 1],
  ["chat", 0],
  ["chat", 1],
] as const)("a question is kept before the model hears it: %s, after %i turns", async ([kind, turnsBefore]) => {
  const provider = await startProvider();
  const stateDir = await makeStateDir();
  await writeFile(join(stateDir, "openclaw.json"), configFor(provider.baseUrl));
  const past: Message[] = [];
  const ask = (url: string, content: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${SECRETS.token}`,
        "content-type": "application/json",
        ...(kind === "header" && { "x-openclaw-session-key": "one" }),
        ...(kind === "chat" && { "x-openwebui-chat-id": "one" }),
      },
      body: JSON.stringify({
        messages: [...(kind === "chat" ? past : []), { role: "user", content }],
        ...(kind === "user" && { user: "one" }),
      }),
    });
  async function answer(asked: Promise<Response>, content: string, text: string): Promise<void> {
    const call = await provider.call();
    expect(call.messages).toEqual([...past, { role: "user", content }]);
    call.say(text);
    call.finish();
    expect((await asked).status).toBe(200);
    past.push({ role: "user", content }, { role: "assistant", content: text });
  }

  const first = await serve([], { stateDir });
  if (turnsBefore > 0) await answer(ask(first.url, "before"), "before", "told");
  const cut = ask(first.url, "kept?").catch(() => "cut");
  const call = await provider.call();
  first.child.kill("SIGKILL");
  await Promise.all([call.closed, first.exited]);
  expect(await cut).toBe("cut");

  const second = await serve([], { stateDir });
  expect(stored()).toEqual([...past, { role: "user", content: "kept?" }]);
  await answer(ask(second.url, "kept?"), "kept?", "yes");
  expect(stored()).toEqual(past);

  function stored(): Message[] {
    const { problems, sessions } = readSessions(stateDir);
    expect(problems).toEqual([]);
    const session = [...sessions.values()][0];
    expect(pathTo(session?.entries.at(-1)?.id, session as StoredSession)).toEqual(session?.entries);
    return session?.entries.map(({ role, content }) => ({ role, content })) ?? [];
  }
});
