/*
 * Turns the changes that JavaScript asks for into one batch of nf_tables messages. Plain bytes in and out;
 * neither Node nor a socket is needed.
 *
 * Changes come without gaps and unaligned, numbers in the machine's byte order (src/native/nfnetlink-frames.ts
 * writes them):
 *
 *   change   op u8 | family u8 | flags u8 | table's length u8 | name's length u8 | 0 u8 | 0 u16 | count u32
 *            then table, name, and `count` elements, or for an added quota: bytes u64 | used u64
 *   element  flags u16 | key u8 | last key u8 | value u8 | object u8 (lengths) | 0 u16
 *            then these bytes, and what the flags name, in their order: timeout in ms u64,
 *            packets u64 | bytes u64, quota's bytes u64 | used u64
 */
#ifndef MESHBOX_NFNETLINK_CHANGES_H
#define MESHBOX_NFNETLINK_CHANGES_H

#include <cstddef>
#include <cstdint>

#include "../door/netlink-message.h"

namespace nf {

enum Op : uint8_t { kAddElements = 1, kDeleteElements = 2, kFlushSet = 3, kAddQuota = 4, kDeleteQuota = 5 };

/** Of a change. */
constexpr uint8_t kIsExclusive = 1;
constexpr uint8_t kIsOver = 2;

/** Of an element. */
constexpr uint16_t kHasTimeout = 1;
constexpr uint16_t kHasCounter = 2;
constexpr uint16_t kHasQuota = 4;
constexpr uint16_t kIsQuotaOver = 8;
constexpr uint16_t kIsIntervalEnd = 16;

constexpr size_t kMaxDataBytes = 64;
/** Of a whole batch: the kernel copies it in one piece. */
constexpr size_t kMaxBatchBytes = 32u << 20;

/** Where an error of the kernel points. */
struct Culprit {
  /** -1: the batch as a whole. */
  int32_t change = -1;
  /** -1: not known. */
  int32_t element = -1;
};

enum class Built { ok, malformed, tooLong };

class Batch {
 public:
  Batch() : writer_(kMaxBatchBytes), origins_(kMaxBatchBytes) {}

  /** `sequence`: of the batch's first message; the others follow it. Once per Batch. */
  Built build(netlink::Slice changes, uint32_t sequence);

  netlink::Slice bytes() const { return writer_.slice(); }
  /** Messages between the batch's begin and end. */
  uint32_t count() const { return count_; }
  /** Whether an answer with this sequence belongs to this batch. */
  bool owns(uint32_t sequence) const { return sequence - first_ <= count_ + 1; }
  /** Of the message that asks for an acknowledgement: the last one that changes something. */
  uint32_t lastSequence() const { return first_ + count_; }
  /** Whose fault: of an error's sequence and the offset it names (0: none). */
  Culprit culprit(uint32_t sequence, uint32_t offset) const;

 private:
  struct Origin {
    uint32_t place;
    uint32_t change;
    uint32_t firstElement;
  };

  struct Change;
  class Reader;

  Built buildElements(const Change& change, Reader* reader);
  void buildQuota(const Change& change, uint64_t bytes, uint64_t used);
  size_t beginMessage(const Change& change, uint16_t type, uint16_t flags, uint32_t firstElement);

  netlink::Writer writer_;
  netlink::Buffer origins_;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  size_t last_ = 0;
};

} // namespace nf

#endif
