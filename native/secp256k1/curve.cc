/* See curve.h. The library's own rules: include/secp256k1*.h of libsecp256k1. */
#include "curve.h"

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "keccak.h"

namespace curve {
namespace {

/* (N - 1) / 2: the largest s that counts as low. */
const uint8_t kHalfOrder[kScalarBytes] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                          0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};
constexpr uint8_t kRecoveryBase = 27;
constexpr size_t kContextBytes = 1024;
constexpr size_t kStackBytes = 8192;

/* Static, so that nothing is left behind when the last environment that loaded the addon unloads it. */
alignas(16) uint8_t contextMemory[kContextBytes];

/* The library calls this where an argument breaks its rules and then returns 0; its default is abort(). */
void onIllegalArgument(const char*, void*) {}

bool randomBytes(uint8_t* out, size_t length) {
  for (size_t have = 0; have < length;) {
    ssize_t got = getrandom(out + have, length - have, 0);
    if (got > 0) have += static_cast<size_t>(got);
    else if (errno != EINTR) return false;
  }
  return true;
}

secp256k1_context* makeContext() {
  if (secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE) > kContextBytes) return nullptr;
  uint8_t seed[32];
  if (!randomBytes(seed, sizeof seed)) return nullptr;
  secp256k1_context* made = secp256k1_context_preallocated_create(contextMemory, SECP256K1_CONTEXT_NONE);
  secp256k1_context_set_illegal_callback(made, onIllegalArgument, nullptr);
  const bool blinded = secp256k1_context_randomize(made, seed) == 1;
  wipe(seed, sizeof seed);
  wipeStack();
  return blinded ? made : nullptr;
}

/* C++ makes a local static once, whichever threads come first. */
const secp256k1_context* context() {
  static const secp256k1_context* const made = makeContext();
  return made;
}

bool isHighS(const uint8_t* signature) { return memcmp(signature + kScalarBytes, kHalfOrder, kScalarBytes) > 0; }

/* The library also reads the "hybrid" form (06/07 ‖ x ‖ y), which nobody sends and noble refuses. */
bool parse(Key key, secp256k1_pubkey* out) {
  if (key.length == kPointBytes ? key.data[0] != 4 : key.length != kCompressedBytes) return false;
  return secp256k1_ec_pubkey_parse(context(), out, key.data, key.length) == 1;
}

bool serialize(const secp256k1_pubkey& key, uint8_t* out, size_t outLength) {
  size_t length = outLength;
  const unsigned flags = outLength == kCompressedBytes ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED;
  return secp256k1_ec_pubkey_serialize(context(), out, &length, &key, flags) == 1;
}

bool recoverPoint(const uint8_t* digest, const uint8_t* signature, bool acceptHighS, secp256k1_pubkey* out) {
  const uint8_t v = signature[kCompactBytes];
  const uint8_t recoveryId = v >= kRecoveryBase ? v - kRecoveryBase : v;
  if (recoveryId > 1 || (!acceptHighS && isHighS(signature))) return false;
  secp256k1_ecdsa_recoverable_signature parsed;
  return secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &parsed, signature, recoveryId) == 1 &&
         secp256k1_ecdsa_recover(context(), out, &parsed, digest) == 1;
}

int keepX(unsigned char* output, const unsigned char* x32, const unsigned char*, void*) {
  memcpy(output, x32, kScalarBytes);
  return 1;
}

int keepPoint(unsigned char* output, const unsigned char* x32, const unsigned char* y32, void*) {
  output[0] = 4;
  memcpy(output + 1, x32, kScalarBytes);
  memcpy(output + 1 + kScalarBytes, y32, kScalarBytes);
  return 1;
}

/* libsecp256k1's constant-time multiplication is reached through its ECDH. */
bool sharedBy(secp256k1_ecdh_hash_function keep, Key publicKey, const uint8_t* scalar, uint8_t* out) {
  secp256k1_pubkey point;
  return parse(publicKey, &point) && secp256k1_ecdh(context(), out, &point, scalar, keep, nullptr) == 1;
}

using SecretTweak = int (*)(const secp256k1_context*, unsigned char*, const unsigned char*);
using PublicTweak = int (*)(const secp256k1_context*, secp256k1_pubkey*, const unsigned char*);

bool tweakPrivateKey(SecretTweak change, const uint8_t* privateKey, const uint8_t* tweak, uint8_t* out32) {
  uint8_t key[kScalarBytes];
  memcpy(key, privateKey, sizeof key);
  const bool done = change(context(), key, tweak) == 1;
  if (done) memcpy(out32, key, sizeof key);
  wipe(key, sizeof key);
  return done;
}

bool tweakPublicKey(PublicTweak change, Key publicKey, const uint8_t* tweak, uint8_t* out, size_t outLength) {
  secp256k1_pubkey key;
  return parse(publicKey, &key) && change(context(), &key, tweak) == 1 && serialize(key, out, outLength);
}

} // namespace

bool start() { return context() != nullptr; }

void wipe(void* memory, size_t length) {
  memset(memory, 0, length);
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

__attribute__((noinline)) void wipeStack() {
  uint8_t below[kStackBytes];
  wipe(below, sizeof below);
}

bool isPrivateKey(const uint8_t* key) { return secp256k1_ec_seckey_verify(context(), key) == 1; }

bool publicKeyOf(const uint8_t* privateKey, uint8_t* out, size_t outLength) {
  secp256k1_pubkey key;
  return secp256k1_ec_pubkey_create(context(), &key, privateKey) == 1 && serialize(key, out, outLength);
}

bool sign(const uint8_t* digest, const uint8_t* privateKey, uint8_t* out65) {
  secp256k1_ecdsa_recoverable_signature signature;
  int recoveryId = 0;
  uint8_t compact[kCompactBytes];
  if (secp256k1_ecdsa_sign_recoverable(context(), &signature, digest, privateKey, secp256k1_nonce_function_rfc6979, nullptr) != 1) return false;
  if (secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), compact, &recoveryId, &signature) != 1 || recoveryId > 1) return false;
  memcpy(out65, compact, kCompactBytes);
  out65[kCompactBytes] = static_cast<uint8_t>(kRecoveryBase + recoveryId);
  return true;
}

bool verify(const uint8_t* digest, const uint8_t* signature64, Key publicKey, bool acceptHighS) {
  secp256k1_ecdsa_signature signature;
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_signature_parse_compact(context(), &signature, signature64) != 1 || !parse(publicKey, &key)) return false;
  // The library takes low s only; of a high one it is given its low twin.
  if (acceptHighS) secp256k1_ecdsa_signature_normalize(context(), &signature, &signature);
  return secp256k1_ecdsa_verify(context(), &signature, digest, &key) == 1;
}

bool recover(const uint8_t* digest, const uint8_t* signature65, bool acceptHighS, uint8_t* out65) {
  secp256k1_pubkey key;
  return recoverPoint(digest, signature65, acceptHighS, &key) && serialize(key, out65, kPointBytes);
}

bool recoverAddress(const uint8_t* digest, const uint8_t* signature65, bool acceptHighS, uint8_t* out20) {
  uint8_t point[kPointBytes];
  uint8_t hash[32];
  if (!recover(digest, signature65, acceptHighS, point)) return false;
  keccak256(point + 1, kPointBytes - 1, hash);
  memcpy(out20, hash + sizeof hash - kAddressBytes, kAddressBytes);
  return true;
}

bool sharedSecret(Key publicKey, const uint8_t* privateKey, uint8_t* out32) { return sharedBy(secp256k1_ecdh_hash_function_sha256, publicKey, privateKey, out32); }

bool sharedX(Key publicKey, const uint8_t* privateKey, uint8_t* out32) { return sharedBy(keepX, publicKey, privateKey, out32); }

bool multiplySecret(Key point, const uint8_t* scalar, uint8_t* out, size_t outLength) {
  uint8_t product[kPointBytes];
  if (!sharedBy(keepPoint, point, scalar, product)) return false;
  if (outLength == kCompressedBytes) product[0] = static_cast<uint8_t>(2 + (product[kPointBytes - 1] & 1));
  memcpy(out, product, outLength);
  wipe(product, sizeof product);
  return true;
}

bool addToPrivateKey(const uint8_t* privateKey, const uint8_t* tweak, uint8_t* out32) { return tweakPrivateKey(secp256k1_ec_seckey_tweak_add, privateKey, tweak, out32); }

bool multiplyPrivateKey(const uint8_t* privateKey, const uint8_t* tweak, uint8_t* out32) {
  return tweakPrivateKey(secp256k1_ec_seckey_tweak_mul, privateKey, tweak, out32);
}

bool negatePrivateKey(const uint8_t* privateKey, uint8_t* out32) {
  const SecretTweak negate = [](const secp256k1_context* ctx, unsigned char* key, const unsigned char*) { return secp256k1_ec_seckey_negate(ctx, key); };
  return tweakPrivateKey(negate, privateKey, nullptr, out32);
}

bool convertPublicKey(Key publicKey, uint8_t* out, size_t outLength) {
  secp256k1_pubkey key;
  return parse(publicKey, &key) && serialize(key, out, outLength);
}

bool addToPublicKey(Key publicKey, const uint8_t* tweak, uint8_t* out, size_t outLength) {
  return tweakPublicKey(secp256k1_ec_pubkey_tweak_add, publicKey, tweak, out, outLength);
}

bool multiplyPublicKey(Key publicKey, const uint8_t* tweak, uint8_t* out, size_t outLength) {
  return tweakPublicKey(secp256k1_ec_pubkey_tweak_mul, publicKey, tweak, out, outLength);
}

bool combinePublicKeys(const uint8_t* points, size_t count, uint8_t* out, size_t outLength) {
  if (count < 1 || count > kMaxCombined) return false;
  secp256k1_pubkey keys[kMaxCombined];
  const secp256k1_pubkey* parts[kMaxCombined];
  for (size_t i = 0; i < count; i++) {
    if (!parse({points + i * kPointBytes, kPointBytes}, &keys[i])) return false;
    parts[i] = &keys[i];
  }
  secp256k1_pubkey sum;
  return secp256k1_ec_pubkey_combine(context(), &sum, parts, count) == 1 && serialize(sum, out, outLength);
}

} // namespace curve
