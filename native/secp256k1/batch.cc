/* See batch.h. */
#include "batch.h"

#include <cstring>

#include "curve.h"
#include "keccak.h"
#include "together.h"

namespace curve {
namespace {

bool runOne(const Frames& frames, const uint8_t* frame, uint8_t* out) {
  const uint8_t* signature = frame + kDigestBytes;
  switch (frames.operation) {
    case Operation::kSign: return sign(frame, frames.privateKey, out);
    case Operation::kVerify:
      out[0] = verify(frame, signature, {signature + kCompactBytes, kPointBytes}, frames.acceptHighS) ? 1 : 0;
      return true;
    case Operation::kRecover: return recover(frame, signature, frames.acceptHighS, out);
    case Operation::kRecoverAddress:
    case Operation::kOneSigner: return recoverAddress(frame, signature, frames.acceptHighS, out);
    case Operation::kKeccak: keccak256(frame, frames.stride, out); return true;
  }
  return false;
}

/* From so many frames up the sum costs less than recovering them. */
constexpr size_t kWorthSumming = 3;

void runEach(const Frames& frames, size_t from, size_t to, uint8_t* out) {
  const size_t width = strideOut(frames.operation);
  for (size_t i = from; i < to; i++)
    if (!runOne(frames, frames.in + i * frames.stride, out + i * width)) memset(out + i * width, 0, width);
}

/* The first of them says who it is; if the others are not all his, each is looked at by itself. */
void runOneSigner(const Frames& frames, size_t from, size_t to, uint8_t* out) {
  const uint8_t* first = frames.in + from * frames.stride;
  uint8_t point[kPointBytes];
  uint8_t hash[kHashBytes];
  const bool isWorth = to - from > kWorthSumming && recover(first, first + kDigestBytes, frames.acceptHighS, point);
  if (!isWorth || !meshbox_all_signed_by(first + frames.stride, to - from - 1, point, frames.acceptHighS ? 1 : 0)) return runEach(frames, from, to, out);
  keccak256(point + 1, kPointBytes - 1, hash);
  for (size_t i = from; i < to; i++) memcpy(out + i * kAddressBytes, hash + kHashBytes - kAddressBytes, kAddressBytes);
}

} // namespace

size_t strideIn(Operation operation) {
  switch (operation) {
    case Operation::kSign: return kDigestBytes;
    case Operation::kVerify: return kDigestBytes + kCompactBytes + kPointBytes;
    case Operation::kRecover:
    case Operation::kRecoverAddress:
    case Operation::kOneSigner: return kDigestBytes + kRecoverableBytes;
    case Operation::kKeccak: return 0;
  }
  return 0;
}

size_t strideOut(Operation operation) {
  switch (operation) {
    case Operation::kSign:
    case Operation::kRecover: return kPointBytes;
    case Operation::kVerify: return 1;
    case Operation::kRecoverAddress:
    case Operation::kOneSigner: return kAddressBytes;
    case Operation::kKeccak: return kHashBytes;
  }
  return 0;
}

void runBatch(const Frames& frames, uint8_t* out) {
  constexpr size_t kAtOnce = MESHBOX_TOGETHER_MAX + 1;
  if (frames.operation != Operation::kOneSigner) runEach(frames, 0, frames.count, out);
  else
    for (size_t from = 0; from < frames.count; from += kAtOnce) runOneSigner(frames, from, from + kAtOnce < frames.count ? from + kAtOnce : frames.count, out);
  if (frames.operation == Operation::kSign) wipeStack();
}

} // namespace curve
