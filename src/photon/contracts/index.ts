/** The contracts on the chain, as code to deploy, and what people without gas sign for them. Sources: solidity/. */
export { PHOTON_ARTIFACTS } from './artifacts.ts'
export type { PhotonArtifact, PhotonContractName } from './artifacts.ts'
export { openConsentDigest, openingOrderDigest, paymentOrderDigest } from './orders.ts'
export type { ContractPlace, EndConsent, OpenConsent, OpeningOrder, PaymentOrder } from './orders.ts'
export { GENESIS_ADDRESSES } from './addresses.ts'
export { genesisContracts } from './genesis.ts'
export type { GenesisContract } from './genesis.ts'
