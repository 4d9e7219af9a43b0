/*
 * Questions to nf_tables over one socket: a batch, a dump, the generation's number. The kernel answers inside
 * send() and recvmsg(), so none of this waits for anybody but the kernel's own locks. No Node here.
 */
#ifndef MESHBOX_NFNETLINK_CHANNEL_H
#define MESHBOX_NFNETLINK_CHANNEL_H

#include <cstdint>
#include <memory>

#include "../door/netlink-socket.h"
#include "changes.h"

namespace nf {

struct Outcome {
  enum class Kind { done, refused, unknown };
  Kind kind = Kind::done;
  /** Positive. */
  int error = 0;
  Culprit culprit;
  /** The kernel's own words; may be empty. */
  char text[128] = {};

  static Outcome refused(int error) { return {Kind::refused, error, {}, {}}; }
};

class Channel;

/** Holds a channel for one question, from the asking to the answer. Taken and given back on one thread. */
class Turn {
 public:
  Turn() = default;
  explicit Turn(Channel* channel);
  ~Turn() { end(); }
  Turn(Turn&& other) noexcept : channel_(other.channel_) { other.channel_ = nullptr; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /** False: somebody else's turn lasts. */
  bool isOurs() const { return channel_ != nullptr; }
  void end();

 private:
  Channel* channel_ = nullptr;
};

/** One question at a time: take a Turn first. */
class Channel {
 public:
  netlink::OpenFailure open(const char* namespacePath);
  uint32_t port() const { return socket_.port(); }

  /** For Batch::build(). */
  uint32_t nextSequence() const { return sequence_; }
  Outcome commit(const Batch& batch);
  Outcome dumpElements(uint8_t family, const char* table, const char* set, netlink::Buffer* out);
  Outcome dumpQuotas(uint8_t family, const char* table, netlink::Buffer* out);
  Outcome generation(uint32_t* id);

 private:
  friend class Turn;

  using Read = bool (*)(const netlink::Message& message, netlink::Buffer* out);
  enum class Pass { finished, interrupted, failed };

  Outcome dump(netlink::Writer* request, uint32_t sequence, Read read, netlink::Buffer* out);
  int awaitTransactions();
  Pass dumpOnce(netlink::Slice request, uint32_t sequence, Read read, netlink::Buffer* out, Outcome* outcome);

  netlink::Socket socket_;
  bool isBusy_ = false;
  std::unique_ptr<uint8_t[]> space_;
  uint32_t sequence_ = 1;
  /** The longest batch that fits; the system gives every socket more than this. */
  size_t sendBytes_ = 65536;
};

inline Turn::Turn(Channel* channel) : channel_(channel->isBusy_ ? nullptr : channel) { channel->isBusy_ = true; }

inline void Turn::end() {
  if (channel_ != nullptr) channel_->isBusy_ = false;
  channel_ = nullptr;
}

} // namespace nf

#endif
