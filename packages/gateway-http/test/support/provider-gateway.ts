import { type Script, type StandInProvider, startProvider } from "./stand-in-provider.ts";
import { type StartedGateway, type StartOptions, startGateway } from "./start-gateway.ts";

export const PROVIDER_KEY = "sk-stand-in-0123456789";

export interface ProviderGatewayOptions {
  script?: Script;
  /** Of `models.providers.stand`. */
  provider?: object;
  /** Of `agents.list[0]`. */
  agent?: object;
  config?: NonNullable<StartOptions["config"]>;
}

/** A gateway whose one agent `main` is a model of a stand-in provider. */
export async function startWithProvider({
  script,
  provider: settings,
  agent,
  config,
}: ProviderGatewayOptions = {}): Promise<StartedGateway & { provider: StandInProvider }> {
  const provider = await startProvider(script);
  const started = await startGateway({
    config: {
      ...config,
      models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY, ...settings } } },
      agents: { list: [{ id: "main", model: "stand/in", ...agent }] },
    },
  });
  return { ...started, provider };
}
