/** Paths for payments: fees, announcements and their gossip, the graph, the search, and the care of core channels. docs/photon-routing.md */
export { FREE_POLICY, MAX_FEE_PPM, checkFeePolicy, feeOf, feeOfV1, feePolicyOfV1, feeSettingV1Of, worstFeeOf } from './fee.ts'
export type { FeeSettingV1 } from './fee.ts'
