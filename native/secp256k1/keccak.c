/*
 * keccak-f[1600], FIPS 202 section 3, on 25 lanes of 64 bits. Lane (x, y) is a[x + 5 y]. A round reads one
 * state and writes another, so that no lane is moved twice; two rounds make one step of the loop.
 */
#include "keccak.h"

#include <string.h>

#define RATE_BYTES 136u
#define RATE_LANES (RATE_BYTES / 8u)

static const uint64_t ROUND_CONSTANT[24] = {
    0x0000000000000001u, 0x0000000000008082u, 0x800000000000808au, 0x8000000080008000u, 0x000000000000808bu, 0x0000000080000001u,
    0x8000000080008081u, 0x8000000000008009u, 0x000000000000008au, 0x0000000000000088u, 0x0000000080008009u, 0x000000008000000au,
    0x000000008000808bu, 0x800000000000008bu, 0x8000000000008089u, 0x8000000000008003u, 0x8000000000008002u, 0x8000000000000080u,
    0x000000000000800au, 0x800000008000000au, 0x8000000080008081u, 0x8000000000008080u, 0x0000000080000001u, 0x8000000080008008u};

#define TURN(lane, bits) (((lane) << (bits)) | ((lane) >> (64 - (bits))))
#define PARITY(a, x) ((a)[x] ^ (a)[(x) + 5] ^ (a)[(x) + 10] ^ (a)[(x) + 15] ^ (a)[(x) + 20])
/* chi over one row of five lanes that theta, rho and pi have brought together. */
#define CHI(out, row, b0, b1, b2, b3, b4)       \
  (out)[5 * (row) + 0] = (b0) ^ (~(b1) & (b2)); \
  (out)[5 * (row) + 1] = (b1) ^ (~(b2) & (b3)); \
  (out)[5 * (row) + 2] = (b2) ^ (~(b3) & (b4)); \
  (out)[5 * (row) + 3] = (b3) ^ (~(b4) & (b0)); \
  (out)[5 * (row) + 4] = (b4) ^ (~(b0) & (b1))

#define ROUND(in, out, constant)                                                                                                                     \
  do {                                                                                                                                               \
    const uint64_t c0 = PARITY(in, 0), c1 = PARITY(in, 1), c2 = PARITY(in, 2), c3 = PARITY(in, 3), c4 = PARITY(in, 4);                               \
    const uint64_t d0 = c4 ^ TURN(c1, 1), d1 = c0 ^ TURN(c2, 1), d2 = c1 ^ TURN(c3, 1), d3 = c2 ^ TURN(c4, 1), d4 = c3 ^ TURN(c0, 1);                \
    uint64_t b0, b1, b2, b3, b4;                                                                                                                     \
    b0 = in[0] ^ d0, b1 = TURN(in[6] ^ d1, 44), b2 = TURN(in[12] ^ d2, 43), b3 = TURN(in[18] ^ d3, 21), b4 = TURN(in[24] ^ d4, 14);                  \
    CHI(out, 0, b0, b1, b2, b3, b4);                                                                                                                 \
    out[0] ^= (constant);                                                                                                                            \
    b0 = TURN(in[3] ^ d3, 28), b1 = TURN(in[9] ^ d4, 20), b2 = TURN(in[10] ^ d0, 3), b3 = TURN(in[16] ^ d1, 45), b4 = TURN(in[22] ^ d2, 61);         \
    CHI(out, 1, b0, b1, b2, b3, b4);                                                                                                                 \
    b0 = TURN(in[1] ^ d1, 1), b1 = TURN(in[7] ^ d2, 6), b2 = TURN(in[13] ^ d3, 25), b3 = TURN(in[19] ^ d4, 8), b4 = TURN(in[20] ^ d0, 18);           \
    CHI(out, 2, b0, b1, b2, b3, b4);                                                                                                                 \
    b0 = TURN(in[4] ^ d4, 27), b1 = TURN(in[5] ^ d0, 36), b2 = TURN(in[11] ^ d1, 10), b3 = TURN(in[17] ^ d2, 15), b4 = TURN(in[23] ^ d3, 56);        \
    CHI(out, 3, b0, b1, b2, b3, b4);                                                                                                                 \
    b0 = TURN(in[2] ^ d2, 62), b1 = TURN(in[8] ^ d3, 55), b2 = TURN(in[14] ^ d4, 39), b3 = TURN(in[15] ^ d0, 41), b4 = TURN(in[21] ^ d1, 2);         \
    CHI(out, 4, b0, b1, b2, b3, b4);                                                                                                                 \
  } while (0)

static void permute(uint64_t a[25]) {
  uint64_t e[25];
  for (unsigned round = 0; round < 24; round += 2) {
    ROUND(a, e, ROUND_CONSTANT[round]);
    ROUND(e, a, ROUND_CONSTANT[round + 1]);
  }
}

/* Little-endian whatever the processor; compilers make one load of it. */
static uint64_t lane(const uint8_t* bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 8; i++) value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

void keccak256(const uint8_t* data, size_t length, uint8_t out[32]) {
  uint64_t state[25] = {0};
  uint8_t last[RATE_BYTES] = {0};
  while (length >= RATE_BYTES) {
    for (unsigned i = 0; i < RATE_LANES; i++) state[i] ^= lane(data + 8 * i);
    permute(state);
    data += RATE_BYTES;
    length -= RATE_BYTES;
  }
  if (length > 0) memcpy(last, data, length);
  last[length] = 0x01;
  last[RATE_BYTES - 1] |= 0x80;
  for (unsigned i = 0; i < RATE_LANES; i++) state[i] ^= lane(last + 8 * i);
  permute(state);
  for (unsigned i = 0; i < 32; i++) out[i] = (uint8_t)(state[i / 8] >> (8 * (i % 8)));
}
