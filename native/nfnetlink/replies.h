/*
 * Turns what the kernel says about elements, quotas and changes into frames for JavaScript. Plain bytes in
 * and out. The kernel is believed no length; what is malformed is left out and counted as such.
 *
 * Frames lie without gaps, each a multiple of 8 bytes, numbers in the machine's byte order
 * (src/native/nfnetlink-frames.ts reads them):
 *
 *   element  0 frame's length u32 | 4 flags u32 | 8 timeout u64 | 16 left u64 (ms) | 24 packets u64 | 32 bytes u64
 *            40 quota's bytes u64 | 48 used u64 | 56 key u16 | last key u16 | value u16 | object u16 (lengths)
 *            64 these bytes
 *   event    0 frame's length u32 | 4 kind u8 | flags u8 | family u8 | 0 u8 | 8 generation u32 | 12 pid u32
 *            16 quota's bytes u64 | 24 used u64 | 32 table u16 | name u16 | 0 u32 (lengths)
 *            40 these bytes; padded; then, for an element, its frame, counted in the length
 *
 * A named quota in a dump is the event that it is there.
 */
#ifndef MESHBOX_NFNETLINK_REPLIES_H
#define MESHBOX_NFNETLINK_REPLIES_H

#include <cstdint>

#include "../door/netlink-message.h"

namespace nf {

/** Of an element's frame. */
constexpr uint32_t kShowsTimeout = 1;
constexpr uint32_t kShowsExpiry = 2;
constexpr uint32_t kShowsCounter = 4;
constexpr uint32_t kShowsQuota = 8;
constexpr uint32_t kShowsQuotaOver = 16;
constexpr uint32_t kShowsIntervalEnd = 32;
constexpr uint32_t kShowsCatchAll = 64;

enum Kind : uint8_t { kTable = 0, kChain = 1, kRule = 2, kSet = 3, kElement = 4, kObject = 5, kFlowtable = 6, kGeneration = 7, kQuotaUsedUp = 8 };

/** Of an event's frame. */
constexpr uint8_t kIsDeleted = 1;
constexpr uint8_t kIsOwn = 2;
constexpr uint8_t kWithQuota = 4;
constexpr uint8_t kWithQuotaOver = 8;

/** Whether a message is of nf_tables, and which. */
bool isOf(const netlink::Message& message, uint16_t type);

/** Elements of one message to `out`. False: it was malformed; what came before is in `out`. */
bool readElements(const netlink::Message& message, netlink::Buffer* out);

enum class Twins { none, some, noMemory };

/**
 * Whether an element is listed twice in frames of `readElements`. No set has one twice: its table was laid out
 * anew while the kernel walked it, which it tells nobody, and then others may be missing.
 */
Twins findTwins(const netlink::Buffer& elements);

/** The quota of a message about an object to `out`, nothing if it is another kind of object. False: malformed. */
bool readQuota(const netlink::Message& message, netlink::Buffer* out);

/** The number of a generation. False: the message is not about one. */
bool readGeneration(const netlink::Message& message, uint32_t* id);

/** What one message of the event group says, to `out`. Messages with port `own` are marked, or left out. False: malformed. */
bool readEvent(const netlink::Message& message, uint32_t own, bool skipsOwn, netlink::Buffer* out);

} // namespace nf

#endif
