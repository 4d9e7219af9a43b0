/* See exchange.h. */
#include "exchange.h"

#include <cerrno>
#include <cstring>

namespace genetlink {

void Text::set(netlink::Slice from) {
  const size_t length = from.length < kTextBytes - 1 ? from.length : kTextBytes - 1;
  if (length > 0) memcpy(bytes, from.data, length);
  bytes[length] = '\0';
}

namespace {

bool appendPadded(const netlink::Message& message, netlink::Buffer* out) {
  return out->append(message.whole.data, message.whole.length) && out->grow(netlink::aligned(message.whole.length) - message.whole.length) != nullptr;
}

} // namespace

bool Exchange::take(netlink::Slice datagram) {
  netlink::Messages messages(datagram);
  netlink::Message message;
  while (!isOver_ && messages.next(&message)) {
    // The answers of a request that was given up carry another number.
    if (message.sequence == sequence_ && message.port == port_) takeOne(message);
  }
  if (!isOver_ && messages.broken()) abandon(EBADMSG);
  return isOver_;
}

void Exchange::fail(int error) { abandon(error); }

void Exchange::takeOne(const netlink::Message& message) {
  if ((message.flags & NLM_F_DUMP_INTR) != 0) isInterrupted_ = true;
  if (message.type == NLMSG_NOOP) return;
  if (message.type == NLMSG_OVERRUN) return abandon(ENOBUFS);
  if (message.type == NLMSG_ERROR || message.type == NLMSG_DONE) {
    netlink::Acknowledgement acknowledgement;
    if (!netlink::readAcknowledgement(message, &acknowledgement)) return abandon(EBADMSG);
    error_ = acknowledgement.error;
    text_.set(acknowledgement.text);
    isOver_ = true;
    return;
  }
  if (message.type != family_) return;
  if (!appendPadded(message, &answers_)) abandon(EMSGSIZE);
}

void Exchange::abandon(int error) {
  if (isOver_) return;
  error_ = error;
  isOver_ = true;
  isUnfinished_ = true;
}

bool gatherEvents(netlink::Slice datagram, netlink::Buffer* out) {
  netlink::Messages messages(datagram);
  netlink::Message message;
  while (messages.next(&message)) {
    if (message.type < NLMSG_MIN_TYPE) continue;
    if (!appendPadded(message, out)) return false;
  }
  return !messages.broken() && out->length() > 0;
}

} // namespace genetlink
