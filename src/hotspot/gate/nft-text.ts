/** Changes of sets in nft's language, for the driver that speaks to `nft`, and for the installation of whole tables. */
import { ip6Hex } from './address.ts'
import { TABLE, classid } from './names.ts'
import { shapeOf, type Field, type FieldKind, type SetChange, type SetElement, type SetShape } from './set-changes.ts'

/** One command per change. */
export function nftCommands(changes: readonly SetChange[]): string[] {
  return changes.map(commandOf)
}

function commandOf(change: SetChange): string {
  switch (change.do) {
    case 'add-quota':
      return `add quota inet ${TABLE} ${change.quota} { over ${change.totalBytes} bytes used ${change.usedBytes} bytes }`
    case 'delete-quota':
      return `delete quota inet ${TABLE} ${change.quota}`
    case 'flush':
      return `flush ${shapeOf(change.set).value === null ? 'set' : 'map'} ${shapeOf(change.set).family} ${TABLE} ${change.set}`
    default: {
      const shape = shapeOf(change.set)
      const texts = change.elements.map((element) => elementText(shape, element, change.do === 'add'))
      return `${change.do} element ${shape.family} ${TABLE} ${change.set} { ${texts.join(', ')} }`
    }
  }
}

function elementText(shape: SetShape, element: SetElement, isAdded: boolean): string {
  const key = shape.key.map((kind, index) => fieldText(kind, element.key[index] ?? '')).join(' . ')
  if (!isAdded) return key
  const timeout = element.timeoutMs === undefined ? '' : ` timeout ${element.timeoutMs}ms`
  const counter = element.count === undefined ? '' : ` counter packets ${element.count.packets} bytes ${element.count.bytes}`
  const value = element.value === undefined ? '' : shape.value === 'quota' ? ` : "${element.value}"` : ` : ${fieldText('handle', element.value)}`
  return `${key}${timeout}${counter}${value}`
}

function fieldText(kind: FieldKind, field: Field): string {
  if (kind === 'handle') return classid(Number(field))
  if (kind === 'raw6') return `0x${ip6Hex(String(field)) ?? ''}`
  return kind === 'port' ? `"${field}"` : String(field)
}
