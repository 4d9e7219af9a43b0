/* See batch.h. */
#include "batch.h"

#include <cstring>

#include "curve.h"
#include "keccak.h"

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
    case Operation::kRecoverAddress: return recoverAddress(frame, signature, frames.acceptHighS, out);
    case Operation::kKeccak: keccak256(frame, frames.stride, out); return true;
  }
  return false;
}

} // namespace

size_t strideIn(Operation operation) {
  switch (operation) {
    case Operation::kSign: return kDigestBytes;
    case Operation::kVerify: return kDigestBytes + kCompactBytes + kPointBytes;
    case Operation::kRecover:
    case Operation::kRecoverAddress: return kDigestBytes + kRecoverableBytes;
    case Operation::kKeccak: return 0;
  }
  return 0;
}

size_t strideOut(Operation operation) {
  switch (operation) {
    case Operation::kSign:
    case Operation::kRecover: return kPointBytes;
    case Operation::kVerify: return 1;
    case Operation::kRecoverAddress: return kAddressBytes;
    case Operation::kKeccak: return kHashBytes;
  }
  return 0;
}

void runBatch(const Frames& frames, uint8_t* out) {
  const size_t width = strideOut(frames.operation);
  for (size_t i = 0; i < frames.count; i++, out += width)
    if (!runOne(frames, frames.in + i * frames.stride, out)) memset(out, 0, width);
  if (frames.operation == Operation::kSign) wipeStack();
}

} // namespace curve
