/**
 * The box's configuration: UCI text in, one typed `Config` out, and the edits the owner's dashboard makes. `loadConfig` gives a whole
 * configuration or throws a ConfigError with all mistakes of the file; nobody behind it checks an option again. docs/configuration.md is
 * printed from the same rules.
 */
export type {
  ChainConfig,
  Config,
  HappyHourConfig,
  HotspotConfig,
  MainConfig,
  MeshConfig,
  MeshPeer,
  MilestoneConfig,
  OwnerConfig,
  PackageConfig,
  PayeeConfig,
  PayoutConfig,
  PhotonConfig,
  PhotonPeer,
  PhotonLanNode,
  PhotonToken,
  Role,
  ShareConfig,
  TariffConfig,
  TokenConfig,
  UplinkConfig,
} from './types.ts'
export { loadConfig } from './load.ts'
export { readConfigFile, writeConfigFile } from './io/config-file.ts'
export { ConfigError, problemLine } from './config-error.ts'
export type { ConfigProblem, PublicConfigError } from './config-error.ts'
export { configChanges, keepUntilRestart, restartNeeded } from './changes.ts'
export type { ConfigChange } from './changes.ts'
export { configurationPage, describeOptions } from './describe.ts'
export type { OptionDescription } from './describe.ts'
export { applyOwnerSettings } from './owner-settings.ts'
export type { GuestNetworkSetting, OwnerSettings, PackageSetting, TariffSetting } from './owner-settings.ts'
export { editUci, formatUci, plainSections } from './uci-edit.ts'
export type { OptionValue, PlainSection, SectionRef, UciEdit } from './uci-edit.ts'
export { parseUci } from './uci.ts'
export type { UciFile, UciOption, UciSection, UciValue } from './uci.ts'
