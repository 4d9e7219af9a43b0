/*
 * Does one operation of the secp256k1 addon's core a number of times, for the instruction counter. All inputs are made
 * before, always as many, so that two runs with different numbers differ by the operations alone.
 *
 * Usage: driver sign|verify|recover|keccak <times>. Exit 1 when an operation fails, 2 for wrong usage.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "curve.h"
#include "keccak.h"

/* Of a local static, for one thread: the first byte says that it is made. From C++'s library nothing else is used, and it is not linked. */
extern "C" {
int __cxa_guard_acquire(uint8_t* guard) { return *guard == 0; }
void __cxa_guard_release(uint8_t* guard) { *guard = 1; }
}

namespace {

constexpr size_t kMost = 40;

uint8_t digests[kMost][curve::kDigestBytes];
uint8_t signatures[kMost][curve::kRecoverableBytes];
uint8_t publicKey[curve::kPointBytes];
uint8_t privateKey[curve::kScalarBytes];
uint8_t out[curve::kPointBytes];

bool makeInputs() {
  memset(privateKey, 0x46, sizeof privateKey);
  if (!curve::start() || !curve::publicKeyOf(privateKey, publicKey, sizeof publicKey)) return false;
  for (size_t i = 0; i < kMost; i++) {
    const uint8_t number[4] = {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8), 0, 0};
    keccak256(number, sizeof number, digests[i]);
    if (!curve::sign(digests[i], privateKey, signatures[i])) return false;
  }
  return true;
}

bool sign(size_t i) { return curve::sign(digests[i], privateKey, out); }
bool verify(size_t i) { return curve::verify(digests[i], signatures[i], {publicKey, sizeof publicKey}, false); }
bool recover(size_t i) { return curve::recover(digests[i], signatures[i], false, out); }
/* 32 bytes are one block of the sponge. */
bool keccak(size_t i) {
  keccak256(digests[i], sizeof digests[i], out);
  return true;
}

struct Operation {
  const char* name;
  bool (*run)(size_t index);
};

constexpr Operation kOperations[] = {{"sign", sign}, {"verify", verify}, {"recover", recover}, {"keccak", keccak}};

} // namespace

int main(int argc, char** argv) {
  const long times = argc == 3 ? atol(argv[2]) : 0;
  if (times < 1 || times > static_cast<long>(kMost)) return 2;
  for (const Operation& operation : kOperations) {
    if (strcmp(operation.name, argv[1]) != 0) continue;
    if (!makeInputs()) return 1;
    for (long i = 0; i < times; i++)
      if (!operation.run(static_cast<size_t>(i))) return 1;
    return 0;
  }
  return 2;
}

/* musl's loader jumps here: the driver is linked as a library, without a C library's own beginning. */
extern "C" __attribute__((used)) void begin(long* stack) { exit(main(static_cast<int>(stack[0]), reinterpret_cast<char**>(stack + 1))); }
#if defined(__aarch64__)
__asm__(".globl _start\n.type _start,%function\n_start: mov x0, sp\n b begin\n");
#else
__asm__(".globl _start\n.type _start,%function\n.arm\n_start: mov r0, sp\n b begin\n");
#endif
