#include "changes.h"

#include "kernel.h"

namespace nf {

using netlink::Slice;

namespace {

/** The list of one message must stay below the 65,535 bytes of an attribute. */
constexpr size_t kFullListBytes = 60000;
constexpr size_t kChangeHeaderBytes = 12;
constexpr size_t kElementHeaderBytes = 8;

struct Name {
  char text[256] = {};
};

void data(netlink::Writer* writer, uint16_t type, Slice bytes) {
  const size_t nest = writer->beginNest(type);
  writer->attribute(NFTA_DATA_VALUE, bytes.data, bytes.length);
  writer->endNest(nest);
}

struct Counter {
  uint64_t packets = 0;
  uint64_t bytes = 0;
};

struct Quota {
  uint64_t bytes = 0;
  uint64_t used = 0;
  bool isOver = false;
};

void quotaAttributes(netlink::Writer* writer, const Quota& quota) {
  writer->u64BigEndian(NFTA_QUOTA_BYTES, quota.bytes);
  writer->u64BigEndian(NFTA_QUOTA_CONSUMED, quota.used);
  writer->u32BigEndian(NFTA_QUOTA_FLAGS, quota.isOver ? NFT_QUOTA_F_INV : 0);
}

void counterExpression(netlink::Writer* writer, uint16_t type, const Counter& counter) {
  const size_t expression = writer->beginNest(type);
  writer->text(NFTA_EXPR_NAME, "counter");
  const size_t inside = writer->beginNest(NFTA_EXPR_DATA);
  writer->u64BigEndian(NFTA_COUNTER_BYTES, counter.bytes);
  writer->u64BigEndian(NFTA_COUNTER_PACKETS, counter.packets);
  writer->endNest(inside);
  writer->endNest(expression);
}

void quotaExpression(netlink::Writer* writer, uint16_t type, const Quota& quota) {
  const size_t expression = writer->beginNest(type);
  writer->text(NFTA_EXPR_NAME, "quota");
  const size_t inside = writer->beginNest(NFTA_EXPR_DATA);
  quotaAttributes(writer, quota);
  writer->endNest(inside);
  writer->endNest(expression);
}

struct Element {
  uint16_t flags = 0;
  Slice key;
  Slice keyEnd;
  Slice value;
  Slice object;
  uint64_t timeoutMs = 0;
  Counter counter;
  Quota quota;
};

void writeElement(netlink::Writer* writer, const Element& element) {
  const size_t nest = writer->beginNest(NFTA_LIST_ELEM);
  data(writer, NFTA_SET_ELEM_KEY, element.key);
  if (element.keyEnd.length > 0) data(writer, kSetElementKeyEnd, element.keyEnd);
  if ((element.flags & kIsIntervalEnd) != 0) writer->u32BigEndian(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  if (element.value.length > 0) data(writer, NFTA_SET_ELEM_DATA, element.value);
  if (element.object.length > 0) {
    Name name;
    memcpy(name.text, element.object.data, element.object.length);
    writer->text(NFTA_SET_ELEM_OBJREF, name.text);
  }
  if ((element.flags & kHasTimeout) != 0) writer->u64BigEndian(NFTA_SET_ELEM_TIMEOUT, element.timeoutMs);
  const bool hasCounter = (element.flags & kHasCounter) != 0;
  const bool hasQuota = (element.flags & kHasQuota) != 0;
  if (hasCounter && hasQuota) {
    const size_t list = writer->beginNest(kSetElementExpressions);
    counterExpression(writer, NFTA_LIST_ELEM, element.counter);
    quotaExpression(writer, NFTA_LIST_ELEM, element.quota);
    writer->endNest(list);
  } else if (hasCounter) {
    counterExpression(writer, NFTA_SET_ELEM_EXPR, element.counter);
  } else if (hasQuota) {
    quotaExpression(writer, NFTA_SET_ELEM_EXPR, element.quota);
  }
  writer->endNest(nest);
}

} // namespace

struct Batch::Change {
  uint8_t op = 0;
  uint8_t family = 0;
  uint8_t flags = 0;
  uint32_t index = 0;
  uint32_t count = 0;
  Name table;
  Name name;
};

/** Believes no length: what is not there is not read, and ok() is false from then on. */
class Batch::Reader {
 public:
  explicit Reader(Slice bytes) : rest_(bytes) {}

  bool isAtEnd() const { return rest_.length == 0; }
  bool ok() const { return ok_; }

  Slice take(size_t length) {
    if (length > rest_.length) ok_ = false;
    if (!ok_) return {};
    const Slice taken{rest_.data, length};
    rest_ = {rest_.data + length, rest_.length - length};
    return taken;
  }

  template <typename Number>
  Number number() {
    Number value = 0;
    const Slice bytes = take(sizeof value);
    if (bytes.length == sizeof value) memcpy(&value, bytes.data, sizeof value);
    return value;
  }

  /** 1 to 255 bytes, none of them zero. */
  void name(size_t length, Name* out) {
    const Slice bytes = take(length);
    if (bytes.length == 0 || memchr(bytes.data, 0, bytes.length) != nullptr) {
      ok_ = false;
      return;
    }
    memcpy(out->text, bytes.data, bytes.length);
  }

  void change(Change* out) {
    const Slice header = take(kChangeHeaderBytes);
    if (!ok_) return;
    out->op = header.data[0];
    out->family = header.data[1];
    out->flags = header.data[2];
    memcpy(&out->count, header.data + 8, sizeof out->count);
    name(header.data[3], &out->table);
    name(header.data[4], &out->name);
  }

  void element(Element* out) {
    const Slice header = take(kElementHeaderBytes);
    if (!ok_) return;
    memcpy(&out->flags, header.data, sizeof out->flags);
    out->key = take(header.data[2]);
    out->keyEnd = take(header.data[3]);
    out->value = take(header.data[4]);
    out->object = take(header.data[5]);
    if (out->key.length == 0 || out->key.length > kMaxDataBytes || out->keyEnd.length > kMaxDataBytes || out->value.length > kMaxDataBytes) ok_ = false;
    if (out->object.length > 0 && memchr(out->object.data, 0, out->object.length) != nullptr) ok_ = false;
    if ((out->flags & kHasTimeout) != 0) out->timeoutMs = number<uint64_t>();
    if ((out->flags & kHasCounter) != 0) {
      out->counter.packets = number<uint64_t>();
      out->counter.bytes = number<uint64_t>();
    }
    if ((out->flags & kHasQuota) != 0) {
      out->quota.bytes = number<uint64_t>();
      out->quota.used = number<uint64_t>();
      out->quota.isOver = (out->flags & kIsQuotaOver) != 0;
    }
  }

 private:
  Slice rest_;
  bool ok_ = true;
};

Built Batch::build(Slice changes, uint32_t sequence) {
  first_ = sequence;
  const nfgenmsg frame = familyHeader(AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  const size_t begin = writer_.beginMessage(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, first_);
  writer_.raw(&frame, sizeof frame);
  writer_.endMessage(begin);
  Reader reader(changes);
  for (uint32_t index = 0; !reader.isAtEnd(); index++) {
    Change change;
    change.index = index;
    reader.change(&change);
    if (!reader.ok()) return Built::malformed;
    switch (change.op) {
      case kAddElements:
      case kDeleteElements:
        if (const Built built = buildElements(change, &reader); built != Built::ok) return built;
        break;
      case kFlushSet: {
        const size_t place = beginMessage(change, NFT_MSG_DELSETELEM, 0, 0);
        writer_.text(NFTA_SET_ELEM_LIST_TABLE, change.table.text);
        writer_.text(NFTA_SET_ELEM_LIST_SET, change.name.text);
        writer_.endMessage(place);
        break;
      }
      case kAddQuota: {
        const uint64_t bytes = reader.number<uint64_t>();
        const uint64_t used = reader.number<uint64_t>();
        if (!reader.ok()) return Built::malformed;
        buildQuota(change, bytes, used);
        break;
      }
      case kDeleteQuota:
        buildQuota(change, 0, 0);
        break;
      default:
        return Built::malformed;
    }
    if (!writer_.ok() || !origins_.ok()) return Built::tooLong;
  }
  if (count_ == 0) return Built::malformed;
  // One answer to read; errors come unasked.
  writer_.addFlags(last_, NLM_F_ACK);
  const size_t end = writer_.beginMessage(NFNL_MSG_BATCH_END, NLM_F_REQUEST, first_ + count_ + 1);
  writer_.raw(&frame, sizeof frame);
  writer_.endMessage(end);
  return writer_.ok() && origins_.ok() ? Built::ok : Built::tooLong;
}

Built Batch::buildElements(const Change& change, Reader* reader) {
  const bool isAdding = change.op == kAddElements;
  const uint16_t type = isAdding ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
  const uint16_t flags = isAdding ? static_cast<uint16_t>(NLM_F_CREATE | ((change.flags & kIsExclusive) != 0 ? NLM_F_EXCL : 0)) : uint16_t{0};
  uint32_t done = 0;
  while (done < change.count) {
    const size_t place = beginMessage(change, type, flags, done);
    writer_.text(NFTA_SET_ELEM_LIST_TABLE, change.table.text);
    writer_.text(NFTA_SET_ELEM_LIST_SET, change.name.text);
    const size_t list = writer_.beginNest(NFTA_SET_ELEM_LIST_ELEMENTS);
    while (done < change.count && writer_.length() - list < kFullListBytes) {
      Element element;
      reader->element(&element);
      if (!reader->ok()) return Built::malformed;
      writeElement(&writer_, element);
      if (!writer_.ok()) return Built::tooLong;
      done++;
    }
    writer_.endNest(list);
    writer_.endMessage(place);
  }
  return Built::ok;
}

void Batch::buildQuota(const Change& change, uint64_t bytes, uint64_t used) {
  const bool isAdding = change.op == kAddQuota;
  const uint16_t flags = isAdding ? static_cast<uint16_t>(NLM_F_CREATE | ((change.flags & kIsExclusive) != 0 ? NLM_F_EXCL : 0)) : uint16_t{0};
  const size_t place = beginMessage(change, isAdding ? NFT_MSG_NEWOBJ : NFT_MSG_DELOBJ, flags, 0);
  writer_.text(NFTA_OBJ_TABLE, change.table.text);
  writer_.text(NFTA_OBJ_NAME, change.name.text);
  writer_.u32BigEndian(NFTA_OBJ_TYPE, kObjectQuota);
  if (isAdding) {
    const size_t nest = writer_.beginNest(NFTA_OBJ_DATA);
    quotaAttributes(&writer_, {bytes, used, (change.flags & kIsOver) != 0});
    writer_.endNest(nest);
  }
  writer_.endMessage(place);
}

size_t Batch::beginMessage(const Change& change, uint16_t type, uint16_t flags, uint32_t firstElement) {
  const Origin origin{static_cast<uint32_t>(writer_.length()), change.index, firstElement};
  origins_.append(&origin, sizeof origin);
  count_++;
  last_ = writer_.length();
  const size_t place = writer_.beginMessage(messageType(type), static_cast<uint16_t>(NLM_F_REQUEST | flags), first_ + count_);
  const nfgenmsg header = familyHeader(change.family, 0);
  writer_.raw(&header, sizeof header);
  return place;
}

Culprit Batch::culprit(uint32_t sequence, uint32_t offset) const {
  const uint32_t number = sequence - first_;
  if (number == 0 || number > count_) return {};
  Origin origin;
  memcpy(&origin, origins_.data() + (number - 1) * sizeof origin, sizeof origin);
  Culprit culprit{static_cast<int32_t>(origin.change), -1};
  netlink::Messages messages({writer_.slice().data + origin.place, writer_.length() - origin.place});
  netlink::Message message;
  if (offset == 0 || !messages.next(&message) || message.payload.length < sizeof(nfgenmsg)) return culprit;
  netlink::Attributes attributes({message.payload.data + sizeof(nfgenmsg), message.payload.length - sizeof(nfgenmsg)});
  netlink::Attribute attribute;
  while (attributes.next(&attribute)) {
    if (attribute.type != NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    netlink::Attributes elements(attribute.value);
    netlink::Attribute element;
    for (uint32_t index = origin.firstElement; elements.next(&element); index++) {
      // The kernel points at the element or at something in it.
      const size_t start = static_cast<size_t>(element.value.data - netlink::kAttributeHeaderBytes - message.whole.data);
      if (offset >= start && offset < start + netlink::kAttributeHeaderBytes + element.value.length) culprit.element = static_cast<int32_t>(index);
    }
  }
  return culprit;
}

} // namespace nf
