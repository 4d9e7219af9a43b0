/** Packages to choose from when vouchers are made. */
import type { PackageJson, TokenJson } from '../../../owner/api.ts'
import { contentsBeside } from '../format.ts'
import { showMoney, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import * as S from '../strings.ts'
import { LinkButton } from '../ui/button.tsx'
import { Empty } from '../ui/notice.tsx'

export function packageOptions(packages: readonly PackageJson[], token: TokenJson) {
  return packages.map((one) => {
    const contents = contentsBeside(one.label, one.seconds, one.bytes)
    const devices = one.devices > 1 ? S.pricesPreviewDevices(one.devices) : ''
    return {
      value: one.id,
      label: one.label,
      hint: [contents, devices].filter(Boolean).join(' · '),
      aside: unitsOf(one.price) === 0n ? S.wordsFree : showMoney(unitsOf(one.price), token),
    }
  })
}

export function NoPackages() {
  return (
    <Empty icon="tag" title={S.makeNoPackages} text="">
      <LinkButton kind="primary" href={hrefOf('prices')}>
        {S.makeToPrices}
      </LinkButton>
    </Empty>
  )
}
