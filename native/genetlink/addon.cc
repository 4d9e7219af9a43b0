/*
 * Node's door to courier.h: channels, known by a number, over which generic netlink messages go out and come
 * in; or those of NETLINK_ROUTE with a header of four bytes (the message's type stands for the family, the first two
 * bytes for command and version). What a family, a command or an attribute means is not known here. All functions
 * return at once; what comes of them is told to the channel's listener as
 *
 *   listener(news, ticket, error, text, value, bytes)
 *
 *   news  0 opened    error, text: the errno and the step that failed, or 0
 *         1 done      ticket: which; error, text: errno and the kernel's words; value: 1 interrupted, or the
 *                     index of an interface; bytes: the messages with their headers, padded to 4 bytes
 *         2 event     bytes: messages
 *         3 lost      events were dropped; error: an errno after which no more will come, or 0
 *         4 broken    the channel cannot go on; error, text
 *
 * The typed door is src/native/io/genetlink.ts.
 */
#include <napi.h>

#include <linux/genetlink.h>

#include <cerrno>
#include <map>
#include <memory>
#include <new>
#include <utility>

#include "../door/arguments.h"
#include "courier.h"

namespace {

using door::Bytes;
using genetlink::Courier;
using genetlink::Delivery;
using genetlink::Job;
using genetlink::Task;
using Napi::CallbackInfo;
using Napi::Value;

constexpr size_t kPathBytes = 4096;
constexpr uint32_t kAnswerBytes = 64 * 1024 * 1024;
constexpr uint32_t kReceiveBytes = 64 * 1024 * 1024;

/** A courier and the function that its news go to. Frees itself once the thread has ended. */
class Channel final : public genetlink::Recipient {
 public:
  /** Null, with an exception pending, if it cannot be. */
  static Channel* open(napi_env env, napi_value listener, const char* path, size_t pathLength, uint32_t receiveBytes, int protocol) {
    std::unique_ptr<Channel> channel(new (std::nothrow) Channel);
    napi_value name = nullptr;
    if (!channel || napi_create_string_utf8(env, "meshbox:genetlink", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env, listener, nullptr, name, 0, 1, channel.get(), onFreed, channel.get(), onNews, &channel->function_) != napi_ok) {
      napi_throw_error(env, nullptr, "no function could be made for the channel");
      return nullptr;
    }
    Channel* const opened = channel.release(); // from here on onFreed() deletes it
    napi_unref_threadsafe_function(env, opened->function_);
    opened->isRoute_ = protocol == NETLINK_ROUTE;
    // After the thread-safe function's own hook, so that it runs before: the thread is gone when that one is undone.
    opened->hasHook_ = napi_add_env_cleanup_hook(env, onEnvironmentEnd, opened) == napi_ok;
    const int error = opened->hasHook_ ? opened->courier_.start(path, pathLength, receiveBytes, protocol) : ECANCELED;
    if (error == 0) return opened;
    opened->isClosed_ = true;
    opened->leave();
    char text[64];
    snprintf(text, sizeof text, "no thread could be started: errno %d", error);
    napi_throw_error(env, nullptr, text);
    return nullptr;
  }

  /** Nothing is told any more. */
  void close() {
    isClosed_ = true;
    courier_.stop();
  }

  void hold(napi_env env, bool keepsAlive) {
    if (keepsAlive)
      napi_ref_threadsafe_function(env, function_);
    else
      napi_unref_threadsafe_function(env, function_);
  }

  /** Over rtnetlink nothing is set from here: of each kind of thing, the third message type asks. */
  bool takes(uint16_t type) const { return !isRoute_ || (type & 3) == 2; }

  Courier& courier() { return courier_; }

  void deliver(std::unique_ptr<Delivery> delivery) override {
    if (napi_call_threadsafe_function(function_, delivery.get(), napi_tsfn_nonblocking) == napi_ok) delivery.release();
  }

  void leave() override { napi_release_threadsafe_function(function_, napi_tsfn_release); }

 private:
  static void onEnvironmentEnd(void* data) {
    Channel* const channel = static_cast<Channel*>(data);
    channel->hasHook_ = false;
    channel->close();
    channel->courier_.join();
  }

  static void onFreed(napi_env env, void* data, void*) {
    Channel* const channel = static_cast<Channel*>(data);
    if (channel->hasHook_) napi_remove_env_cleanup_hook(env, onEnvironmentEnd, channel);
    delete channel;
  }

  static void onNews(napi_env env, napi_value listener, void* context, void* data) {
    const std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(data));
    Channel* const channel = static_cast<Channel*>(context);
    if (env == nullptr) return; // it is ending
    channel->courier_.heard(*delivery);
    if (channel->isClosed_) return;
    napi_value values[6];
    napi_value receiver = nullptr;
    const uint32_t value = delivery->number != 0 ? delivery->number : delivery->isInterrupted ? 1 : 0;
    const bool isMade = napi_create_uint32(env, static_cast<uint32_t>(delivery->news), &values[0]) == napi_ok &&
                        napi_create_uint32(env, delivery->ticket, &values[1]) == napi_ok && napi_create_int32(env, delivery->error, &values[2]) == napi_ok &&
                        napi_create_string_utf8(env, delivery->text.bytes, NAPI_AUTO_LENGTH, &values[3]) == napi_ok &&
                        napi_create_uint32(env, value, &values[4]) == napi_ok &&
                        (values[5] = door::copyBytes(env, delivery->bytes.data(), delivery->bytes.length())) != nullptr &&
                        napi_get_undefined(env, &receiver) == napi_ok;
    if (isMade && napi_call_function(env, receiver, listener, 6, values, nullptr) == napi_ok) return;
    napi_value thrown = nullptr;
    bool isPending = false;
    if (napi_is_exception_pending(env, &isPending) == napi_ok && isPending && napi_get_and_clear_last_exception(env, &thrown) == napi_ok)
      napi_fatal_exception(env, thrown);
  }

  napi_threadsafe_function function_ = nullptr;
  bool hasHook_ = false;
  bool isClosed_ = false;
  bool isRoute_ = false;
  Courier courier_{this};
};

/** The open channels of one environment. Channels do not look here: they may outlive it by a moment. */
struct Channels {
  std::map<uint32_t, Channel*> open;
  uint32_t last = 0;
};

class Arguments {
 public:
  explicit Arguments(const CallbackInfo& info) : info_(info) {}

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

  Bytes bytes(const char* name) {
    Bytes got;
    ok_ = ok_ && door::readBytes(info_, next_++, name, &got);
    return got;
  }

  /** Into `out` of `space` bytes, with a zero at the end; its length. */
  size_t text(const char* name, char* out, size_t space) {
    size_t length = 0;
    if (!ok_) return 0;
    const napi_value value = info_[next_++];
    if (napi_get_value_string_utf8(info_.Env(), value, nullptr, 0, &length) == napi_ok && length < space &&
        napi_get_value_string_utf8(info_.Env(), value, out, space, &length) == napi_ok)
      return length;
    char allowed[48];
    snprintf(allowed, sizeof allowed, "a text of at most %zu bytes", space - 1);
    door::throwTypeError(info_.Env(), name, allowed);
    ok_ = false;
    return 0;
  }

  napi_value function(const char* name) {
    napi_valuetype type = napi_undefined;
    const napi_value value = info_[next_++];
    if (ok_ && napi_typeof(info_.Env(), value, &type) == napi_ok && type == napi_function) return value;
    if (ok_) door::throwTypeError(info_.Env(), name, "a function");
    ok_ = false;
    return nullptr;
  }

  /** Null for a channel that is closed, or never was. */
  Channel* channel() {
    const uint32_t number = whole("channel", 0, UINT32_MAX);
    if (!ok_) return nullptr;
    const auto& open = info_.Env().GetInstanceData<Channels>()->open;
    const auto found = open.find(number);
    return found == open.end() ? nullptr : found->second;
  }

  bool ok() const { return ok_; }

 private:
  const CallbackInfo& info_;
  size_t next_ = 0;
  bool ok_ = true;
};

Value pendingException(Napi::Env env) { return Value(env, nullptr); }

Value open(const CallbackInfo& info) {
  Arguments take(info);
  char path[kPathBytes];
  const size_t length = take.text("namespacePath", path, sizeof path);
  const uint32_t receiveBytes = take.whole("receiveBytes", 0, kReceiveBytes);
  const napi_value listener = take.function("listener");
  const bool isRoute = take.flag("isRoute");
  if (!take.ok()) return pendingException(info.Env());
  Channel* const channel = Channel::open(info.Env(), listener, path, length, receiveBytes, isRoute ? NETLINK_ROUTE : NETLINK_GENERIC);
  if (channel == nullptr) return pendingException(info.Env());
  Channels* const channels = info.Env().GetInstanceData<Channels>();
  do channels->last++;
  while (channels->last == 0 || channels->open.count(channels->last) > 0);
  channels->open[channels->last] = channel;
  return Napi::Number::New(info.Env(), channels->last);
}

/** Hands the job over. False: the channel is closed. */
Value give(const CallbackInfo& info, Channel* channel, std::unique_ptr<Job> job) {
  if (channel == nullptr) return Napi::Boolean::New(info.Env(), false);
  if (!job || !job->message.ok()) {
    Napi::Error::New(info.Env(), "no memory for the request").ThrowAsJavaScriptException();
    return pendingException(info.Env());
  }
  channel->courier().add(std::move(job));
  return Napi::Boolean::New(info.Env(), true);
}

std::unique_ptr<Job> newJob(Task task, uint32_t ticket) {
  std::unique_ptr<Job> job(new (std::nothrow) Job(task));
  if (job) job->ticket = ticket;
  return job;
}

Value request(const CallbackInfo& info) {
  Arguments take(info);
  Channel* const channel = take.channel();
  const uint32_t ticket = take.whole("ticket", 1, UINT32_MAX);
  const bool isDump = take.flag("isDump");
  const uint16_t family = static_cast<uint16_t>(take.whole("family", NLMSG_MIN_TYPE, UINT16_MAX));
  const uint8_t command = static_cast<uint8_t>(take.whole("command", 0, UINT8_MAX));
  const uint8_t version = static_cast<uint8_t>(take.whole("version", 0, UINT8_MAX));
  const Bytes attributes = take.bytes("attributes");
  const uint32_t limit = take.whole("answerBytes", 0, kAnswerBytes);
  if (!take.ok()) return pendingException(info.Env());
  if (attributes.length > genetlink::kRequestBytes / 2) {
    door::throwRangeError(info.Env(), "attributes", "at most 32768 bytes");
    return pendingException(info.Env());
  }
  if (channel != nullptr && !channel->takes(family)) {
    door::throwRangeError(info.Env(), "family", "over rtnetlink: the number of a message that asks");
    return pendingException(info.Env());
  }
  std::unique_ptr<Job> job = newJob(isDump ? Task::dump : Task::request, ticket);
  if (job) {
    const genlmsghdr header{command, version, 0};
    const size_t place = job->message.beginMessage(family, static_cast<uint16_t>(NLM_F_REQUEST | (isDump ? NLM_F_DUMP : NLM_F_ACK)), 0);
    job->message.raw(&header, sizeof header);
    job->message.raw(attributes.data, attributes.length);
    job->message.endMessage(place);
    job->family = family;
    job->answerLimit = limit;
  }
  return give(info, channel, std::move(job));
}

Value setMembership(const CallbackInfo& info) {
  Arguments take(info);
  Channel* const channel = take.channel();
  const uint32_t ticket = take.whole("ticket", 1, UINT32_MAX);
  const uint32_t group = take.whole("group", 1, INT32_MAX);
  const bool isMember = take.flag("isMember");
  if (!take.ok()) return pendingException(info.Env());
  std::unique_ptr<Job> job = newJob(isMember ? Task::join : Task::leave, ticket);
  if (job) job->group = group;
  return give(info, channel, std::move(job));
}

Value interfaceIndex(const CallbackInfo& info) {
  Arguments take(info);
  Channel* const channel = take.channel();
  const uint32_t ticket = take.whole("ticket", 1, UINT32_MAX);
  std::unique_ptr<Job> job = newJob(Task::index, ticket);
  char name[sizeof job->name];
  take.text("name", name, sizeof name);
  if (!take.ok()) return pendingException(info.Env());
  if (job) memcpy(job->name, name, sizeof name);
  return give(info, channel, std::move(job));
}

Value cancel(const CallbackInfo& info) {
  Arguments take(info);
  Channel* const channel = take.channel();
  const uint32_t ticket = take.whole("ticket", 1, UINT32_MAX);
  if (take.ok() && channel != nullptr) channel->courier().cancel(ticket);
  return take.ok() ? Napi::Boolean::New(info.Env(), channel != nullptr) : pendingException(info.Env());
}

Value hold(const CallbackInfo& info) {
  Arguments take(info);
  Channel* const channel = take.channel();
  const bool keepsAlive = take.flag("keepsAlive");
  if (take.ok() && channel != nullptr) channel->hold(info.Env(), keepsAlive);
  return take.ok() ? Napi::Boolean::New(info.Env(), channel != nullptr) : pendingException(info.Env());
}

Value close(const CallbackInfo& info) {
  Arguments take(info);
  const uint32_t number = take.whole("channel", 0, UINT32_MAX);
  if (!take.ok()) return pendingException(info.Env());
  auto& open = info.Env().GetInstanceData<Channels>()->open;
  const auto found = open.find(number);
  if (found == open.end()) return Napi::Boolean::New(info.Env(), false);
  found->second->close();
  open.erase(found);
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  Channels* const channels = new (std::nothrow) Channels;
  if (channels == nullptr) return exports;
  env.SetInstanceData(channels);
  exports.Set("open", Napi::Function::New(env, open, "open"));
  exports.Set("request", Napi::Function::New(env, request, "request"));
  exports.Set("setMembership", Napi::Function::New(env, setMembership, "setMembership"));
  exports.Set("interfaceIndex", Napi::Function::New(env, interfaceIndex, "interfaceIndex"));
  exports.Set("cancel", Napi::Function::New(env, cancel, "cancel"));
  exports.Set("hold", Napi::Function::New(env, hold, "hold"));
  exports.Set("close", Napi::Function::New(env, close, "close"));
  return exports;
}

} // namespace

NODE_API_MODULE(genetlink, init)
