/*
 * Netlink messages as bytes: a writer that cannot run over its limit, a reader that believes no length, and
 * what an acknowledgement says. Nothing here knows a family, a socket or Node.
 *
 * Layouts: RFC 3549, chapter 2; linux/netlink.h. A message is a header of 16 bytes (length, type, flags,
 * sequence, port) and a payload; an attribute is a header of 4 bytes (length with the header, type) and a
 * value; both are padded to 4 bytes. Numbers are in the machine's byte order unless a family says otherwise.
 */
#ifndef MESHBOX_DOOR_NETLINK_MESSAGE_H
#define MESHBOX_DOOR_NETLINK_MESSAGE_H

#include <linux/netlink.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace netlink {

constexpr size_t aligned(size_t length) { return (length + 3) & ~static_cast<size_t>(3); }

constexpr size_t kHeaderBytes = sizeof(nlmsghdr);
constexpr size_t kAttributeHeaderBytes = sizeof(nlattr);

/** Bytes that somebody else owns. */
struct Slice {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

/** Bytes that grow up to a limit. After an append that does not fit, or for which there is no memory, nothing changes any more. */
class Buffer {
 public:
  explicit Buffer(size_t limit) : limit_(limit) {}
  ~Buffer() { free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  /** Where `length` new bytes of zero lie; null if they do not fit. Good until the next call. */
  uint8_t* grow(size_t length) {
    if (failed_ || length > limit_ - length_) {
      failed_ = true;
      return nullptr;
    }
    if (length_ + length > capacity_ || data_ == nullptr) {
      size_t wanted = capacity_ < 256 ? 256 : capacity_ * 2;
      if (wanted < length_ + length) wanted = length_ + length;
      if (wanted > limit_ && limit_ > 0) wanted = limit_;
      void* moved = realloc(data_, wanted);
      if (moved == nullptr) {
        failed_ = true;
        return nullptr;
      }
      data_ = static_cast<uint8_t*>(moved);
      capacity_ = wanted;
    }
    uint8_t* where = data_ + length_;
    memset(where, 0, length);
    length_ += length;
    return where;
  }

  bool append(const void* bytes, size_t length) {
    uint8_t* where = grow(length);
    if (where == nullptr) return false;
    if (length > 0) memcpy(where, bytes, length);
    return true;
  }

  /** Empty again; the memory is kept. */
  void clear() {
    length_ = 0;
    failed_ = false;
  }

  /** Whether everything so far went in. */
  bool ok() const { return !failed_; }
  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t length() const { return length_; }
  Slice slice() const { return {data_, length_}; }

 private:
  const size_t limit_;
  uint8_t* data_ = nullptr;
  size_t length_ = 0;
  size_t capacity_ = 0;
  bool failed_ = false;
};

/**
 * Writes messages one after the other into one buffer. Overruns are remembered: look at ok() once, at the
 * end. begin…() gives a place that end…() takes; what lies between belongs to it.
 */
class Writer {
 public:
  explicit Writer(size_t limit) : buffer_(limit) {}

  size_t beginMessage(uint16_t type, uint16_t flags, uint32_t sequence) {
    const size_t place = buffer_.length();
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = flags;
    header.nlmsg_seq = sequence;
    buffer_.append(&header, sizeof header);
    return place;
  }

  void endMessage(size_t place) {
    if (!buffer_.ok()) return;
    const uint32_t length = static_cast<uint32_t>(buffer_.length() - place);
    memcpy(buffer_.data() + place + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
  }

  /** Sets flags of a message that is already begun. */
  void addFlags(size_t place, uint16_t flags) {
    if (!buffer_.ok()) return;
    uint16_t all;
    memcpy(&all, buffer_.data() + place + offsetof(nlmsghdr, nlmsg_flags), sizeof all);
    all = static_cast<uint16_t>(all | flags);
    memcpy(buffer_.data() + place + offsetof(nlmsghdr, nlmsg_flags), &all, sizeof all);
  }

  /** For a message that was written before its number was known. */
  void setSequence(size_t place, uint32_t sequence) {
    if (!buffer_.ok()) return;
    memcpy(buffer_.data() + place + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  }

  /** A family's own header, or attributes that are ready made; padded. */
  void raw(const void* bytes, size_t length) {
    buffer_.append(bytes, length);
    buffer_.grow(aligned(length) - length);
  }

  /** At most 65,531 bytes: an attribute's length has 16 bits. */
  void attribute(uint16_t type, const void* value, size_t length) {
    uint8_t* where = beginAttribute(type, length);
    if (where != nullptr && length > 0) memcpy(where, value, length);
  }

  void flag(uint16_t type) { attribute(type, nullptr, 0); }
  void u8(uint16_t type, uint8_t value) { attribute(type, &value, sizeof value); }
  void u16(uint16_t type, uint16_t value) { attribute(type, &value, sizeof value); }
  void u32(uint16_t type, uint32_t value) { attribute(type, &value, sizeof value); }
  void u64(uint16_t type, uint64_t value) { attribute(type, &value, sizeof value); }
  void u16BigEndian(uint16_t type, uint16_t value) { bigEndian(type, value, 2); }
  void u32BigEndian(uint16_t type, uint32_t value) { bigEndian(type, value, 4); }
  void u64BigEndian(uint16_t type, uint64_t value) { bigEndian(type, value, 8); }
  /** With the zero at the end that the kernel wants. */
  void text(uint16_t type, const char* value) { attribute(type, value, strlen(value) + 1); }

  size_t beginNest(uint16_t type) {
    const size_t place = buffer_.length();
    attribute(static_cast<uint16_t>(type | NLA_F_NESTED), nullptr, 0);
    return place;
  }

  void endNest(size_t place) {
    if (!buffer_.ok()) return;
    const size_t length = buffer_.length() - place;
    if (length > UINT16_MAX) {
      tooLong_ = true;
      return;
    }
    const uint16_t written = static_cast<uint16_t>(length);
    memcpy(buffer_.data() + place + offsetof(nlattr, nla_len), &written, sizeof written);
  }

  void clear() {
    buffer_.clear();
    tooLong_ = false;
  }

  bool ok() const { return buffer_.ok() && !tooLong_; }
  size_t length() const { return buffer_.length(); }
  Slice slice() const { return buffer_.slice(); }

 private:
  uint8_t* beginAttribute(uint16_t type, size_t length) {
    if (length > UINT16_MAX - kAttributeHeaderBytes) {
      tooLong_ = true;
      return nullptr;
    }
    uint8_t* where = buffer_.grow(kAttributeHeaderBytes + aligned(length));
    if (where == nullptr) return nullptr;
    nlattr header{};
    header.nla_len = static_cast<uint16_t>(kAttributeHeaderBytes + length);
    header.nla_type = type;
    memcpy(where, &header, sizeof header);
    return where + kAttributeHeaderBytes;
  }

  void bigEndian(uint16_t type, uint64_t value, size_t length) {
    uint8_t* where = beginAttribute(type, length);
    for (size_t i = length; where != nullptr && i > 0; i--, value >>= 8) where[i - 1] = static_cast<uint8_t>(value);
  }

  Buffer buffer_;
  bool tooLong_ = false;
};

struct Message {
  uint16_t type = 0;
  uint16_t flags = 0;
  uint32_t sequence = 0;
  uint32_t port = 0;
  Slice payload;
  /** Header and payload, without the padding that follows. */
  Slice whole;
};

/** The messages of one datagram. Ends at the first length that cannot be right; broken() tells. */
class Messages {
 public:
  explicit Messages(Slice datagram) : rest_(datagram) {}

  bool next(Message* out) {
    if (rest_.length == 0 || broken_) return false;
    nlmsghdr header;
    if (rest_.length < sizeof header) return fail();
    memcpy(&header, rest_.data, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest_.length) return fail();
    out->type = header.nlmsg_type;
    out->flags = header.nlmsg_flags;
    out->sequence = header.nlmsg_seq;
    out->port = header.nlmsg_pid;
    out->whole = {rest_.data, header.nlmsg_len};
    out->payload = {rest_.data + sizeof header, header.nlmsg_len - sizeof header};
    const size_t step = aligned(header.nlmsg_len) < rest_.length ? aligned(header.nlmsg_len) : rest_.length;
    rest_ = {rest_.data + step, rest_.length - step};
    return true;
  }

  bool broken() const { return broken_; }

 private:
  bool fail() {
    broken_ = true;
    return false;
  }

  Slice rest_;
  bool broken_ = false;
};

struct Attribute {
  /** Without the two bits for nesting and byte order. */
  uint16_t type = 0;
  bool isNested = false;
  Slice value;
};

/** The attributes of a payload (behind the family's own header) or of a nest. Ends like Messages. */
class Attributes {
 public:
  explicit Attributes(Slice bytes) : rest_(bytes) {}

  bool next(Attribute* out) {
    if (rest_.length == 0 || broken_) return false;
    nlattr header;
    if (rest_.length < sizeof header) return fail();
    memcpy(&header, rest_.data, sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > rest_.length) return fail();
    out->type = header.nla_type & NLA_TYPE_MASK;
    out->isNested = (header.nla_type & NLA_F_NESTED) != 0;
    out->value = {rest_.data + sizeof header, header.nla_len - sizeof header};
    const size_t step = aligned(header.nla_len) < rest_.length ? aligned(header.nla_len) : rest_.length;
    rest_ = {rest_.data + step, rest_.length - step};
    return true;
  }

  bool broken() const { return broken_; }

 private:
  bool fail() {
    broken_ = true;
    return false;
  }

  Slice rest_;
  bool broken_ = false;
};

/** A number in the machine's byte order. False, and nothing written, if the value has another length. */
template <typename Number>
bool readNumber(Slice value, Number* out) {
  if (value.length != sizeof *out) return false;
  memcpy(out, value.data, sizeof *out);
  return true;
}

/** A number in network byte order. */
template <typename Number>
bool readBigEndian(Slice value, Number* out) {
  if (value.length != sizeof *out) return false;
  uint64_t number = 0;
  for (size_t i = 0; i < value.length; i++) number = number << 8 | value.data[i];
  *out = static_cast<Number>(number);
  return true;
}

/** What NLMSG_ERROR and NLMSG_DONE say. */
struct Acknowledgement {
  /** 0 or a positive errno. */
  int error = 0;
  /** The kernel's own words (extended ACK), without the zero; of length 0 if it gave none. */
  Slice text;
  /** Where in the request the attribute lies that it did not like, from the message's start; 0: unknown. */
  uint32_t offset = 0;
};

/** Reads NLMSG_ERROR or NLMSG_DONE. False if it is neither, or too short. A DONE without a code counts as 0. */
inline bool readAcknowledgement(const Message& message, Acknowledgement* out) {
  *out = {};
  const bool isDone = message.type == NLMSG_DONE;
  if (message.type != NLMSG_ERROR && !isDone) return false;
  Slice rest = message.payload;
  int32_t code = 0;
  if (rest.length < sizeof code) return isDone;
  memcpy(&code, rest.data, sizeof code);
  // The kernel says 0 or a negative errno; a DONE may also carry how much it dumped. INT32_MIN has no positive twin.
  if (code < 0)
    out->error = code == INT32_MIN ? EPROTO : -code;
  else if (code > 0 && !isDone)
    out->error = EPROTO;
  if ((message.flags & NLM_F_ACK_TLVS) == 0) return true;
  size_t skip = sizeof code;
  if (!isDone) {
    nlmsghdr request;
    if (rest.length < skip + sizeof request) return true;
    memcpy(&request, rest.data + skip, sizeof request);
    skip += sizeof request;
    // Unless it is capped, the whole request comes back with the error.
    if ((message.flags & NLM_F_CAPPED) == 0) {
      if (request.nlmsg_len < sizeof request || aligned(request.nlmsg_len - sizeof request) > rest.length - skip) return true;
      skip += aligned(request.nlmsg_len - sizeof request);
    }
  }
  Attributes attributes({rest.data + skip, rest.length - skip});
  Attribute attribute;
  while (attributes.next(&attribute)) {
    if (attribute.type == NLMSGERR_ATTR_OFFS) readNumber(attribute.value, &out->offset);
    if (attribute.type != NLMSGERR_ATTR_MSG) continue;
    out->text = {attribute.value.data, strnlen(reinterpret_cast<const char*>(attribute.value.data), attribute.value.length)};
  }
  return true;
}

} // namespace netlink

#endif
