export declare function recoverTextSigner(text: string, signature: Uint8Array): string | null
