/*
 * Drives courier.h, exchange.h and the readers of netlink-message.h without Node, under AddressSanitizer and
 * UndefinedBehaviorSanitizer: datagrams lie in heap blocks of exactly their size and are right, right with
 * bytes changed, cut, or random; what came out is held against what went in. Couriers ask the real kernel, and
 * are cancelled, left unheard and stopped at any moment.
 *
 * Usage: genetlink-fuzz <seconds> <seed>. Ends with the number of rounds; exit 1 at the first contradiction.
 */
#include <linux/genetlink.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "courier.h"
#include "exchange.h"

namespace {

using genetlink::Exchange;
using netlink::Slice;

constexpr uint32_t kSequence = 7;
constexpr uint32_t kPort = 4711;
constexpr uint16_t kFamily = 31;

uint64_t state = 0;

/* splitmix64: a seed names the whole run. */
uint64_t next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }

void check(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "genetlink-fuzz: %s\n", what);
  exit(1);
}

/* A block of exactly these bytes: reading one more is seen. */
struct Block {
  explicit Block(Slice from) : length(from.length), bytes(new uint8_t[from.length]) {
    if (length > 0) memcpy(bytes.get(), from.data, length);
  }
  Slice slice() const { return {bytes.get(), length}; }
  size_t length;
  std::unique_ptr<uint8_t[]> bytes;
};

void writeAttributes(netlink::Writer* writer, int depth) {
  for (size_t count = below(5); count > 0; count--) {
    const uint16_t type = static_cast<uint16_t>(below(70));
    uint8_t value[64];
    for (uint8_t& byte : value) byte = static_cast<uint8_t>(next());
    if (depth < 3 && below(4) == 0) {
      const size_t nest = writer->beginNest(type);
      writeAttributes(writer, depth + 1);
      writer->endNest(nest);
    } else {
      writer->attribute(type, value, below(sizeof value));
    }
  }
}

size_t writeAcknowledgement(netlink::Writer* writer, int error, bool isDone, const char* text) {
  const bool isCapped = below(2) == 0;
  const uint16_t flags = static_cast<uint16_t>((text != nullptr ? NLM_F_ACK_TLVS : 0) | (isCapped ? NLM_F_CAPPED : 0));
  const size_t place = writer->beginMessage(isDone ? NLMSG_DONE : NLMSG_ERROR, flags, kSequence);
  const int32_t code = -error;
  writer->raw(&code, sizeof code);
  if (!isDone) {
    const uint8_t request[20] = {};
    nlmsghdr header{};
    const size_t extra = below(sizeof request);
    header.nlmsg_len = static_cast<uint32_t>(sizeof header + extra);
    writer->raw(&header, sizeof header);
    if (!isCapped) writer->raw(request, extra);
  }
  if (text != nullptr) {
    writer->u32(NLMSGERR_ATTR_OFFS, 20);
    writer->text(NLMSGERR_ATTR_MSG, text);
  }
  writer->endMessage(place);
  return place;
}

void walk(Slice bytes, int depth) {
  netlink::Attributes attributes(bytes);
  netlink::Attribute attribute;
  while (attributes.next(&attribute)) {
    uint8_t u8 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    netlink::readNumber(attribute.value, &u8);
    netlink::readNumber(attribute.value, &u64);
    netlink::readBigEndian(attribute.value, &u32);
    check(attribute.value.data + attribute.value.length <= bytes.data + bytes.length, "an attribute ends behind its payload");
    if (depth < 8) walk(attribute.value, depth + 1);
  }
}

/* A whole answer as the kernel would send it, in one or more datagrams, then damaged or not. */
void round() {
  const bool isDump = below(2) == 0;
  const int error = below(3) == 0 ? static_cast<int>(1 + below(130)) : 0;
  const char* const text = below(2) == 0 ? "Unsupported attribute" : nullptr;
  const size_t limit = below(4) == 0 ? below(400) : 100000;
  const bool isDamaged = below(2) == 0;
  Exchange exchange(kSequence, kPort, kFamily, limit);
  netlink::Buffer expected(200000);
  bool isInterrupted = false;
  const size_t datagrams = 1 + below(3);
  for (size_t i = 0; i < datagrams; i++) {
    netlink::Writer writer(65536);
    std::vector<size_t> places;
    for (size_t count = below(4); count > 0; count--) {
      const bool isOurs = below(8) != 0;
      const uint16_t flags = static_cast<uint16_t>(NLM_F_MULTI | (isDump && below(20) == 0 ? NLM_F_DUMP_INTR : 0));
      const size_t place = writer.beginMessage(kFamily, flags, isOurs ? kSequence : kSequence - 1);
      writer.raw("\x07\x01\x00", 4);
      writeAttributes(&writer, 0);
      writer.endMessage(place);
      places.push_back(place);
      if (isOurs) {
        isInterrupted = isInterrupted || (flags & NLM_F_DUMP_INTR) != 0;
        const size_t before = expected.length();
        expected.append(writer.slice().data + place, writer.length() - place);
        memcpy(expected.data() + before + offsetof(nlmsghdr, nlmsg_pid), &kPort, sizeof kPort);
      }
    }
    if (i + 1 == datagrams) places.push_back(writeAcknowledgement(&writer, error, isDump, text));
    check(writer.ok(), "a writer with room failed");
    Block block(writer.slice());
    for (const size_t place : places) memcpy(block.bytes.get() + place + offsetof(nlmsghdr, nlmsg_pid), &kPort, sizeof kPort);
    if (isDamaged) {
      for (size_t count = 1 + below(8); count > 0 && block.length > 0; count--) {
        const size_t where = below(3) == 0 ? below(block.length) : below(block.length < 32 ? block.length : 32);
        block.bytes[where] = static_cast<uint8_t>(next());
      }
      if (below(3) == 0) block = Block({block.bytes.get(), below(block.length + 1)});
    }
    netlink::Buffer events(65540);
    if (genetlink::gatherEvents(block.slice(), &events)) walk(events.slice(), 0);
    exchange.take(block.slice());
  }
  check(exchange.answers().length() <= limit, "more was kept than the limit");
  check(exchange.answers().length() % 4 == 0 || !exchange.answers().ok(), "answers are not padded");
  netlink::Messages messages(exchange.answers().slice());
  netlink::Message message;
  size_t seen = 0;
  while (messages.next(&message)) {
    check(message.type == kFamily && message.sequence == kSequence && message.port == kPort, "a message of somebody else was kept");
    walk(message.payload, 0);
    seen++;
  }
  check(seen == 0 || !messages.broken() || !exchange.answers().ok(), "what was kept cannot be read");
  if (isDamaged) return;
  check(exchange.isOver(), "a whole answer is not over");
  if (expected.length() > limit) {
    check(exchange.error() == EMSGSIZE && exchange.isUnfinished(), "too much was taken");
    return;
  }
  check(exchange.error() == error && !exchange.isUnfinished(), "the error is another one");
  check(strcmp(exchange.text().bytes, text == nullptr ? "" : text) == 0, "the kernel's words are others");
  check(exchange.isInterrupted() == isInterrupted, "the interruption is not seen");
  const bool isSame = exchange.answers().length() == expected.length() &&
                      (expected.length() == 0 || memcmp(exchange.answers().data(), expected.data(), expected.length()) == 0);
  check(isSame, "the answer has other bytes");
}

/* Bytes without any sense, through every reader. */
void noise() {
  uint8_t bytes[256];
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(below(4) == 0 ? next() : below(24));
  Block block({bytes, below(sizeof bytes + 1)});
  walk(block.slice(), 0);
  netlink::Messages messages(block.slice());
  netlink::Message message;
  while (messages.next(&message)) {
    netlink::Acknowledgement acknowledgement;
    message.type = below(2) == 0 ? NLMSG_ERROR : NLMSG_DONE;
    message.flags = static_cast<uint16_t>(next());
    if (netlink::readAcknowledgement(message, &acknowledgement)) check(acknowledgement.error >= 0, "a negative error");
  }
  Exchange exchange(kSequence, kPort, kFamily, 1000);
  exchange.take(block.slice());
}

/* A writer that has too little room stays inside it and says so. */
void narrow() {
  const size_t room = below(200);
  netlink::Writer writer(room);
  size_t wanted = 0;
  const size_t place = writer.beginMessage(kFamily, 0, 1);
  wanted += netlink::kHeaderBytes;
  for (size_t count = below(12); count > 0; count--) {
    const size_t length = below(20);
    const uint8_t value[20] = {};
    writer.attribute(1, value, length);
    wanted += netlink::kAttributeHeaderBytes + netlink::aligned(length);
  }
  writer.endMessage(place);
  check(writer.length() <= room, "a writer left its room");
  check(writer.ok() == (wanted <= room), "a writer does not know whether it had room");
}

/* Keeps what it is told until it is asked for. */
class Ear final : public genetlink::Recipient {
 public:
  void deliver(std::unique_ptr<genetlink::Delivery> delivery) override {
    const std::lock_guard<std::mutex> guard(lock_);
    told_.push_back(std::move(delivery));
    changed_.notify_all();
  }

  void leave() override {
    const std::lock_guard<std::mutex> guard(lock_);
    hasLeft_ = true;
    changed_.notify_all();
  }

  /* The next one; null once the thread has left and all is told. */
  std::unique_ptr<genetlink::Delivery> next() {
    std::unique_lock<std::mutex> guard(lock_);
    changed_.wait(guard, [this] { return !told_.empty() || hasLeft_; });
    if (told_.empty()) return nullptr;
    std::unique_ptr<genetlink::Delivery> first = std::move(told_.front());
    told_.erase(told_.begin());
    return first;
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<genetlink::Delivery>> told_;
  bool hasLeft_ = false;
};

std::unique_ptr<genetlink::Job> anyJob(uint32_t ticket) {
  static const genetlink::Task tasks[] = {genetlink::Task::request, genetlink::Task::dump, genetlink::Task::dump, genetlink::Task::join, genetlink::Task::leave, genetlink::Task::index};
  auto job = std::make_unique<genetlink::Job>(tasks[below(6)]);
  job->ticket = ticket;
  job->group = 16;
  strcpy(job->name, below(2) == 0 ? "lo" : "nothing");
  job->family = below(10) == 0 ? 1000 : GENL_ID_CTRL;
  job->answerLimit = below(4) == 0 ? below(2000) : 1000000;
  const bool isDump = job->task == genetlink::Task::dump;
  const size_t place = job->message.beginMessage(job->family, static_cast<uint16_t>(NLM_F_REQUEST | (isDump ? NLM_F_DUMP : NLM_F_ACK)), 0);
  const genlmsghdr header{CTRL_CMD_GETFAMILY, 1, 0};
  job->message.raw(&header, sizeof header);
  if (below(2) == 0) job->message.text(CTRL_ATTR_FAMILY_NAME, "nlctrl");
  if (below(8) == 0) writeAttributes(&job->message, 0);
  job->message.endMessage(place);
  return job;
}

/* One courier's life. */
void courier() {
  Ear ear;
  genetlink::Courier courier(&ear);
  const bool isElsewhere = below(10) == 0;
  const char* const path = isElsewhere ? "/nonexistent" : "";
  check(courier.start(path, strlen(path), below(2) == 0 ? 0 : 4096) == 0, "a courier does not start");
  std::map<uint32_t, int> told;
  std::map<uint32_t, bool> cancelled;
  const uint32_t count = static_cast<uint32_t>(below(60));
  for (uint32_t ticket = 1; ticket <= count; ticket++) {
    courier.add(anyJob(ticket));
    if (below(4) != 0) continue;
    const uint32_t doomed = static_cast<uint32_t>(1 + below(ticket));
    courier.cancel(doomed);
    cancelled[doomed] = true;
  }
  const bool isPatient = below(3) != 0 && !isElsewhere;
  uint32_t answered = 0;
  bool isOpened = false;
  const auto listen = [&](std::unique_ptr<genetlink::Delivery> delivery) {
    courier.heard(*delivery);
    if (delivery->news == genetlink::News::opened) {
      check(!isOpened && (delivery->error != 0) == isElsewhere, "the opening is told wrongly");
      isOpened = true;
    }
    if (delivery->news != genetlink::News::done) return;
    check(delivery->ticket >= 1 && delivery->ticket <= count, "an answer to nobody");
    check(++told[delivery->ticket] == 1, "a request was answered twice");
    if (!cancelled[delivery->ticket]) answered++;
    if (delivery->bytes.length() > 0) walk(delivery->bytes.slice(), 0);
  };
  uint32_t expected = 0;
  for (uint32_t ticket = 1; ticket <= count; ticket++) expected += cancelled[ticket] ? 0 : 1;
  while (isPatient && (answered < expected || !isOpened)) listen(ear.next());
  courier.stop();
  courier.join();
  while (std::unique_ptr<genetlink::Delivery> delivery = ear.next()) listen(std::move(delivery));
  check(isOpened, "the opening was never told");
}

} // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? atof(argv[1]) : 1;
  state = argc > 2 ? strtoull(argv[2], nullptr, 10) : 1;
  timespec begin;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  unsigned long rounds = 0;
  for (;;) {
    for (int i = 0; i < 100; i++, rounds++) {
      round();
      noise();
      narrow();
    }
    courier();
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (static_cast<double>(now.tv_sec - begin.tv_sec) + static_cast<double>(now.tv_nsec - begin.tv_nsec) / 1e9 >= seconds) break;
  }
  printf("%lu rounds\n", rounds);
  return 0;
}
