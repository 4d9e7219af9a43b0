/*
 * The few numbers of nf_tables that an older set of headers may lack (musl targets bring their own), and how
 * its message types are made: linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h.
 */
#ifndef MESHBOX_NFNETLINK_KERNEL_H
#define MESHBOX_NFNETLINK_KERNEL_H

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstdint>

namespace nf {

/** Since Linux 5.6. */
constexpr uint16_t kSetElementKeyEnd = 10;
/** Since Linux 5.12: several stateful expressions in one element. */
constexpr uint16_t kSetElementExpressions = 11;
/** Since Linux 5.13. */
constexpr uint32_t kElementCatchAll = 2;
constexpr uint32_t kObjectQuota = 2;

constexpr uint16_t messageType(uint16_t type) { return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type); }

inline nfgenmsg familyHeader(uint8_t family, uint16_t resource) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  header.res_id = htons(resource);
  return header;
}

} // namespace nf

#endif
