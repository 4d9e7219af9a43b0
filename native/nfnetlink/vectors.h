/*
 * Known answers: what nft 1.0.6 sent and Linux 6.18 answered, read off the wire with strace. The fuzzer checks
 * them before anything else.
 */
#ifndef MESHBOX_NFNETLINK_VECTORS_H
#define MESHBOX_NFNETLINK_VECTORS_H

namespace nf {

/** Null if all agree, or which one does not. */
const char* disagreeingVector();

} // namespace nf

#endif
