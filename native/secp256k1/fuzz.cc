/*
 * Drives curve.h and batch.h without Node, under AddressSanitizer and UndefinedBehaviorSanitizer: every
 * argument lies in a heap block of exactly its size, values are random, on the edge, or right with a bit
 * turned, and what the answers must have to do with each other is checked.
 *
 * Usage: secp256k1-fuzz <seconds> <seed>. Ends with the number of rounds; exit 1 at the first contradiction.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "batch.h"
#include "curve.h"
#include "keccak.h"

namespace {

using Bytes = std::vector<uint8_t>;

uint64_t state = 0;

/* splitmix64: a seed names the whole run. */
uint64_t next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }

Bytes randomBytes(size_t length) {
  Bytes out(length);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(next());
  return out;
}

const uint8_t kOrder[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                            0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
const uint8_t kField[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xfc, 0x2f};

/* Random, or near 0, the order, half of it, the field prime, 2^256. */
Bytes anyScalar() {
  Bytes out(32, 0);
  switch (below(10)) {
    case 0: break;
    case 1: memset(out.data(), 0xff, 32); break;
    case 2: memcpy(out.data(), kOrder, 32); break;
    case 3: memcpy(out.data(), kField, 32); break;
    case 4: // half the order
      memcpy(out.data(), kOrder, 32);
      for (int i = 31; i >= 0; i--) out[i] = static_cast<uint8_t>((out[i] >> 1) | (i > 0 ? (out[i - 1] & 1) << 7 : 0));
      break;
    default: return randomBytes(32);
  }
  out[31] = static_cast<uint8_t>(out[31] + static_cast<int>(below(5)) - 2);
  return out;
}

void check(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "secp256k1-fuzz: %s\n", what);
  exit(1);
}

Bytes turnBit(Bytes bytes) {
  bytes[below(bytes.size())] ^= static_cast<uint8_t>(1u << below(8));
  return bytes;
}

curve::Key keyOf(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }

/* A point, a damaged point, or rubbish, in either form. */
Bytes anyPublicKey() {
  const size_t length = below(2) == 0 ? curve::kCompressedBytes : curve::kPointBytes;
  Bytes out(length);
  const Bytes key = randomBytes(32);
  if (!curve::publicKeyOf(key.data(), out.data(), length)) return randomBytes(length);
  switch (below(4)) {
    case 0: return turnBit(out);
    case 1: out = randomBytes(length), out[0] = static_cast<uint8_t>(below(8)); return out;
    default: return out;
  }
}

void signing() {
  const Bytes digest = anyScalar();
  const Bytes key = anyScalar();
  Bytes signature(curve::kRecoverableBytes), publicKey(curve::kPointBytes), recovered(curve::kPointBytes), address(curve::kAddressBytes);
  const bool isKey = curve::isPrivateKey(key.data());
  check(curve::sign(digest.data(), key.data(), signature.data()) == isKey, "sign takes what is no key, or refuses a key");
  check(curve::publicKeyOf(key.data(), publicKey.data(), publicKey.size()) == isKey, "publicKeyOf and isPrivateKey disagree");
  if (!isKey) return;
  const Bytes compact(signature.begin(), signature.begin() + 64);
  check(curve::verify(digest.data(), compact.data(), keyOf(publicKey), false), "a fresh signature is not verified");
  check(curve::recover(digest.data(), signature.data(), false, recovered.data()) && recovered == publicKey, "recover gives another key");
  check(curve::recoverAddress(digest.data(), signature.data(), false, address.data()), "recoverAddress fails where recover works");
  uint8_t hash[32];
  keccak256(publicKey.data() + 1, 64, hash);
  check(memcmp(hash + 12, address.data(), 20) == 0, "recoverAddress gives another address");
  const Bytes changed = turnBit(compact);
  check(!curve::verify(digest.data(), changed.data(), keyOf(publicKey), below(2) == 0), "a changed signature is verified");
}

void strangers() {
  Bytes out(curve::kPointBytes), address(curve::kAddressBytes);
  const Bytes digest = anyScalar();
  Bytes signature = anyScalar();
  const Bytes s = anyScalar();
  signature.insert(signature.end(), s.begin(), s.end());
  const Bytes key = anyPublicKey();
  curve::verify(digest.data(), Bytes(signature).data(), keyOf(key), below(2) == 0);
  const uint8_t vs[] = {0, 1, 2, 3, 26, 27, 28, 29, 255};
  signature.push_back(vs[below(sizeof vs)]);
  const bool low = curve::recover(digest.data(), signature.data(), false, out.data());
  const bool any = curve::recover(digest.data(), signature.data(), true, out.data());
  check(!low || any, "accepting high s refuses a low one");
  if (any) {
    const Bytes compact(signature.begin(), signature.begin() + 64);
    check(curve::verify(digest.data(), compact.data(), keyOf(out), true), "a recovered key does not verify");
    check(curve::verify(digest.data(), compact.data(), keyOf(out), false) == low, "verify and recover disagree about high s");
  }
  check(curve::recoverAddress(digest.data(), signature.data(), true, address.data()) == any, "recoverAddress and recover disagree");
}

void points() {
  const Bytes key = anyPublicKey();
  const Bytes scalar = anyScalar();
  const size_t length = below(2) == 0 ? curve::kCompressedBytes : curve::kPointBytes;
  Bytes a(length), b(length), point(curve::kPointBytes), x(32), hash(32);
  const bool isPoint = curve::convertPublicKey(keyOf(key), a.data(), length);
  const bool isScalar = curve::isPrivateKey(scalar.data());
  check(curve::multiplySecret(keyOf(key), scalar.data(), a.data(), length) == (isPoint && isScalar), "multiplySecret takes what it should not");
  check(curve::multiplyPublicKey(keyOf(key), scalar.data(), b.data(), length) == (isPoint && isScalar), "multiplyPublicKey takes what it should not");
  check(curve::sharedX(keyOf(key), scalar.data(), x.data()) == (isPoint && isScalar), "sharedX takes what it should not");
  check(curve::sharedSecret(keyOf(key), scalar.data(), hash.data()) == (isPoint && isScalar), "sharedSecret takes what it should not");
  if (isPoint && isScalar) check(a == b && memcmp(a.data() + 1, x.data(), 32) == 0, "the ways to multiply disagree");
  const bool added = curve::addToPublicKey(keyOf(key), scalar.data(), a.data(), length);
  check(!added || isPoint, "addToPublicKey takes what is no point");
  if (!added || !isScalar) return;
  // P + tG, once more as a sum of points
  Bytes both(2 * curve::kPointBytes);
  check(curve::convertPublicKey(keyOf(key), both.data(), curve::kPointBytes) && curve::publicKeyOf(scalar.data(), both.data() + curve::kPointBytes, curve::kPointBytes),
        "a point was lost");
  check(curve::combinePublicKeys(both.data(), 2, b.data(), length) && a == b, "addToPublicKey and combinePublicKeys disagree");
}

void privateKeys() {
  const Bytes key = anyScalar();
  const Bytes scalar = anyScalar();
  Bytes sum(32), product(32), negated(32), zero(32), a(curve::kPointBytes), b(curve::kPointBytes), publicKey(curve::kPointBytes);
  const bool isKey = curve::isPrivateKey(key.data());
  check(curve::negatePrivateKey(key.data(), negated.data()) == isKey, "negatePrivateKey takes what is no key");
  const bool added = curve::addToPrivateKey(key.data(), scalar.data(), sum.data());
  const bool multiplied = curve::multiplyPrivateKey(key.data(), scalar.data(), product.data());
  check(isKey || (!added && !multiplied), "what is no key was changed");
  if (!isKey) return;
  check(!curve::addToPrivateKey(key.data(), negated.data(), zero.data()), "key - key is a key");
  check(curve::publicKeyOf(key.data(), publicKey.data(), publicKey.size()), "a public key is missing");
  if (added)
    check(curve::publicKeyOf(sum.data(), a.data(), a.size()) && curve::addToPublicKey(keyOf(publicKey), scalar.data(), b.data(), b.size()) && a == b, "adding to key and to point disagree");
  if (multiplied)
    check(curve::publicKeyOf(product.data(), a.data(), a.size()) && curve::multiplyPublicKey(keyOf(publicKey), scalar.data(), b.data(), b.size()) && a == b,
          "multiplying key and point disagree");
}

void combining() {
  const size_t count = below(curve::kMaxCombined + 3);
  Bytes all;
  for (size_t i = 0; i < count; i++) {
    Bytes point = anyPublicKey();
    point.resize(curve::kPointBytes);
    all.insert(all.end(), point.begin(), point.end());
  }
  all.shrink_to_fit();
  Bytes out(curve::kPointBytes);
  const bool done = curve::combinePublicKeys(all.data(), count, out.data(), out.size());
  check(!done || (count >= 1 && count <= curve::kMaxCombined), "combinePublicKeys takes any number");
}

void batches() {
  const curve::Operation operation = static_cast<curve::Operation>(below(6));
  const size_t chosen = curve::strideIn(operation);
  const size_t stride = chosen == 0 ? 1 + below(300) : chosen;
  const size_t width = curve::strideOut(operation);
  const size_t count = below(6);
  const Bytes in = randomBytes(count * stride);
  const Bytes key = randomBytes(32);
  if (!curve::isPrivateKey(key.data())) return;
  Bytes together(count * width), one(width);
  curve::Frames frames = {operation, in.data(), count, stride, key.data(), below(2) == 0};
  curve::runBatch(frames, together.data());
  for (size_t i = 0; i < count; i++) {
    frames.in = in.data() + i * stride;
    frames.count = 1;
    curve::runBatch(frames, one.data());
    check(memcmp(one.data(), together.data() + i * width, width) == 0, "a batch is not the sum of its frames");
  }
}

/* Frames of one signer, or of few, some changed: the quick way answers what the plain one does. */
void oneSigner() {
  const Bytes keys[] = {randomBytes(32), randomBytes(32)};
  const size_t count = below(140);
  const size_t odd = below(8) == 0 ? 2 : 1000; // how often another signs
  Bytes in;
  for (size_t i = 0; i < count; i++) {
    Bytes digest = anyScalar(), signature(curve::kRecoverableBytes);
    if (!curve::sign(digest.data(), keys[below(odd) == 1 ? 1 : 0].data(), signature.data())) return;
    in.insert(in.end(), digest.begin(), digest.end());
    in.insert(in.end(), signature.begin(), signature.end());
  }
  if (count > 0 && below(2) == 0)
    switch (const size_t at = below(count) * 97; below(3)) {
      case 0: in[at + below(96)] ^= static_cast<uint8_t>(1u << below(8)); break;
      case 1: in[at + 96] = static_cast<uint8_t>(55 - in[at + 96]); break; // the other point with that x
      default: memset(&in[at + 32 + 32 * below(2)], 0, 32);
    }
  Bytes quick(count * curve::kAddressBytes), plain(count * curve::kAddressBytes);
  curve::Frames frames = {curve::Operation::kOneSigner, in.data(), count, 97, nullptr, below(2) == 0};
  curve::runBatch(frames, quick.data());
  frames.operation = curve::Operation::kRecoverAddress;
  curve::runBatch(frames, plain.data());
  check(quick == plain, "signatures checked together give other signers");
}

void hashing() {
  const Bytes data = randomBytes(below(700));
  uint8_t a[32], b[32];
  keccak256(data.data(), data.size(), a);
  // elsewhere in memory, off any alignment
  Bytes shifted(data.size() + 1);
  if (!data.empty()) memcpy(shifted.data() + 1, data.data(), data.size());
  keccak256(shifted.data() + 1, data.size(), b);
  check(memcmp(a, b, 32) == 0, "keccak256 depends on the address");
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: secp256k1-fuzz <seconds> <seed>\n");
    return 2;
  }
  const time_t end = time(nullptr) + atol(argv[1]);
  state = strtoull(argv[2], nullptr, 10);
  if (!curve::start()) return 2;
  unsigned long rounds = 0;
  do {
    signing();
    strangers();
    points();
    privateKeys();
    combining();
    batches();
    oneSigner();
    hashing();
    rounds++;
  } while (time(nullptr) < end);
  printf("%lu rounds\n", rounds);
  return 0;
}
