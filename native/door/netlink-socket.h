/*
 * A netlink socket that never blocks: opened in any network namespace, with extended ACKs, reading whole
 * datagrams of the kernel and of nobody else. See netlink(7), setns(2).
 */
#ifndef MESHBOX_DOOR_NETLINK_SOCKET_H
#define MESHBOX_DOOR_NETLINK_SOCKET_H

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "netlink-message.h"

namespace netlink {

/** More than the kernel puts into one datagram of a dump (32 KiB). */
constexpr size_t kDatagramBytes = 65536;

/** What went wrong while opening: the step as a word for people, and errno. Step null: all went well. */
struct OpenFailure {
  const char* step = nullptr;
  int error = 0;
};

/** For the calling thread, which cannot easily go back: only for a thread of our own. */
inline OpenFailure enterNamespace(const char* path) {
  // Not blocking: the path may be a FIFO by mistake.
  const int there = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (there < 0) return {"open the namespace", errno};
  const OpenFailure failure = setns(there, CLONE_NEWNET) == 0 ? OpenFailure{} : OpenFailure{"enter the namespace", errno};
  ::close(there);
  return failure;
}

enum class Received { datagram, nothing, lost, truncated, failed };

class Socket {
 public:
  Socket() = default;
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /**
   * `namespacePath`: a file such as /var/run/netns/<name> or /proc/<pid>/ns/net; null: the namespace of
   * this process. `receiveBytes`: how much may wait unread before the kernel drops (0: the system's default).
   */
  OpenFailure open(int protocol, const char* namespacePath, uint32_t receiveBytes) {
    close();
    if (OpenFailure failure = openIn(protocol, namespacePath); failure.step != nullptr) return failure;
    const int one = 1;
    // Older kernels know neither; the answers are then longer and without words.
    setsockopt(fd_, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one);
    setsockopt(fd_, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
    if (receiveBytes > 0) {
      const int wanted = receiveBytes > INT32_MAX ? INT32_MAX : static_cast<int>(receiveBytes);
      // The first goes above the system's limit and wants CAP_NET_ADMIN.
      if (setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0 &&
          setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted) != 0)
        return fail("set the receive buffer");
    }
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return fail("bind the socket");
    socklen_t length = sizeof address;
    if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return fail("read the socket's address");
    port_ = address.nl_pid;
    return {};
  }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  int fd() const { return fd_; }
  bool isOpen() const { return fd_ >= 0; }
  /** The socket's own address: answers carry it, events carry 0. */
  uint32_t port() const { return port_; }

  /** Sends one datagram to the kernel, which handles it at once. 0 or errno; EAGAIN if it cannot take it now. */
  int send(Slice bytes) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    for (;;) {
      const ssize_t sent = sendto(fd_, bytes.data, bytes.length, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
      if (sent >= 0) return static_cast<size_t>(sent) == bytes.length ? 0 : EMSGSIZE;
      if (errno != EINTR) return errno;
    }
  }

  /** 0 or errno. */
  int setMembership(uint32_t group, bool isMember) {
    const int number = static_cast<int>(group);
    return setsockopt(fd_, SOL_NETLINK, isMember ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &number, sizeof number) == 0 ? 0 : errno;
  }

  /**
   * One datagram into `space` (kDatagramBytes). `lost`: the kernel dropped some because too much waited
   * (ENOBUFS); later ones can still be read. `failed`: `error` is the errno.
   */
  Received receive(uint8_t* space, Slice* out, int* error) {
    for (;;) {
      sockaddr_nl from{};
      iovec part{space, kDatagramBytes};
      msghdr header{};
      header.msg_name = &from;
      header.msg_namelen = sizeof from;
      header.msg_iov = &part;
      header.msg_iovlen = 1;
      const ssize_t length = recvmsg(fd_, &header, MSG_DONTWAIT);
      if (length < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Received::nothing;
        if (errno == ENOBUFS) return Received::lost;
        *error = errno;
        return Received::failed;
      }
      // Any process may send to a netlink port; only the kernel has port 0.
      if (from.nl_family != AF_NETLINK || from.nl_pid != 0) continue;
      *out = {space, static_cast<size_t>(length)};
      return (header.msg_flags & MSG_TRUNC) != 0 ? Received::truncated : Received::datagram;
    }
  }

 private:
  struct Opening {
    int protocol;
    const char* namespacePath;
    int fd;
    OpenFailure failure;
  };

  OpenFailure fail(const char* step) {
    const OpenFailure failure{step, errno};
    close();
    return failure;
  }

  static int openHere(int protocol) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol); }

  /** On a thread of its own that ends afterwards: the caller's thread is never in another namespace, whatever fails. */
  static void* openThere(void* data) {
    Opening* opening = static_cast<Opening*>(data);
    opening->failure = enterNamespace(opening->namespacePath);
    if (opening->failure.step == nullptr && (opening->fd = openHere(opening->protocol)) < 0) opening->failure = {"open the socket", errno};
    return nullptr;
  }

  OpenFailure openIn(int protocol, const char* namespacePath) {
    if (namespacePath == nullptr) {
      fd_ = openHere(protocol);
      return fd_ < 0 ? OpenFailure{"open the socket", errno} : OpenFailure{};
    }
    Opening opening{protocol, namespacePath, -1, {}};
    pthread_t thread;
    if (const int error = pthread_create(&thread, nullptr, openThere, &opening); error != 0) return {"start a thread", error};
    pthread_join(thread, nullptr);
    fd_ = opening.fd;
    return opening.failure;
  }

  int fd_ = -1;
  uint32_t port_ = 0;
};

} // namespace netlink

#endif
