/** The box's configuration: UCI text in, one typed `Config` out, and the edits the owner's dashboard makes. */
export type {
  Config,
  HappyHourConfig,
  HotspotConfig,
  MainConfig,
  OwnerConfig,
  PackageConfig,
  Role,
  ShareConfig,
  TariffConfig,
  TokenConfig,
} from './types.ts'
