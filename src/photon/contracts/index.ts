/** The contracts on the chain, as code to deploy, and what people without gas sign for them. Sources: solidity/. */
export type { PhotonArtifact, PhotonContractName } from './artifacts.ts'
export type { ContractPlace, EndConsent, OpenConsent, OpeningOrder, PaymentOrder } from './orders.ts'
export { GENESIS_ADDRESSES } from './addresses.ts'
export { genesisContracts } from './genesis.ts'
export type { GenesisContract } from './genesis.ts'
