/*
 * Drives changes.h and replies.h without Node or kernel, under AddressSanitizer and
 * UndefinedBehaviorSanitizer: first the known answers of vectors.h, then every input lies in a heap block of exactly its size and is random, right, cut,
 * or right with bits turned; whatever comes out must be well formed.
 *
 * Usage: nfnetlink-fuzz <seconds> <seed>. Ends with the number of rounds; exit 1 at the first contradiction.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "changes.h"
#include "kernel.h"
#include "replies.h"
#include "vectors.h"

namespace {

using netlink::Slice;
using Bytes = std::vector<uint8_t>;

uint64_t state = 0;

/* splitmix64: a seed names the whole run. */
uint64_t next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }

[[noreturn]] void contradiction(const char* what) {
  printf("contradiction: %s\n", what);
  exit(1);
}

void check(bool holds, const char* what) {
  if (!holds) contradiction(what);
}

/** A copy in a block of exactly this size, so that a read beyond it is seen. */
class Exact {
 public:
  explicit Exact(const Bytes& bytes) : data_(static_cast<uint8_t*>(malloc(bytes.empty() ? 1 : bytes.size()))), length_(bytes.size()) {
    if (!bytes.empty()) memcpy(data_, bytes.data(), bytes.size());
  }
  ~Exact() { free(data_); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  Slice slice() const { return {data_, length_}; }

 private:
  uint8_t* data_;
  size_t length_;
};

void damage(Bytes* bytes) {
  if (bytes->empty()) return;
  switch (below(5)) {
    case 0: return;
    case 1: bytes->resize(below(bytes->size())); return;
    case 2:
      for (size_t i = below(8); i < 8; i++) (*bytes)[below(bytes->size())] = static_cast<uint8_t>(next());
      return;
    case 3: (*bytes)[below(bytes->size())] ^= static_cast<uint8_t>(1u << below(8)); return;
    default: { // a length at its edges
      const size_t at = below(bytes->size());
      (*bytes)[at] = below(2) == 0 ? 0 : 0xff;
      if (at + 1 < bytes->size()) (*bytes)[at + 1] = below(2) == 0 ? 0 : 0xff;
    }
  }
}

template <typename Number>
void append(Bytes* to, Number value) {
  const size_t at = to->size();
  to->resize(at + sizeof value);
  memcpy(to->data() + at, &value, sizeof value);
}

void appendRandom(Bytes* to, size_t length, bool isText) {
  for (size_t i = 0; i < length; i++) to->push_back(isText ? static_cast<uint8_t>('a' + below(26)) : static_cast<uint8_t>(next()));
}

size_t edge(size_t most) { return below(4) == 0 ? (below(2) == 0 ? 1 : most) : 1 + below(most); }

void appendElement(Bytes* to, size_t shape) {
  const uint16_t flags = static_cast<uint16_t>(shape == 0 ? next() : shape);
  const size_t key = edge(64), keyEnd = below(3) == 0 ? edge(64) : 0, value = below(2) == 0 ? edge(64) : 0, object = below(4) == 0 ? edge(255) : 0;
  append<uint16_t>(to, flags);
  for (const size_t length : {key, keyEnd, value, object}) to->push_back(static_cast<uint8_t>(length));
  append<uint16_t>(to, 0);
  appendRandom(to, key, false);
  appendRandom(to, keyEnd, false);
  appendRandom(to, value, false);
  appendRandom(to, object, true);
  if ((flags & nf::kHasTimeout) != 0) append<uint64_t>(to, next());
  if ((flags & nf::kHasCounter) != 0) appendRandom(to, 16, false);
  if ((flags & nf::kHasQuota) != 0) appendRandom(to, 16, false);
}

Bytes someChanges() {
  Bytes out;
  for (size_t changes = 1 + below(4); changes > 0; changes--) {
    const uint8_t op = static_cast<uint8_t>(1 + below(5));
    const size_t table = edge(255), name = edge(255);
    const uint32_t count = op <= nf::kDeleteElements ? static_cast<uint32_t>(below(30) == 0 ? below(3000) : below(6)) : 0;
    for (const size_t byte : {size_t{op}, below(256), below(4), table, name, size_t{0}, size_t{0}, size_t{0}}) out.push_back(static_cast<uint8_t>(byte));
    append<uint32_t>(&out, count);
    appendRandom(&out, table, true);
    appendRandom(&out, name, true);
    const size_t shape = below(32);
    for (uint32_t i = 0; i < count; i++) appendElement(&out, shape);
    if (op == nf::kAddQuota) appendRandom(&out, 16, false);
  }
  return out;
}

uint64_t builtBatches = 0;

void fuzzChanges() {
  Bytes bytes = someChanges();
  const bool isWhole = below(3) == 0;
  if (!isWhole) damage(&bytes);
  const Exact input(bytes);
  nf::Batch batch;
  const uint32_t first = static_cast<uint32_t>(next());
  if (batch.build(input.slice(), first) != nf::Built::ok) return;
  builtBatches++;
  netlink::Messages messages(batch.bytes());
  netlink::Message message;
  uint32_t count = 0;
  while (messages.next(&message)) {
    check(message.sequence == first + count, "a gap in the sequence");
    const bool isFrame = message.type == NFNL_MSG_BATCH_BEGIN || message.type == NFNL_MSG_BATCH_END;
    check(isFrame == (count == 0 || count == batch.count() + 1), "begin and end are not around the rest");
    check(((message.flags & NLM_F_ACK) != 0) == (message.sequence == batch.lastSequence()), "another than the last message asks for an answer");
    check(message.payload.length >= sizeof(nfgenmsg), "a message without its family");
    netlink::Attributes attributes({message.payload.data + sizeof(nfgenmsg), message.payload.length - sizeof(nfgenmsg)});
    netlink::Attribute attribute;
    while (attributes.next(&attribute))
      if (attribute.isNested) {
        netlink::Attributes inside(attribute.value);
        netlink::Attribute part;
        while (inside.next(&part)) continue;
        check(!inside.broken(), "a broken nest");
      }
    check(!attributes.broken(), "a broken attribute");
    for (int i = 0; i < 4; i++) batch.culprit(message.sequence, static_cast<uint32_t>(below(message.whole.length + 8)));
    count++;
  }
  check(!messages.broken() && count == batch.count() + 2, "another number of messages than told");
  batch.culprit(static_cast<uint32_t>(next()), static_cast<uint32_t>(next()));
}

/** Attributes as the kernel nests them, of any type and with right, empty and overlong values. */
void writeTree(netlink::Writer* writer, int depth) {
  for (size_t i = 1 + below(5); i > 0; i--) {
    const uint16_t type = static_cast<uint16_t>(below(13));
    switch (depth == 0 ? 1 + below(4) : below(5)) {
      case 0: {
        const size_t nest = writer->beginNest(type);
        writeTree(writer, depth - 1);
        writer->endNest(nest);
        break;
      }
      case 1: writer->u32BigEndian(type, static_cast<uint32_t>(below(4))); break;
      case 2: writer->u64BigEndian(type, next()); break;
      case 3: writer->text(type, below(2) == 0 ? "counter" : "quota"); break;
      default: {
        Bytes value;
        appendRandom(&value, below(300), below(2) == 0);
        writer->attribute(type, value.data(), value.size());
      }
    }
  }
}

void writeData(netlink::Writer* writer, uint16_t type) {
  Bytes value;
  appendRandom(&value, edge(64), false);
  const size_t nest = writer->beginNest(type);
  writer->attribute(NFTA_DATA_VALUE, value.data(), value.size());
  writer->endNest(nest);
}

void writeExpression(netlink::Writer* writer, uint16_t type) {
  const size_t expression = writer->beginNest(type);
  writer->text(NFTA_EXPR_NAME, below(2) == 0 ? "counter" : "quota");
  const size_t inside = writer->beginNest(NFTA_EXPR_DATA);
  for (uint16_t i = 1; i < 5; i++) i == 2 && below(2) == 0 ? writer->u32BigEndian(i, static_cast<uint32_t>(below(4))) : writer->u64BigEndian(i, next());
  writer->endNest(inside);
  writer->endNest(expression);
}

void writeRightElement(netlink::Writer* writer) {
  const size_t nest = writer->beginNest(NFTA_LIST_ELEM);
  writeData(writer, NFTA_SET_ELEM_KEY);
  if (below(2) == 0) writeData(writer, NFTA_SET_ELEM_DATA);
  if (below(4) == 0) writer->text(NFTA_SET_ELEM_OBJREF, "somebody");
  if (below(2) == 0) writer->u64BigEndian(NFTA_SET_ELEM_TIMEOUT, next());
  if (below(2) == 0) writer->u64BigEndian(NFTA_SET_ELEM_EXPIRATION, next());
  if (below(2) == 0) writer->u32BigEndian(NFTA_SET_ELEM_FLAGS, static_cast<uint32_t>(below(4)));
  if (below(2) == 0) writeExpression(writer, NFTA_SET_ELEM_EXPR);
  if (below(4) == 0) {
    const size_t list = writer->beginNest(nf::kSetElementExpressions);
    writeExpression(writer, NFTA_LIST_ELEM);
    writeExpression(writer, NFTA_LIST_ELEM);
    writer->endNest(list);
  }
  writer->endNest(nest);
}

void writeBody(netlink::Writer* writer) {
  if (below(2) == 0) {
    writeTree(writer, 4);
    return;
  }
  writer->text(1, "meshbox");
  writer->text(2, "paid");
  if (below(2) == 0) {
    const size_t list = writer->beginNest(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (size_t i = below(8); i > 0; i--) writeRightElement(writer);
    writer->endNest(list);
    return;
  }
  writer->u32BigEndian(NFTA_OBJ_TYPE, nf::kObjectQuota);
  const size_t data = writer->beginNest(NFTA_OBJ_DATA);
  writer->u64BigEndian(NFTA_QUOTA_BYTES, next());
  writer->u64BigEndian(NFTA_QUOTA_CONSUMED, next());
  writer->u32BigEndian(NFTA_QUOTA_FLAGS, static_cast<uint32_t>(below(4)));
  writer->endNest(data);
}

template <typename Number>
Number read(const uint8_t* from) {
  Number value;
  memcpy(&value, from, sizeof value);
  return value;
}

void checkElementFrame(const uint8_t* frame, size_t length) {
  check(length >= 64, "an element's frame is too short");
  size_t inside = 64;
  for (size_t at = 56; at < 64; at += 2) inside += read<uint16_t>(frame + at);
  check(read<uint32_t>(frame) == length && length == ((inside + 7) & ~size_t{7}), "an element's frame has another length");
}

uint64_t frames = 0;

void checkFrames(const netlink::Buffer& buffer, bool areElements) {
  for (size_t at = 0; at < buffer.length(); frames++) {
    const uint8_t* frame = buffer.data() + at;
    check(buffer.length() - at >= 40, "half a frame");
    const size_t length = read<uint32_t>(frame);
    check(length > 0 && length % 8 == 0 && length <= buffer.length() - at, "a frame leads out of the buffer");
    if (areElements) {
      checkElementFrame(frame, length);
    } else {
      const size_t own = (40u + read<uint16_t>(frame + 32) + read<uint16_t>(frame + 34) + 7) & ~size_t{7};
      check(frame[4] <= nf::kQuotaUsedUp && own <= length, "an event's frame is malformed");
      check((own < length) == (frame[4] == nf::kElement), "an element's event without its element, or another with one");
      if (own < length) checkElementFrame(frame + own, length - own);
    }
    at += length;
  }
}

void fuzzReplies() {
  netlink::Writer writer(1u << 20);
  const uint32_t own = static_cast<uint32_t>(below(3));
  for (size_t i = 1 + below(3); i > 0; i--) {
    const size_t place = writer.beginMessage(nf::messageType(static_cast<uint16_t>(below(28))), static_cast<uint16_t>(next()), static_cast<uint32_t>(below(2)));
    const nfgenmsg header = nf::familyHeader(static_cast<uint8_t>(next()), 0);
    writer.raw(&header, sizeof header);
    writeBody(&writer);
    writer.endMessage(place);
  }
  Bytes bytes(writer.slice().data, writer.slice().data + writer.length());
  damage(&bytes);
  const Exact input(bytes);
  netlink::Buffer elements(1u << 20), quotas(1u << 20), events(1u << 20), tiny(128);
  netlink::Messages messages(input.slice());
  netlink::Message message;
  while (messages.next(&message)) {
    uint32_t id = 0;
    netlink::Acknowledgement answer;
    nf::readElements(message, &elements);
    nf::readQuota(message, &quotas);
    nf::readGeneration(message, &id);
    nf::readEvent(message, own, below(2) == 0, &events);
    nf::readEvent(message, own, false, &tiny);
    netlink::readAcknowledgement(message, &answer);
  }
  checkFrames(elements, true);
  nf::findTwins(elements);
  checkFrames(quotas, false);
  checkFrames(events, false);
  checkFrames(tiny, false);
}

} // namespace

int main(int count, char** words) {
  const long seconds = count > 1 ? atol(words[1]) : 10;
  state = count > 2 ? strtoull(words[2], nullptr, 10) : 1;
  if (const char* name = nf::disagreeingVector(); name != nullptr) contradiction(name);
  const time_t end = time(nullptr) + seconds;
  uint64_t rounds = 0;
  while (time(nullptr) < end)
    for (int i = 0; i < 100; i++, rounds++) {
      fuzzChanges();
      fuzzReplies();
    }
  check(builtBatches > rounds / 10 && frames > rounds / 10, "the inputs are too wild to reach anything");
  printf("%llu rounds\n", static_cast<unsigned long long>(rounds));
}
