/* See socket.h. */
#include "socket.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace udp {

namespace {

const uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/** A number, or the name of an interface; false: neither. */
bool readScope(const char* text, uint32_t* scope) {
  char* end = nullptr;
  const unsigned long number = strtoul(text, &end, 10);
  *scope = end != text && *end == 0 && number <= UINT32_MAX ? static_cast<uint32_t>(number) : if_nametoindex(text);
  return *scope != 0;
}

/** Its length; 0: no address, or none of this family. IPv4 is put into IPv6 where the socket is that. */
socklen_t readAddress(const char* text, uint16_t port, int family, sockaddr_storage* out) {
  memset(out, 0, sizeof *out);
  in_addr v4{};
  if (inet_pton(AF_INET, text, &v4) == 1) {
    if (family == AF_INET) {
      sockaddr_in* in = reinterpret_cast<sockaddr_in*>(out);
      in->sin_family = AF_INET;
      in->sin_port = htons(port);
      in->sin_addr = v4;
      return sizeof *in;
    }
    sockaddr_in6* in6 = reinterpret_cast<sockaddr_in6*>(out);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(in6->sin6_addr.s6_addr, kMapped, sizeof kMapped);
    memcpy(in6->sin6_addr.s6_addr + sizeof kMapped, &v4, sizeof v4);
    return sizeof *in6;
  }
  char plain[INET6_ADDRSTRLEN];
  const char* percent = strchr(text, '%');
  const size_t length = percent == nullptr ? strlen(text) : static_cast<size_t>(percent - text);
  if (family != AF_INET6 || length >= sizeof plain) return 0;
  memcpy(plain, text, length);
  plain[length] = 0;
  sockaddr_in6* in6 = reinterpret_cast<sockaddr_in6*>(out);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  if (inet_pton(AF_INET6, plain, &in6->sin6_addr) != 1) return 0;
  if (percent != nullptr && !readScope(percent + 1, &in6->sin6_scope_id)) return 0;
  return sizeof *in6;
}

int32_t wordOf(const uint8_t* bytes) {
  return static_cast<int32_t>(static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 | static_cast<uint32_t>(bytes[2]) << 8 | bytes[3]);
}

void writeRow(int32_t* row, uint32_t length, const sockaddr_storage& from) {
  uint8_t address[16] = {};
  uint16_t port = 0;
  uint32_t scope = 0;
  if (from.ss_family == AF_INET) {
    const sockaddr_in* in = reinterpret_cast<const sockaddr_in*>(&from);
    memcpy(address, kMapped, sizeof kMapped);
    memcpy(address + sizeof kMapped, &in->sin_addr, sizeof in->sin_addr);
    port = ntohs(in->sin_port);
  } else {
    const sockaddr_in6* in6 = reinterpret_cast<const sockaddr_in6*>(&from);
    memcpy(address, &in6->sin6_addr, sizeof address);
    port = ntohs(in6->sin6_port);
    scope = in6->sin6_scope_id;
  }
  row[0] = static_cast<int32_t>(length);
  row[1] = port;
  for (int word = 0; word < 4; word++) row[2 + word] = wordOf(address + 4 * word);
  row[6] = static_cast<int32_t>(scope);
  row[kAnswerWord] = 0;
}

} // namespace

Failure Socket::open(const char* address, uint16_t port, uint32_t receiveBytes) {
  close();
  family_ = strchr(address, ':') == nullptr ? AF_INET : AF_INET6;
  sockaddr_storage place;
  const socklen_t length = readAddress(address, port, family_, &place);
  if (length == 0) return {"read the address", EINVAL};
  fd_ = socket(family_, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return {"make a socket", errno};
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&place), length) != 0) {
    const Failure failure{"bind", errno};
    close();
    return failure;
  }
  const int room = receiveBytes > INT32_MAX ? INT32_MAX : static_cast<int>(receiveBytes);
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  return {};
}

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  count_ = 0;
}

uint16_t Socket::port() const {
  sockaddr_storage place{};
  socklen_t length = sizeof place;
  if (fd_ < 0 || getsockname(fd_, reinterpret_cast<sockaddr*>(&place), &length) != 0) return 0;
  return ntohs(place.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in*>(&place)->sin_port : reinterpret_cast<const sockaddr_in6*>(&place)->sin6_port);
}

uint32_t Socket::receive(uint8_t* bytes, int32_t* table) {
  mmsghdr messages[kSlots];
  iovec parts[kSlots];
  count_ = 0;
  memset(messages, 0, sizeof messages);
  for (uint32_t slot = 0; slot < kSlots; slot++) {
    parts[slot] = {bytes + slot * kSlotBytes, kSlotBytes};
    messages[slot].msg_hdr.msg_iov = &parts[slot];
    messages[slot].msg_hdr.msg_iovlen = 1;
    messages[slot].msg_hdr.msg_name = &from_[slot];
    messages[slot].msg_hdr.msg_namelen = sizeof from_[slot];
  }
  int got = -1;
  do got = recvmmsg(fd_, messages, kSlots, 0, nullptr);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return 0;
  count_ = static_cast<uint32_t>(got);
  for (uint32_t slot = 0; slot < count_; slot++) {
    lengths_[slot] = messages[slot].msg_len;
    writeRow(table + slot * kRowWords, lengths_[slot], from_[slot]);
  }
  return count_;
}

uint32_t Socket::answer(uint8_t* bytes, int32_t* table) {
  mmsghdr messages[kSlots];
  iovec parts[kSlots];
  uint32_t marked = 0;
  memset(messages, 0, sizeof messages);
  for (uint32_t slot = 0; slot < count_; slot++) {
    int32_t* row = table + slot * kRowWords;
    const int32_t length = row[kAnswerWord];
    row[kAnswerWord] = 0;
    if (length <= 0 || static_cast<uint32_t>(length) > lengths_[slot]) continue;
    parts[marked] = {bytes + slot * kSlotBytes, static_cast<size_t>(length)};
    messages[marked].msg_hdr.msg_iov = &parts[marked];
    messages[marked].msg_hdr.msg_iovlen = 1;
    messages[marked].msg_hdr.msg_name = &from_[slot];
    messages[marked].msg_hdr.msg_namelen = from_[slot].ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    marked++;
  }
  uint32_t lost = 0;
  for (uint32_t sent = 0; sent < marked;) {
    const int went = sendmmsg(fd_, messages + sent, marked - sent, MSG_NOSIGNAL);
    if (went > 0) {
      sent += static_cast<uint32_t>(went);
    } else if (errno != EINTR) {
      // One that cannot be reached takes no other with it; a kernel that has no room may have some for the next.
      sent++;
      lost++;
    }
  }
  return lost;
}

bool Socket::host(uint32_t slot, char (&text)[kHostText]) const {
  if (slot >= count_) return false;
  if (from_[slot].ss_family == AF_INET) return inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&from_[slot])->sin_addr, text, sizeof text) != nullptr;
  const sockaddr_in6* in6 = reinterpret_cast<const sockaddr_in6*>(&from_[slot]);
  if (memcmp(&in6->sin6_addr, kMapped, sizeof kMapped) == 0) return inet_ntop(AF_INET, in6->sin6_addr.s6_addr + sizeof kMapped, text, sizeof text) != nullptr;
  if (inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text) == nullptr) return false;
  const size_t length = strlen(text);
  if (in6->sin6_scope_id != 0) snprintf(text + length, sizeof text - length, "%%%u", in6->sin6_scope_id);
  return true;
}

int Socket::send(const uint8_t* bytes, size_t length, const char* address, uint16_t port) const {
  sockaddr_storage place;
  const socklen_t placeLength = readAddress(address, port, family_, &place);
  if (placeLength == 0) return EINVAL;
  ssize_t sent = -1;
  do sent = sendto(fd_, bytes, length, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&place), placeLength);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

} // namespace udp
