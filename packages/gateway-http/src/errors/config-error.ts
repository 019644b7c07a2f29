/** The configuration is wrong; the message says where and what to do. The command line ends with 78 on it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
