/*
 * Listens to what anybody changes in nf_tables, from the loop itself, and tells a JavaScript function in
 * frames (replies.h).
 */
#ifndef MESHBOX_NFNETLINK_EVENTS_H
#define MESHBOX_NFNETLINK_EVENTS_H

#include <napi.h>

#include <memory>

#include "../door/arguments.h"
#include "../door/loop-watch.h"
#include "../door/netlink-socket.h"
#include "kernel.h"
#include "replies.h"

namespace nf {

class Events final : public door::Watcher, public std::enable_shared_from_this<Events> {
 public:
  Events(napi_env env, uint32_t own, bool skipsOwn) : env_(env), own_(own), skipsOwn_(skipsOwn), frames_(kMaxFrameBytes) {}
  ~Events() { stop(); }

  /** Step null: it listens. `function` is called with (frames: Uint8Array, lost: boolean). */
  netlink::OpenFailure start(const char* namespacePath, uint32_t receiveBytes, napi_value function) {
    space_.reset(new (std::nothrow) uint8_t[netlink::kDatagramBytes]);
    if (space_ == nullptr) return {"take memory", ENOMEM};
    if (const netlink::OpenFailure failure = socket_.open(NETLINK_NETFILTER, namespacePath, receiveBytes); failure.step != nullptr) return failure;
    if (const int error = socket_.setMembership(NFNLGRP_NFTABLES, true); error != 0) return {"join the group of nf_tables", error};
    if (!listener_.set(env_, function, "meshbox:nfnetlink-events")) return {"keep the function", ECANCELED};
    if (const char* why = watch_.start(env_, socket_.fd(), this); why != nullptr) return {why, ENOTSUP};
    watch_.hold(false); // listening alone keeps no process alive
    return {};
  }

  void stop() {
    watch_.stop();
    listener_.clear();
    socket_.close();
  }

  void onReadable() override {
    const std::shared_ptr<Events> self = shared_from_this(); // the function may end this watch
    bool isLost = false;
    frames_.clear();
    for (int i = 0; i < kDatagramsAtOnce; i++) {
      netlink::Slice datagram;
      int error = 0;
      const netlink::Received received = socket_.receive(space_.get(), &datagram, &error);
      if (received == netlink::Received::nothing) break;
      if (received != netlink::Received::datagram) {
        isLost = true;
        if (received == netlink::Received::failed) break;
        continue;
      }
      netlink::Messages messages(datagram);
      netlink::Message message;
      while (messages.next(&message))
        if (!readEvent(message, own_, skipsOwn_, &frames_)) isLost = true;
      if (messages.broken()) isLost = true;
    }
    if (!frames_.ok()) isLost = true;
    if (isLost || frames_.length() > 0) tell(isLost);
  }

  void onEnvironmentEnd() override { stop(); }

 private:
  /** So many at a time keep the loop's turn short. */
  static constexpr int kDatagramsAtOnce = 32;
  /** Frames are larger than the messages by a few times at most. */
  static constexpr size_t kMaxFrameBytes = kDatagramsAtOnce * netlink::kDatagramBytes * 8;

  void tell(bool isLost) {
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
    napi_value values[2] = {door::copyBytes(env_, frames_.data(), frames_.length()), nullptr};
    if (values[0] != nullptr && napi_get_boolean(env_, isLost, &values[1]) == napi_ok) {
      listener_.call(2, values);
    } else { // no memory, or the environment is closing: nothing of it may hang over whoever calls next
      napi_value pending = nullptr;
      napi_get_and_clear_last_exception(env_, &pending);
    }
    napi_close_handle_scope(env_, scope);
  }

  napi_env env_;
  const uint32_t own_;
  const bool skipsOwn_;
  netlink::Buffer frames_;
  std::unique_ptr<uint8_t[]> space_;
  netlink::Socket socket_;
  door::Listener listener_;
  door::Watch watch_;
};

} // namespace nf

#endif
