/** What boxes are called on the mesh page: their own name, or as much of their address as tells them apart. */
import type { MeshNodeJson, MeshViewJson, TokenJson } from '../../../owner/api.ts'
import { showMoney, unitsOf } from '../money.ts'
import { shortAddress } from './chain-parts.tsx'
import * as S from './mesh-strings.ts'

const NO_TOKEN: TokenJson = { symbol: '', decimals: 0 }

/** Anybody may call himself anything: of who is no member the address stands beside it. */
export function nameOf({ name, box, originator, standing }: Pick<MeshNodeJson, 'name' | 'box' | 'originator' | 'standing'>): string {
  if (name === null || name === '') return box === null ? (originator ?? S.unnamed) : shortAddress(box)
  return box === null || standing === 'admitted' || standing === 'provisional' ? name : `${name} (${shortAddress(box)})`
}

/** Of a box that is somewhere on the page. */
export function nameOfBox({ status, map, peers }: Pick<MeshViewJson, 'status' | 'map' | 'peers'>, box: string): string {
  if (box === status.self) return S.thisBox
  const known = map.nodes.find((node) => node.box === box) ?? peers.find((peer) => peer.box === box)
  return known === undefined ? shortAddress(box) : nameOf({ name: known.name, box, originator: known.originator, standing: known.standing })
}

/** A sentence of the box with its boxes called by their names. */
export function withNames(view: Pick<MeshViewJson, 'status' | 'map' | 'peers'>, text: string): string {
  return text.replace(/0x[0-9a-f]{40}/g, (box) => nameOfBox(view, box))
}

export function priceText(price: MeshNodeJson['price'], token: TokenJson | null): string | null {
  return price === null || token === null ? null : showMoney(unitsOf(price), token)
}

export function amountText(money: NonNullable<MeshNodeJson['price']>, token: TokenJson | null): string {
  return showMoney(unitsOf(money), token ?? NO_TOKEN)
}
