/**
 * The box's key and what is derived of it, the owner's voucher keys, the owner's password. `open…` reads each from its file of the data folder
 * (0600), and makes it where it is missing. The private keys themselves never leave this room: others get a signer, a purpose's secret, or a yes.
 */
export type { Curve, CurveBackend, Identity, OwnerPassword, SecretPurpose, Signer, VoucherKeyring, VoucherKeys } from './types.ts'
export { nobleSigner, signerOn } from './signer.ts'
export { toChecksumAddress } from './address.ts'
export { recoverTextSigner } from './personal-message.ts'
export { openIdentity, restoreIdentity } from './io/identity.ts'
export { IDENTITY_FILE, RESTORED_MARK } from './io/secret-file.ts'
export type { IdentityOptions } from './io/identity.ts'
export { openVoucherKeys } from './io/voucher-keys.ts'
export type { VoucherKeysOptions } from './io/voucher-keys.ts'
export { openOwnerPassword } from './io/owner-password.ts'
export type { OwnerPasswordOptions } from './io/owner-password.ts'
