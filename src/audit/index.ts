/**
 * Whether the box's books fit each other, the channels and the chain: `audit(ports)` reads, writes nothing, and names each difference. It knows
 * no room; `main/audit.ts` hands it every room's rows. docs/audit.md
 */
export { audit } from './audit.ts'
export { PAGE_ROWS } from './findings.ts'
export type {
  AllotmentRow,
  AuditLimits,
  AuditPorts,
  AuditReport,
  Books,
  CarriageRow,
  ChainAnswer,
  ChannelRow,
  CheckName,
  ContractSum,
  DayRow,
  Difference,
  HistoryRow,
  LedgerRow,
  PayoutRow,
  ReceiptRow,
  RoamRow,
  ServedRow,
  StreamClaimRow,
  SessionRow,
  SettlementRow,
  SideRow,
  StreamRow,
  TenantRow,
  TopUpRow,
  TotalRow,
  UnitRow,
  VoucherRow,
} from './types.ts'
