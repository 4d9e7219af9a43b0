/*
 * Many of one operation over frames of fixed stride that lie in one piece of memory, one after the other.
 * Frames that fail (no signature of anybody, no point) answer with zeros, and never stop the others.
 *
 *   operation        frame in                                        frame out
 *   sign             digest 32                                       r ‖ s ‖ v 65, v 27 or 28
 *   verify           digest 32 ‖ r ‖ s 64 ‖ public key 65            1: 1 good, 0 not
 *   recover          digest 32 ‖ r ‖ s ‖ v 65                        public key 65, or zeros
 *   recover address  digest 32 ‖ r ‖ s ‖ v 65                        address 20, or zeros
 *   one signer       the same; quicker where neighbours have one signer, a third slower where not
 *   keccak           any stride                                      hash 32
 */
#ifndef MESHBOX_BATCH_H
#define MESHBOX_BATCH_H

#include <cstddef>
#include <cstdint>

namespace curve {

constexpr size_t kMaxFrames = 65536;
constexpr size_t kMaxBatchBytes = 16 * 1024 * 1024;

enum class Operation { kSign, kVerify, kRecover, kRecoverAddress, kOneSigner, kKeccak };

/** Stride of a frame that goes in; 0 where the caller chooses it. */
size_t strideIn(Operation operation);
size_t strideOut(Operation operation);

struct Frames {
  Operation operation;
  const uint8_t* in;
  size_t count;
  size_t stride;
  /** For kSign: a private key that isPrivateKey() accepted. */
  const uint8_t* privateKey;
  /** For kVerify and all kinds of recovery. */
  bool acceptHighS;
};

/** `out` has count · strideOut bytes. */
void runBatch(const Frames& frames, uint8_t* out);

} // namespace curve

#endif
