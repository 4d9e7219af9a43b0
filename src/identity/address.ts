export declare function toChecksumAddress(address: string | Uint8Array): string
