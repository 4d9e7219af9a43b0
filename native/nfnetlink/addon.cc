/*
 * Node's door to nf_tables: reads the arguments, asks the kernel, hands back frames. No policy. Arguments of a
 * wrong type or length throw TypeError or RangeError; a refusal of the kernel is a value, not an exception.
 * The typed door is src/native/io/nfnetlink.ts; the layouts are in changes.h and replies.h.
 *
 * Sessions are known to JavaScript by number, so that no value it passes can be taken for a pointer. A
 * session has a channel for commits and one for reading: a long dump holds up no commit.
 */
#include <napi.h>

#include <cstdio>
#include <map>
#include <memory>
#include <new>

#include "../door/arguments.h"
#include "../door/pool-job.h"
#include "changes.h"
#include "channel.h"
#include "events.h"

namespace {

using Napi::CallbackInfo;
using Napi::Value;
using netlink::Buffer;
using nf::Outcome;
using nf::Turn;

constexpr size_t kMaxPathBytes = 4096;
constexpr size_t kMaxNameBytes = 255;
/** Of a dump's frames. */
constexpr size_t kMaxDumpBytes = 256u << 20;
constexpr uint32_t kMaxReceiveBytes = 64u << 20;

/** A network namespace kept open, so that all sockets of a session are in the same. */
class Namespace {
 public:
  ~Namespace() {
    if (fd_ >= 0) close(fd_);
  }
  bool open(const char* path) {
    fd_ = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    snprintf(path_, sizeof path_, "/proc/self/fd/%d", fd_);
    return fd_ >= 0;
  }
  /** Null: the process's own. */
  const char* path() const { return fd_ >= 0 ? path_ : nullptr; }

 private:
  int fd_ = -1;
  char path_[32] = {};
};

struct Session {
  Namespace where;
  nf::Channel commits;
  nf::Channel reads;
  std::map<uint32_t, std::shared_ptr<nf::Events>> watches;
};

/** All sessions of one environment (the process's main thread, or a worker). */
struct Registry {
  std::map<uint32_t, std::shared_ptr<Session>> sessions;
  uint32_t last = 0;
};

/** Takes the arguments from left to right; after one that is wrong, an exception is pending and ok() is false. */
class Arguments {
 public:
  explicit Arguments(const CallbackInfo& info) : info_(info) {}

  std::shared_ptr<Session> session() {
    const uint32_t id = whole("session", 1, UINT32_MAX);
    if (!ok_) return nullptr;
    Registry* registry = info_.Env().GetInstanceData<Registry>();
    const auto found = registry->sessions.find(id);
    if (found != registry->sessions.end()) return found->second;
    fail("session", "one that is open");
    return nullptr;
  }

  door::Bytes bytes(const char* name) {
    door::Bytes got;
    ok_ = ok_ && door::readBytes(info_, next_++, name, &got);
    return got;
  }

  uint32_t whole(const char* name, uint32_t low, uint32_t high) {
    uint32_t got = 0;
    ok_ = ok_ && door::readWhole(info_, next_++, name, low, high, &got);
    return got;
  }

  bool flag(const char* name) {
    bool got = false;
    ok_ = ok_ && door::readBoolean(info_, next_++, name, &got);
    return got;
  }

  napi_value function(const char* name) {
    if (!ok_) return nullptr;
    napi_value got = info_[next_++];
    napi_valuetype type = napi_undefined;
    if (napi_typeof(info_.Env(), got, &type) == napi_ok && type == napi_function) return got;
    fail(name, "a function");
    return nullptr;
  }

  /** 1 to `size - 1` bytes without a zero. `orNull`: null is taken too, and gives an empty text. */
  void text(const char* name, char* out, size_t size, bool orNull = false) {
    out[0] = 0;
    if (!ok_) return;
    const napi_env env = info_.Env();
    napi_value got = info_[next_++];
    napi_valuetype type = napi_undefined;
    size_t length = 0;
    if (napi_typeof(env, got, &type) == napi_ok && orNull && type == napi_null) return;
    // One byte more than fits, to see that it does not.
    if (type == napi_string && napi_get_value_string_utf8(env, got, nullptr, 0, &length) == napi_ok && length > 0 && length < size &&
        napi_get_value_string_utf8(env, got, out, size, &length) == napi_ok && strlen(out) == length)
      return;
    fail(name, "a text without zeros, not longer than the kernel takes");
  }

  bool ok() const { return ok_; }

 private:
  void fail(const char* name, const char* allowed) {
    door::throwTypeError(info_.Env(), name, allowed);
    ok_ = false;
  }

  const CallbackInfo& info_;
  size_t next_ = 0;
  bool ok_ = true;
};

bool setNumber(napi_env env, napi_value object, const char* name, int32_t number) {
  napi_value value = nullptr;
  return napi_create_int32(env, number, &value) == napi_ok && napi_set_named_property(env, object, name, value) == napi_ok;
}

/** { isKnown, errno, change, element, text }; change and element are -1 where not known. Null: no memory. */
napi_value failureOf(napi_env env, const Outcome& outcome) {
  napi_value object = nullptr;
  napi_value known = nullptr;
  napi_value text = nullptr;
  const bool ok = napi_create_object(env, &object) == napi_ok && napi_get_boolean(env, outcome.kind == Outcome::Kind::refused, &known) == napi_ok &&
                  napi_set_named_property(env, object, "isKnown", known) == napi_ok && setNumber(env, object, "errno", outcome.error) &&
                  setNumber(env, object, "change", outcome.culprit.change) && setNumber(env, object, "element", outcome.culprit.element) &&
                  napi_create_string_utf8(env, outcome.text, NAPI_AUTO_LENGTH, &text) == napi_ok &&
                  napi_set_named_property(env, object, "text", text) == napi_ok;
  return ok ? object : nullptr;
}

napi_value resultOf(napi_env env, const Outcome& outcome) {
  napi_value null = nullptr;
  if (outcome.kind != Outcome::Kind::done) return failureOf(env, outcome);
  return napi_get_null(env, &null) == napi_ok ? null : nullptr;
}

void throwFailure(Napi::Env env, const netlink::OpenFailure& failure) {
  char text[160];
  snprintf(text, sizeof text, "%s: %s", failure.step, strerror(failure.error));
  Napi::Error::New(env, text).ThrowAsJavaScriptException();
}

/** open(namespacePath: string | null): number */
Value open(const CallbackInfo& info) {
  Arguments arguments(info);
  char path[kMaxPathBytes];
  arguments.text("namespacePath", path, sizeof path, true);
  if (!arguments.ok()) return Value();
  const std::shared_ptr<Session> session(new (std::nothrow) Session);
  netlink::OpenFailure failure;
  if (session == nullptr) failure = {"take memory", ENOMEM};
  else if (path[0] != 0 && !session->where.open(path)) failure = {"open the namespace", errno};
  if (failure.step == nullptr) failure = session->commits.open(session->where.path());
  if (failure.step == nullptr) failure = session->reads.open(session->where.path());
  if (failure.step != nullptr) {
    throwFailure(info.Env(), failure);
    return Value();
  }
  Registry* registry = info.Env().GetInstanceData<Registry>();
  registry->sessions.emplace(++registry->last, session);
  return Napi::Number::New(info.Env(), registry->last);
}

/** Null, with an exception pending, if the changes cannot be made into a batch. */
std::unique_ptr<nf::Batch> batchOf(const CallbackInfo& info, Arguments* arguments, const Session& session) {
  const door::Bytes changes = arguments->bytes("changes");
  if (!arguments->ok()) return nullptr;
  std::unique_ptr<nf::Batch> batch(new (std::nothrow) nf::Batch);
  const nf::Built built = batch == nullptr ? nf::Built::tooLong : batch->build({changes.data, changes.length}, session.commits.nextSequence());
  if (built == nf::Built::ok) return batch;
  door::throwRangeError(info.Env(), "changes", built == nf::Built::malformed ? "well-formed changes" : "a batch of at most 32 MiB");
  return nullptr;
}

void throwBusy(Napi::Env env) { Napi::Error::New(env, "the session is busy").ThrowAsJavaScriptException(); }

/** commit(session, changes): null, or the failure */
Value commit(const CallbackInfo& info) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  if (session == nullptr) return Value();
  const Turn turn(&session->commits);
  if (!turn.isOurs()) {
    throwBusy(info.Env());
    return Value();
  }
  const std::unique_ptr<nf::Batch> batch = batchOf(info, &arguments, *session);
  return batch == nullptr ? Value() : Value(info.Env(), resultOf(info.Env(), session->commits.commit(*batch)));
}

/** Keeps the session, and its channel to itself, from the call until the answer. */
class CommitJob final : public door::PoolJob {
 public:
  CommitJob(std::shared_ptr<Session> session, Turn turn, std::unique_ptr<nf::Batch> batch)
      : session_(std::move(session)), turn_(std::move(turn)), batch_(std::move(batch)) {}

  void run() override { outcome_ = session_->commits.commit(*batch_); }

  napi_value result(napi_env env) override {
    turn_.end(); // who awaits the promise may commit at once
    return resultOf(env, outcome_);
  }

 private:
  std::shared_ptr<Session> session_;
  Turn turn_;
  std::unique_ptr<nf::Batch> batch_;
  Outcome outcome_;
};

/** commitInPool(session, changes): Promise<null | failure> */
Value commitInPool(const CallbackInfo& info) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  if (session == nullptr) return Value();
  Turn turn(&session->commits);
  if (!turn.isOurs()) {
    throwBusy(info.Env());
    return Value();
  }
  std::unique_ptr<nf::Batch> batch = batchOf(info, &arguments, *session);
  if (batch == nullptr) return Value();
  return Value(info.Env(), door::PoolJob::start(info.Env(), std::make_unique<CommitJob>(session, std::move(turn), std::move(batch))));
}

struct Place {
  uint8_t family = 0;
  char table[kMaxNameBytes + 1] = {};
  /** Empty: the table's quotas are meant. */
  char set[kMaxNameBytes + 1] = {};
};

class DumpJob final : public door::PoolJob {
 public:
  DumpJob(std::shared_ptr<Session> session, Turn turn, const Place& place)
      : session_(std::move(session)), turn_(std::move(turn)), place_(place), frames_(kMaxDumpBytes) {}

  void run() override {
    nf::Channel& reads = session_->reads;
    outcome_ = place_.set[0] == 0 ? reads.dumpQuotas(place_.family, place_.table, &frames_) : reads.dumpElements(place_.family, place_.table, place_.set, &frames_);
  }

  napi_value result(napi_env env) override {
    turn_.end();
    return outcome_.kind == Outcome::Kind::done ? door::copyBytes(env, frames_.data(), frames_.length()) : failureOf(env, outcome_);
  }

 private:
  std::shared_ptr<Session> session_;
  Turn turn_;
  const Place place_;
  Buffer frames_;
  Outcome outcome_;
};

Value dump(const CallbackInfo& info, bool isOfSet) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  Place place;
  place.family = static_cast<uint8_t>(arguments.whole("family", 0, UINT8_MAX));
  arguments.text("table", place.table, sizeof place.table);
  if (isOfSet) arguments.text("set", place.set, sizeof place.set);
  if (!arguments.ok()) return Value();
  Turn turn(&session->reads);
  if (!turn.isOurs()) {
    throwBusy(info.Env());
    return Value();
  }
  return Value(info.Env(), door::PoolJob::start(info.Env(), std::make_unique<DumpJob>(session, std::move(turn), place)));
}

/** dumpElementsInPool(session, family, table, set): Promise<Uint8Array | failure> */
Value dumpElementsInPool(const CallbackInfo& info) { return dump(info, true); }

/** dumpQuotasInPool(session, family, table): Promise<Uint8Array | failure> */
Value dumpQuotasInPool(const CallbackInfo& info) { return dump(info, false); }

/** generation(session): number | failure */
Value generation(const CallbackInfo& info) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  if (session == nullptr) return Value();
  const Turn turn(&session->reads);
  if (!turn.isOurs()) {
    throwBusy(info.Env());
    return Value();
  }
  uint32_t id = 0;
  const Outcome outcome = session->reads.generation(&id);
  if (outcome.kind != Outcome::Kind::done) return Value(info.Env(), failureOf(info.Env(), outcome));
  return Napi::Number::New(info.Env(), id);
}

/** watch(session, function, skipsOwn, receiveBytes): number */
Value watch(const CallbackInfo& info) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  const napi_value function = arguments.function("function");
  const bool skipsOwn = arguments.flag("skipsOwn");
  const uint32_t receiveBytes = arguments.whole("receiveBytes", 1, kMaxReceiveBytes);
  if (!arguments.ok()) return Value();
  std::shared_ptr<nf::Events> events = std::make_shared<nf::Events>(info.Env(), session->commits.port(), skipsOwn);
  if (const netlink::OpenFailure failure = events->start(session->where.path(), receiveBytes, function); failure.step != nullptr) {
    events->stop();
    throwFailure(info.Env(), failure);
    return Value();
  }
  Registry* registry = info.Env().GetInstanceData<Registry>();
  session->watches.emplace(++registry->last, std::move(events));
  return Napi::Number::New(info.Env(), registry->last);
}

/** unwatch(session, watch): nothing is told any more */
void unwatch(const CallbackInfo& info) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  const uint32_t id = arguments.whole("watch", 1, UINT32_MAX);
  if (!arguments.ok()) return;
  const auto found = session->watches.find(id);
  if (found == session->watches.end()) return;
  found->second->stop();
  session->watches.erase(found);
}

/** close(session): ends its watches at once; what is in the pool goes on */
void close(const CallbackInfo& info) {
  Arguments arguments(info);
  const std::shared_ptr<Session> session = arguments.session();
  if (session == nullptr) return;
  for (const auto& watch : session->watches) watch.second->stop();
  session->watches.clear();
  uint32_t id = 0;
  napi_get_value_uint32(info.Env(), info[0], &id);
  info.Env().GetInstanceData<Registry>()->sessions.erase(id);
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Registry);
  exports.Set("open", Napi::Function::New<open>(env, "open"));
  exports.Set("commit", Napi::Function::New<commit>(env, "commit"));
  exports.Set("commitInPool", Napi::Function::New<commitInPool>(env, "commitInPool"));
  exports.Set("dumpElementsInPool", Napi::Function::New<dumpElementsInPool>(env, "dumpElementsInPool"));
  exports.Set("dumpQuotasInPool", Napi::Function::New<dumpQuotasInPool>(env, "dumpQuotasInPool"));
  exports.Set("generation", Napi::Function::New<generation>(env, "generation"));
  exports.Set("watch", Napi::Function::New<watch>(env, "watch"));
  exports.Set("unwatch", Napi::Function::New<unwatch>(env, "unwatch"));
  exports.Set("close", Napi::Function::New<close>(env, "close"));
  return exports;
}

} // namespace

NODE_API_MODULE(nfnetlink, start)
