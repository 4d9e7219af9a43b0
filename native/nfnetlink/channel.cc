#include "channel.h"

#include <poll.h>

#include <new>

#include "kernel.h"
#include "replies.h"

namespace nf {

using netlink::Buffer;
using netlink::Message;
using netlink::Messages;
using netlink::Received;
using netlink::Slice;
using netlink::Writer;

namespace {

/** Room for the errors of a batch of many messages. */
constexpr uint32_t kReceiveBytes = 1u << 20;
/** A dump that others' transactions ran into is begun anew so often, with growing pauses. */
constexpr int kDumpTries = 16;
constexpr long kLongestPauseMs = 16;
constexpr int kPatienceMs = 2000;

void say(Outcome* outcome, Slice text) {
  const size_t length = text.length < sizeof outcome->text - 1 ? text.length : sizeof outcome->text - 1;
  if (length > 0) memcpy(outcome->text, text.data, length);
  outcome->text[length] = 0;
}

void pause(long milliseconds) { poll(nullptr, 0, static_cast<int>(milliseconds)); }

size_t beginRequest(Writer* writer, uint16_t type, uint16_t flags, uint32_t sequence, uint8_t family) {
  const size_t place = writer->beginMessage(messageType(type), static_cast<uint16_t>(NLM_F_REQUEST | flags), sequence);
  const nfgenmsg header = familyHeader(family, 0);
  writer->raw(&header, sizeof header);
  return place;
}

constexpr size_t kRequestBytes = 1024;

} // namespace

netlink::OpenFailure Channel::open(const char* namespacePath) {
  space_.reset(new (std::nothrow) uint8_t[netlink::kDatagramBytes]);
  if (space_ == nullptr) return {"take memory", ENOMEM};
  return socket_.open(NETLINK_NETFILTER, namespacePath, kReceiveBytes);
}

Outcome Channel::commit(const Batch& batch) {
  const Slice bytes = batch.bytes();
  sequence_ = batch.lastSequence() + 2;
  // A batch is one datagram, and the kernel takes none that is longer than the send buffer.
  if (bytes.length > sendBytes_) {
    const int wanted = static_cast<int>(bytes.length + 65536);
    if (setsockopt(socket_.fd(), SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted) == 0) sendBytes_ = bytes.length;
  }
  if (const int error = socket_.send(bytes); error != 0) return Outcome::refused(error);
  Outcome outcome{Outcome::Kind::unknown, 0, {}, {}};
  uint32_t firstRefused = UINT32_MAX;
  for (;;) {
    Slice datagram;
    int error = 0;
    const Received received = socket_.receive(space_.get(), &datagram, &error);
    if (received == Received::nothing || received == Received::failed) break;
    if (received != Received::datagram) continue;
    Messages messages(datagram);
    Message message;
    while (messages.next(&message)) {
      netlink::Acknowledgement answer;
      if (!batch.owns(message.sequence) || !netlink::readAcknowledgement(message, &answer)) continue;
      const uint32_t number = message.sequence - (batch.lastSequence() - batch.count());
      if (answer.error != 0 && number < firstRefused) {
        firstRefused = number;
        outcome = {Outcome::Kind::refused, answer.error, batch.culprit(message.sequence, answer.offset), {}};
        say(&outcome, answer.text);
      } else if (answer.error == 0 && message.sequence == batch.lastSequence() && outcome.kind == Outcome::Kind::unknown) {
        outcome.kind = Outcome::Kind::done;
      }
    }
  }
  return outcome;
}

Outcome Channel::dumpElements(uint8_t family, const char* table, const char* set, Buffer* out) {
  Writer request(kRequestBytes);
  const uint32_t sequence = sequence_;
  const size_t place = beginRequest(&request, NFT_MSG_GETSETELEM, NLM_F_DUMP, sequence, family);
  request.text(NFTA_SET_ELEM_LIST_TABLE, table);
  request.text(NFTA_SET_ELEM_LIST_SET, set);
  request.endMessage(place);
  return dump(&request, sequence, readElements, out);
}

Outcome Channel::dumpQuotas(uint8_t family, const char* table, Buffer* out) {
  Writer request(kRequestBytes);
  const uint32_t sequence = sequence_;
  const size_t place = beginRequest(&request, NFT_MSG_GETOBJ, NLM_F_DUMP, sequence, family);
  request.text(NFTA_OBJ_TABLE, table);
  request.u32BigEndian(NFTA_OBJ_TYPE, kObjectQuota);
  request.endMessage(place);
  return dump(&request, sequence, readQuota, out);
}

/**
 * All tries carry the same sequence: each is read to its end before the next.
 *
 * The kernel marks a dump as interrupted only when the generation's number changed between two of its parts.
 * But a transaction raises that number a moment before its elements change, without holding up anybody who
 * reads: a dump begun in between lists a part of them, unmarked. So the number is read first, then it is
 * waited for whoever is between the two, and a dump counts only when the number is the same at its end. Nor
 * does the kernel say that a set's table grew or shrank while it was walked, which it does some time after the
 * transaction: then elements are listed twice.
 */
Outcome Channel::dump(Writer* request, uint32_t sequence, Read read, Buffer* out) {
  sequence_++;
  if (!request->ok()) return Outcome::refused(ENAMETOOLONG);
  Outcome outcome;
  for (int tries = 0; tries < kDumpTries; tries++) {
    if (tries > 0) pause(tries < kLongestPauseMs ? tries : kLongestPauseMs);
    out->clear();
    uint32_t before = 0;
    uint32_t after = 0;
    if (outcome = generation(&before); outcome.kind != Outcome::Kind::done) return outcome;
    if (const int error = awaitTransactions(); error != 0) return Outcome::refused(error);
    const Pass pass = dumpOnce(request->slice(), sequence, read, out, &outcome);
    if (pass == Pass::failed) return outcome;
    if (const Outcome told = generation(&after); told.kind != Outcome::Kind::done) return told;
    if (pass == Pass::interrupted || before != after) continue;
    const Twins twins = read == readElements ? findTwins(*out) : Twins::none;
    if (twins == Twins::noMemory) return Outcome::refused(ENOMEM);
    if (twins == Twins::none) return outcome;
  }
  return Outcome::refused(EINTR);
}

/** An empty transaction: the kernel takes it when no other is under way, and changes nothing, not even the generation. */
int Channel::awaitTransactions() {
  Writer nothing(kRequestBytes);
  const nfgenmsg frame = familyHeader(AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  for (const uint16_t type : {NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END}) {
    const size_t place = nothing.beginMessage(type, NLM_F_REQUEST, sequence_++);
    nothing.raw(&frame, sizeof frame);
    nothing.endMessage(place);
  }
  return nothing.ok() ? socket_.send(nothing.slice()) : ENOMEM;
}

Channel::Pass Channel::dumpOnce(Slice request, uint32_t sequence, Read read, Buffer* out, Outcome* outcome) {
  *outcome = {};
  if (const int error = socket_.send(request); error != 0) {
    *outcome = Outcome::refused(error);
    return Pass::failed;
  }
  bool isInterrupted = false;
  bool isMalformed = false;
  for (;;) {
    Slice datagram;
    int error = 0;
    const Received received = socket_.receive(space_.get(), &datagram, &error);
    if (received == Received::nothing) {
      pollfd waiting{socket_.fd(), POLLIN, 0};
      if (poll(&waiting, 1, kPatienceMs) > 0) continue;
      error = ETIMEDOUT;
    }
    if (received == Received::failed || received == Received::nothing) {
      *outcome = Outcome::refused(error);
      return Pass::failed;
    }
    // Something is missing then: the rest is read, and all of it again.
    if (received != Received::datagram) {
      isInterrupted = true;
      continue;
    }
    Messages messages(datagram);
    Message message;
    while (messages.next(&message)) {
      if (message.sequence != sequence) continue;
      if ((message.flags & NLM_F_DUMP_INTR) != 0) isInterrupted = true;
      netlink::Acknowledgement answer;
      if (!netlink::readAcknowledgement(message, &answer)) {
        if (!read(message, out)) isMalformed = true;
        continue;
      }
      if (answer.error == EINTR || (answer.error == 0 && isInterrupted)) return Pass::interrupted;
      if (answer.error == 0 && isMalformed) answer.error = EPROTO;
      if (answer.error == 0 && !out->ok()) answer.error = EFBIG;
      if (answer.error != 0) {
        *outcome = Outcome::refused(answer.error);
        say(outcome, answer.text);
      }
      return answer.error == 0 ? Pass::finished : Pass::failed;
    }
    if (messages.broken()) isMalformed = true;
  }
}

Outcome Channel::generation(uint32_t* id) {
  Writer request(kRequestBytes);
  const uint32_t sequence = sequence_++;
  request.endMessage(beginRequest(&request, NFT_MSG_GETGEN, 0, sequence, AF_UNSPEC));
  if (const int error = socket_.send(request.slice()); error != 0) return Outcome::refused(error);
  Outcome outcome = Outcome::refused(EPROTO);
  for (;;) {
    Slice datagram;
    int error = 0;
    const Received received = socket_.receive(space_.get(), &datagram, &error);
    if (received == Received::nothing || received == Received::failed) return outcome;
    if (received != Received::datagram) continue;
    Messages messages(datagram);
    Message message;
    while (messages.next(&message)) {
      netlink::Acknowledgement answer;
      if (message.sequence != sequence) continue;
      if (readGeneration(message, id)) outcome = {};
      else if (netlink::readAcknowledgement(message, &answer) && answer.error != 0) outcome = Outcome::refused(answer.error);
    }
  }
}

} // namespace nf
