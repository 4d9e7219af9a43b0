/*
 * One request and what the kernel answers to it, as plain bytes: messages are gathered until the kernel says
 * that it is done, or why not. No socket, no Node.
 *
 * A request for one thing is sent with NLM_F_ACK, so that an acknowledgement always comes last; a dump ends
 * with NLMSG_DONE. See netlink(7) and the kernel's documentation of netlink.
 */
#ifndef MESHBOX_GENETLINK_EXCHANGE_H
#define MESHBOX_GENETLINK_EXCHANGE_H

#include <cstddef>
#include <cstdint>

#include "../door/netlink-message.h"

namespace genetlink {

constexpr size_t kTextBytes = 256;

/** The kernel's words to an error, cut to what fits. */
struct Text {
  char bytes[kTextBytes] = "";
  void set(netlink::Slice from);
};

class Exchange {
 public:
  /** `port`: the address of the socket that asks. `limit`: bytes of answers at most. */
  Exchange(uint32_t sequence, uint32_t port, uint16_t family, size_t limit)
      : sequence_(sequence), port_(port), family_(family), answers_(limit) {}

  /** Looks at what came in on the asking socket. True: the exchange is over. */
  bool take(netlink::Slice datagram);
  /** The kernel, or the socket, could not. */
  void fail(int error);

  bool isOver() const { return isOver_; }
  /** 0, or the errno of the kernel; EMSGSIZE: more than the limit; EBADMSG: lengths that cannot be. */
  int error() const { return error_; }
  const Text& text() const { return text_; }
  /** What was dumped changed meanwhile: things may be missing or doubled. */
  bool isInterrupted() const { return isInterrupted_; }
  /** More may still come for it: the socket must not be used for another request. */
  bool isUnfinished() const { return isUnfinished_; }
  /** The family's messages with their headers, each padded to 4 bytes. */
  const netlink::Buffer& answers() const { return answers_; }

 private:
  void takeOne(const netlink::Message& message);
  void abandon(int error);

  const uint32_t sequence_;
  const uint32_t port_;
  const uint16_t family_;
  netlink::Buffer answers_;
  Text text_;
  int error_ = 0;
  bool isOver_ = false;
  bool isInterrupted_ = false;
  bool isUnfinished_ = false;
};

/** The family's messages of a datagram that nobody asked for (an event), padded like answers. False: none, or damaged. */
bool gatherEvents(netlink::Slice datagram, netlink::Buffer* out);

} // namespace genetlink

#endif
