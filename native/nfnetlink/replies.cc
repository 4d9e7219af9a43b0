#include "replies.h"

#include <algorithm>
#include <memory>
#include <new>

#include "kernel.h"

namespace nf {

using netlink::Attribute;
using netlink::Attributes;
using netlink::Buffer;
using netlink::Message;
using netlink::Slice;

namespace {

constexpr size_t kElementFrameBytes = 64;
constexpr size_t kEventFrameBytes = 40;
/** Of keys, values and names the kernel makes none longer; what is longer is malformed. */
constexpr size_t kMaxBytes = 256;

/** The attributes of an nf_tables message; none if it is too short to have any. */
Slice attributesOf(const Message& message) {
  if (message.payload.length < sizeof(nfgenmsg)) return {};
  return {message.payload.data + sizeof(nfgenmsg), message.payload.length - sizeof(nfgenmsg)};
}

uint8_t familyOf(const Message& message) { return message.payload.length < sizeof(nfgenmsg) ? uint8_t{0} : message.payload.data[0]; }

Slice textOf(Slice value) { return {value.data, strnlen(reinterpret_cast<const char*>(value.data), value.length)}; }

bool isText(Slice text, const char* wanted) { return text.length == strlen(wanted) && memcmp(text.data, wanted, text.length) == 0; }

constexpr size_t paddedTo8(size_t length) { return (length + 7) & ~static_cast<size_t>(7); }

template <typename Number>
void put(uint8_t* frame, size_t at, Number value) {
  memcpy(frame + at, &value, sizeof value);
}

struct Quota {
  uint64_t bytes = 0;
  uint64_t used = 0;
  bool isOver = false;
};

bool readQuotaAttributes(Slice bytes, Quota* out) {
  Attributes attributes(bytes);
  Attribute attribute;
  uint32_t flags = 0;
  bool ok = true;
  while (attributes.next(&attribute)) {
    if (attribute.type == NFTA_QUOTA_BYTES) ok = netlink::readBigEndian(attribute.value, &out->bytes) && ok;
    if (attribute.type == NFTA_QUOTA_CONSUMED) ok = netlink::readBigEndian(attribute.value, &out->used) && ok;
    if (attribute.type == NFTA_QUOTA_FLAGS) ok = netlink::readBigEndian(attribute.value, &flags) && ok;
  }
  out->isOver = (flags & NFT_QUOTA_F_INV) != 0;
  return ok && !attributes.broken();
}

struct Element {
  uint32_t flags = 0;
  uint64_t timeoutMs = 0;
  uint64_t expiresMs = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  Quota quota;
  Slice key;
  Slice keyEnd;
  Slice value;
  Slice object;
};

/** The bytes of a key or value; nothing for a verdict. */
bool readData(Slice nest, Slice* out) {
  Attributes attributes(nest);
  Attribute attribute;
  while (attributes.next(&attribute))
    if (attribute.type == NFTA_DATA_VALUE) *out = attribute.value;
  return !attributes.broken() && out->length <= kMaxBytes;
}

bool readCounter(Slice bytes, Element* out) {
  Attributes attributes(bytes);
  Attribute attribute;
  bool ok = true;
  while (attributes.next(&attribute)) {
    if (attribute.type == NFTA_COUNTER_BYTES) ok = netlink::readBigEndian(attribute.value, &out->bytes) && ok;
    if (attribute.type == NFTA_COUNTER_PACKETS) ok = netlink::readBigEndian(attribute.value, &out->packets) && ok;
  }
  out->flags |= kShowsCounter;
  return ok && !attributes.broken();
}

/** A counter or a quota; any other expression is passed over. */
bool readExpression(Slice nest, Element* out) {
  Attributes attributes(nest);
  Attribute attribute;
  Slice name;
  Slice inside;
  while (attributes.next(&attribute)) {
    if (attribute.type == NFTA_EXPR_NAME) name = textOf(attribute.value);
    if (attribute.type == NFTA_EXPR_DATA) inside = attribute.value;
  }
  if (attributes.broken()) return false;
  if (isText(name, "counter")) return readCounter(inside, out);
  if (!isText(name, "quota")) return true;
  if (!readQuotaAttributes(inside, &out->quota)) return false;
  out->flags |= kShowsQuota | (out->quota.isOver ? kShowsQuotaOver : 0);
  return true;
}

bool readExpressions(Slice nest, Element* out) {
  Attributes attributes(nest);
  Attribute attribute;
  while (attributes.next(&attribute))
    if (attribute.type == NFTA_LIST_ELEM && !readExpression(attribute.value, out)) return false;
  return !attributes.broken();
}

bool readElementFlags(Slice value, Element* out) {
  uint32_t flags = 0;
  if (!netlink::readBigEndian(value, &flags)) return false;
  if ((flags & NFT_SET_ELEM_INTERVAL_END) != 0) out->flags |= kShowsIntervalEnd;
  if ((flags & kElementCatchAll) != 0) out->flags |= kShowsCatchAll;
  return true;
}

bool readMilliseconds(Slice value, uint32_t flag, uint64_t* number, Element* out) {
  out->flags |= flag;
  return netlink::readBigEndian(value, number);
}

bool readElementAttribute(const Attribute& attribute, Element* out) {
  switch (attribute.type) {
    case NFTA_SET_ELEM_KEY: return readData(attribute.value, &out->key);
    case kSetElementKeyEnd: return readData(attribute.value, &out->keyEnd);
    case NFTA_SET_ELEM_DATA: return readData(attribute.value, &out->value);
    case NFTA_SET_ELEM_FLAGS: return readElementFlags(attribute.value, out);
    case NFTA_SET_ELEM_TIMEOUT: return readMilliseconds(attribute.value, kShowsTimeout, &out->timeoutMs, out);
    case NFTA_SET_ELEM_EXPIRATION: return readMilliseconds(attribute.value, kShowsExpiry, &out->expiresMs, out);
    case NFTA_SET_ELEM_EXPR: return readExpression(attribute.value, out);
    case kSetElementExpressions: return readExpressions(attribute.value, out);
    case NFTA_SET_ELEM_OBJREF:
      out->object = textOf(attribute.value);
      return out->object.length <= kMaxBytes;
    default: return true;
  }
}

bool readElement(Slice nest, Element* out) {
  Attributes attributes(nest);
  Attribute attribute;
  while (attributes.next(&attribute))
    if (!readElementAttribute(attribute, out)) return false;
  return !attributes.broken();
}

uint8_t* putBytes(uint8_t* to, Slice bytes) {
  if (bytes.length > 0) memcpy(to, bytes.data, bytes.length);
  return to + bytes.length;
}

size_t frameBytesOf(const Element& element) {
  return paddedTo8(kElementFrameBytes + element.key.length + element.keyEnd.length + element.value.length + element.object.length);
}

void writeElement(uint8_t* frame, const Element& element) {
  put<uint32_t>(frame, 0, static_cast<uint32_t>(frameBytesOf(element)));
  put<uint32_t>(frame, 4, element.flags);
  put<uint64_t>(frame, 8, element.timeoutMs);
  put<uint64_t>(frame, 16, element.expiresMs);
  put<uint64_t>(frame, 24, element.packets);
  put<uint64_t>(frame, 32, element.bytes);
  put<uint64_t>(frame, 40, element.quota.bytes);
  put<uint64_t>(frame, 48, element.quota.used);
  put<uint16_t>(frame, 56, static_cast<uint16_t>(element.key.length));
  put<uint16_t>(frame, 58, static_cast<uint16_t>(element.keyEnd.length));
  put<uint16_t>(frame, 60, static_cast<uint16_t>(element.value.length));
  put<uint16_t>(frame, 62, static_cast<uint16_t>(element.object.length));
  putBytes(putBytes(putBytes(putBytes(frame + kElementFrameBytes, element.key), element.keyEnd), element.value), element.object);
}

struct Event {
  uint8_t kind = 0;
  uint8_t flags = 0;
  uint8_t family = 0;
  uint32_t generation = 0;
  uint32_t pid = 0;
  Quota quota;
  Slice table;
  Slice name;
};

bool writeEvent(const Event& event, const Element* element, Buffer* out) {
  if (event.table.length > kMaxBytes || event.name.length > kMaxBytes) return false;
  const size_t own = paddedTo8(kEventFrameBytes + event.table.length + event.name.length);
  const size_t length = own + (element == nullptr ? 0 : frameBytesOf(*element));
  uint8_t* frame = out->grow(length);
  if (frame == nullptr) return true; // the buffer remembers that it is full
  put<uint32_t>(frame, 0, static_cast<uint32_t>(length));
  frame[4] = event.kind;
  frame[5] = event.flags;
  frame[6] = event.family;
  put<uint32_t>(frame, 8, event.generation);
  put<uint32_t>(frame, 12, event.pid);
  put<uint64_t>(frame, 16, event.quota.bytes);
  put<uint64_t>(frame, 24, event.quota.used);
  put<uint16_t>(frame, 32, static_cast<uint16_t>(event.table.length));
  put<uint16_t>(frame, 34, static_cast<uint16_t>(event.name.length));
  putBytes(putBytes(frame + kEventFrameBytes, event.table), event.name);
  if (element != nullptr) writeElement(frame + own, *element);
  return true;
}

/** Which two attributes name a thing: its table, and the thing in it (0: it has no name of its own). */
struct Naming {
  uint16_t news;
  uint16_t end;
  Kind kind;
  uint16_t table;
  uint16_t name;
};

constexpr Naming kNamings[] = {
    {NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, kTable, NFTA_TABLE_NAME, 0},
    {NFT_MSG_NEWCHAIN, NFT_MSG_DELCHAIN, kChain, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME},
    {NFT_MSG_NEWRULE, NFT_MSG_DELRULE, kRule, NFTA_RULE_TABLE, NFTA_RULE_CHAIN},
    {NFT_MSG_NEWSET, NFT_MSG_DELSET, kSet, NFTA_SET_TABLE, NFTA_SET_NAME},
    {NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, kElement, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET},
    {NFT_MSG_NEWOBJ, NFT_MSG_DELOBJ, kObject, NFTA_OBJ_TABLE, NFTA_OBJ_NAME},
    {NFT_MSG_NEWFLOWTABLE, NFT_MSG_DELFLOWTABLE, kFlowtable, NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME},
};

const Naming* namingOf(const Message& message) {
  for (const Naming& naming : kNamings)
    if (isOf(message, naming.news) || isOf(message, naming.end)) return &naming;
  return nullptr;
}

bool readNames(const Message& message, const Naming& naming, Event* out) {
  Attributes attributes(attributesOf(message));
  Attribute attribute;
  while (attributes.next(&attribute)) {
    if (attribute.type == naming.table) out->table = textOf(attribute.value);
    if (naming.name != 0 && attribute.type == naming.name) out->name = textOf(attribute.value);
  }
  out->kind = naming.kind;
  out->family = familyOf(message);
  return !attributes.broken();
}

/** The quota in a message about an object, if it is one. */
bool readObject(const Message& message, Event* out) {
  Attributes attributes(attributesOf(message));
  Attribute attribute;
  uint32_t type = 0;
  Slice data;
  while (attributes.next(&attribute)) {
    if (attribute.type == NFTA_OBJ_TYPE && !netlink::readBigEndian(attribute.value, &type)) return false;
    if (attribute.type == NFTA_OBJ_DATA) data = attribute.value;
  }
  if (attributes.broken()) return false;
  if (type != kObjectQuota || data.length == 0) return true;
  if (!readQuotaAttributes(data, &out->quota)) return false;
  out->flags = static_cast<uint8_t>(out->flags | kWithQuota | (out->quota.isOver ? kWithQuotaOver : 0));
  return true;
}

/** Calls `each` with every element of a message. False: malformed. */
template <typename Each>
bool eachElement(const Message& message, Each each) {
  Attributes attributes(attributesOf(message));
  Attribute list;
  while (attributes.next(&list)) {
    if (list.type != NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    Attributes elements(list.value);
    Attribute nest;
    while (elements.next(&nest)) {
      Element element;
      if (!readElement(nest.value, &element) || !each(element)) return false;
    }
    if (elements.broken()) return false;
  }
  return !attributes.broken();
}

bool readGenerationEvent(const Message& message, Event* out) {
  Attributes attributes(attributesOf(message));
  Attribute attribute;
  bool ok = true;
  while (attributes.next(&attribute)) {
    if (attribute.type == NFTA_GEN_ID) ok = netlink::readBigEndian(attribute.value, &out->generation) && ok;
    if (attribute.type == NFTA_GEN_PROC_PID) ok = netlink::readBigEndian(attribute.value, &out->pid) && ok;
    if (attribute.type == NFTA_GEN_PROC_NAME) out->name = textOf(attribute.value);
  }
  out->kind = kGeneration;
  return ok && !attributes.broken();
}

} // namespace

bool isOf(const Message& message, uint16_t type) { return message.type == messageType(type); }

bool readElements(const Message& message, Buffer* out) {
  if (!isOf(message, NFT_MSG_NEWSETELEM)) return true;
  return eachElement(message, [out](const Element& element) {
    uint8_t* frame = out->grow(frameBytesOf(element));
    if (frame != nullptr) writeElement(frame, element);
    return true;
  });
}

Twins findTwins(const Buffer& elements) {
  // 64 bits of each key, sorted: should two keys ever share them, the dump is made once more, and no more than that.
  const size_t most = elements.length() / kElementFrameBytes;
  const std::unique_ptr<uint64_t[]> marks(new (std::nothrow) uint64_t[most + 1]);
  if (marks == nullptr) return Twins::noMemory;
  size_t count = 0;
  for (size_t at = 0; at < elements.length(); count++) {
    const uint8_t* frame = elements.data() + at;
    uint32_t head[2];
    uint16_t lengths[2];
    memcpy(head, frame, sizeof head);
    memcpy(lengths, frame + 56, sizeof lengths);
    uint64_t mark = 0xcbf29ce484222325u ^ (head[1] & (kShowsIntervalEnd | kShowsCatchAll)) ^ static_cast<uint64_t>(lengths[0]) << 32;
    for (size_t index = 0; index < size_t{lengths[0]} + lengths[1]; index++) mark = (mark ^ frame[kElementFrameBytes + index]) * 0x100000001b3u;
    marks[count] = mark;
    at += head[0];
  }
  std::sort(marks.get(), marks.get() + count);
  return std::adjacent_find(marks.get(), marks.get() + count) == marks.get() + count ? Twins::none : Twins::some;
}

bool readQuota(const Message& message, Buffer* out) {
  if (!isOf(message, NFT_MSG_NEWOBJ)) return true;
  Event event;
  if (!readNames(message, *namingOf(message), &event) || !readObject(message, &event)) return false;
  return (event.flags & kWithQuota) == 0 || writeEvent(event, nullptr, out);
}

bool readGeneration(const Message& message, uint32_t* id) {
  if (!isOf(message, NFT_MSG_NEWGEN)) return false;
  Event event;
  if (!readGenerationEvent(message, &event)) return false;
  *id = event.generation;
  return true;
}

bool readEvent(const Message& message, uint32_t own, bool skipsOwn, Buffer* out) {
  const bool isOwn = message.port == own && own != 0;
  if (isOwn && skipsOwn) return true;
  Event event;
  if (isOwn) event.flags = kIsOwn;
  if (isOf(message, NFT_MSG_NEWGEN)) return readGenerationEvent(message, &event) && writeEvent(event, nullptr, out);
  const Naming* naming = namingOf(message);
  if (naming == nullptr) return true; // a newer kernel's, or packets being traced
  if (!isOf(message, naming->news)) event.flags |= kIsDeleted;
  if (!readNames(message, *naming, &event)) return false;
  if (naming->kind == kElement) return eachElement(message, [&](const Element& element) { return writeEvent(event, &element, out); });
  if (naming->kind == kObject) {
    if (!readObject(message, &event)) return false;
    // No transaction made it: the packet path did.
    const bool isFromPackets = message.port == 0 && message.sequence == 0;
    if (isFromPackets && (event.flags & kWithQuota) != 0) event.kind = kQuotaUsedUp;
  }
  return writeEvent(event, nullptr, out);
}

} // namespace nf
