import type { Moment } from '../base/index.ts'

export declare function dayOf(at: Moment): string
