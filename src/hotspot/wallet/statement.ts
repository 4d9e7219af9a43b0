/**
 * What a guest's key signs to keep his time or to take it up: a text a person can read in any wallet, signed as
 * EIP-191 personal message. Four lines, joined by a line feed, none at the end (docs/wallet.md):
 *
 *   MeshBox Wi-Fi
 *   Host: wifi.example:2080
 *   Action: keep
 *   Challenge: <40 characters base64url>
 *
 * The host keeps a signature from being of use at another Wi-Fi, the action from being used for the other one, and
 * the challenge from being used later or by another device.
 */
export type WalletAction = 'keep' | 'open'

/** `host`: the authority of the page's address as the browser writes it, with the port unless it is the scheme's own. */
export function walletStatement(host: string, action: WalletAction, challenge: string): string {
  return `MeshBox Wi-Fi\nHost: ${host}\nAction: ${action}\nChallenge: ${challenge}`
}
