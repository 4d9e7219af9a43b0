/** What the key signs; the box rebuilds the same four lines (docs/wallet.md) and a test holds the two together. */
export function walletStatement(host: string, action: 'keep' | 'open', challenge: string): string {
  return `MeshBox Wi-Fi\nHost: ${host}\nAction: ${action}\nChallenge: ${challenge}`
}
