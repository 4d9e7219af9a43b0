/*
 * secp256k1 over plain bytes: libsecp256k1 behind the few verbs MeshBox needs. Knows nothing of Node, so
 * that the fuzzer drives it alone. Safe from any thread after start().
 *
 * Every function returns whether it succeeded; only then the output means anything. Lengths are the
 * caller's duty; a public key is 33 bytes (02/03 ‖ x) or 65 bytes (04 ‖ x ‖ y).
 *
 * Private keys and secret scalars are used in constant time and wiped from this library's memory. Where a
 * scalar may be public (tweaks of public keys) the function says so.
 */
#ifndef MESHBOX_CURVE_H
#define MESHBOX_CURVE_H

#include <cstddef>
#include <cstdint>

namespace curve {

constexpr size_t kScalarBytes = 32;
constexpr size_t kDigestBytes = 32;
constexpr size_t kCompactBytes = 64;     // r ‖ s
constexpr size_t kRecoverableBytes = 65; // r ‖ s ‖ v
constexpr size_t kCompressedBytes = 33;
constexpr size_t kPointBytes = 65;
constexpr size_t kAddressBytes = 20;
constexpr size_t kHashBytes = 32;

/** A public key as it came: 33 or 65 bytes. */
struct Key {
  const uint8_t* data;
  size_t length;
};

/** Makes the shared context, blinded with the kernel's randomness. Once per process; false without randomness. */
bool start();

/** Overwrites, in a way the compiler may not leave out. */
void wipe(void* memory, size_t length);

/** Overwrites the part of the stack that calls with secrets used. */
void wipeStack();

/** In 1..N-1. */
bool isPrivateKey(const uint8_t* key);

/** `outLength` 33 or 65, here and below. */
bool publicKeyOf(const uint8_t* privateKey, uint8_t* out, size_t outLength);

/** RFC 6979, low s; v is 27 + recovery id. Fails for a bad key, and where the id is not 0 or 1 (one digest in 2^127). */
bool sign(const uint8_t* digest, const uint8_t* privateKey, uint8_t* out65);

bool verify(const uint8_t* digest, const uint8_t* signature64, Key publicKey, bool acceptHighS);

/** v is 0, 1, 27 or 28. */
bool recover(const uint8_t* digest, const uint8_t* signature65, bool acceptHighS, uint8_t* out65);

/** The last 20 bytes of keccak-256 of the recovered x ‖ y. */
bool recoverAddress(const uint8_t* digest, const uint8_t* signature65, bool acceptHighS, uint8_t* out20);

/** SHA-256 of the shared point, compressed (libsecp256k1's default). */
bool sharedSecret(Key publicKey, const uint8_t* privateKey, uint8_t* out32);

/** The shared point's x. */
bool sharedX(Key publicKey, const uint8_t* privateKey, uint8_t* out32);

/** scalar · P with a secret scalar. */
bool multiplySecret(Key point, const uint8_t* scalar, uint8_t* out, size_t outLength);

/** (key + tweak) mod N; fails at 0. */
bool addToPrivateKey(const uint8_t* privateKey, const uint8_t* tweak, uint8_t* out32);

/** (key · tweak) mod N; fails at 0. */
bool multiplyPrivateKey(const uint8_t* privateKey, const uint8_t* tweak, uint8_t* out32);

/** N - key. */
bool negatePrivateKey(const uint8_t* privateKey, uint8_t* out32);

/** The same point in the other form; fails for what is no point. */
bool convertPublicKey(Key publicKey, uint8_t* out, size_t outLength);

/** P + tweak · G. The tweak is public: time depends on it. Fails at infinity. */
bool addToPublicKey(Key publicKey, const uint8_t* tweak, uint8_t* out, size_t outLength);

/** tweak · P. The tweak is public: time depends on it. */
bool multiplyPublicKey(Key publicKey, const uint8_t* tweak, uint8_t* out, size_t outLength);

constexpr size_t kMaxCombined = 64;

/** Sum of `count` (1..kMaxCombined) points of 65 bytes each, one after the other. Fails at infinity. */
bool combinePublicKeys(const uint8_t* points, size_t count, uint8_t* out, size_t outLength);

} // namespace curve

#endif
