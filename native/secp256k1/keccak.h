/*
 * Keccak-256 as Ethereum uses it: the sponge of FIPS 202 with rate 136 and the original padding byte 0x01
 * (SHA3-256 has 0x06).
 */
#ifndef MESHBOX_KECCAK_H
#define MESHBOX_KECCAK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** `data` may be any address if `length` is 0. Running time depends on the length only. */
void keccak256(const uint8_t* data, size_t length, uint8_t out[32]);

#ifdef __cplusplus
}
#endif

#endif
