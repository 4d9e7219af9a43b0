/*
 * One UDP socket: datagrams come in by the batch, short answers to them leave by the batch. Knows nothing of what is in a
 * datagram, nor of Node.
 *
 * A batch lies in memory of the caller's: `bytes` has a slot of kSlotBytes for each datagram, `table` a row of kRowWords:
 *
 *   0 length   1 port   2-5 address, IPv6 or IPv4 in IPv6, its bytes four by four, most significant first   6 scope   7 answer
 *
 * To answer a datagram, write the answer over the beginning of its slot and its length into word 7; answer() sends what is
 * marked, to where it came from. An answer is never longer than what it answers.
 */
#ifndef MESHBOX_UDP_SOCKET_H
#define MESHBOX_UDP_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

namespace udp {

constexpr uint32_t kSlots = 16;
/** A datagram has at most 65,507 bytes: none is ever cut. */
constexpr size_t kSlotBytes = 65'536;
constexpr uint32_t kRowWords = 8;
constexpr uint32_t kAnswerWord = 7;
/** "ffff:…:255.255.255.255%4294967295" and a zero. */
constexpr size_t kHostText = INET6_ADDRSTRLEN + 12;

/** Step null: it went well. */
struct Failure {
  const char* step = nullptr;
  int error = 0;
};

class Socket {
 public:
  Socket() = default;
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /** `address`: IPv4, or IPv6 with `%scope` where it needs one. `port` 0: any. `receiveBytes`: room in the kernel; less is no failure. */
  Failure open(const char* address, uint16_t port, uint32_t receiveBytes);
  void close();
  int fd() const { return fd_; }
  /** 0: closed. */
  uint16_t port() const;

  /** How many datagrams lie in the slots now; 0: none were there, or the kernel had an error to tell, which is over then. Forgets the batch before. */
  uint32_t receive(uint8_t* bytes, int32_t* table);
  /** Sends what is marked, once; returns how many the kernel did not take. The order is kept. */
  uint32_t answer(uint8_t* bytes, int32_t* table);
  /** Who sent the datagram in this slot, as text; false: there is none. */
  bool host(uint32_t slot, char (&text)[kHostText]) const;
  /** 0, or an errno. EINVAL: no address, or one this socket cannot reach. */
  int send(const uint8_t* bytes, size_t length, const char* address, uint16_t port) const;

 private:
  int fd_ = -1;
  int family_ = AF_INET;
  uint32_t count_ = 0;
  uint32_t lengths_[kSlots] = {};
  sockaddr_storage from_[kSlots] = {};
};

} // namespace udp

#endif
