/*
 * Node's door to socket.h: UDP sockets, known by a number, whose datagrams are told by the batch. When there are some, the socket's
 * listener is called with how many lie in the two arrays it was opened with; it reads them, marks answers, and asks for
 * those to be sent before it does anything else. Datagrams that come less than `closeMs` after the last ones are let wait `gatherMs` for others. Nothing is kept for a listener that is slow: the kernel's buffer is the only queue.
 * The typed door is src/native/io/udp.ts.
 */
#include <napi.h>

#include <cerrno>
#include <ctime>
#include <map>
#include <memory>
#include <new>

#include "../door/arguments.h"
#include "../door/loop-watch.h"
#include "socket.h"

namespace {

using Napi::CallbackInfo;
using Napi::Value;

constexpr size_t kAddressText = 64;
constexpr uint32_t kMaxReceiveBytes = 64u << 20;
constexpr uint32_t kMaxWaitMs = 1000;

/** An array that JavaScript gave, looked up anew each time: it may have been taken apart meanwhile. */
class SharedArray {
 public:
  bool keep(napi_env env, napi_value array) { return napi_create_reference(env, array, 1, &reference_) == napi_ok; }

  void release(napi_env env) {
    if (reference_ != nullptr) napi_delete_reference(env, reference_);
    reference_ = nullptr;
  }

  /** Null: it is not what it was. */
  void* data(napi_env env, napi_typedarray_type wanted, size_t length) const {
    napi_value array = nullptr;
    void* data = nullptr;
    size_t has = 0;
    napi_typedarray_type type = napi_int8_array;
    if (reference_ == nullptr || napi_get_reference_value(env, reference_, &array) != napi_ok || array == nullptr) return nullptr;
    if (napi_get_typedarray_info(env, array, &type, &has, &data, nullptr, nullptr) != napi_ok) return nullptr;
    return type == wanted && has == length ? data : nullptr;
  }

 private:
  napi_ref reference_ = nullptr;
};

class Door final : public door::Watcher, public std::enable_shared_from_this<Door> {
 public:
  explicit Door(napi_env env) : env_(env) {}
  ~Door() { stop(); }

  udp::Failure start(const char* address, uint16_t port, uint32_t receiveBytes, uint32_t closeMs, uint32_t gatherMs, napi_value bytes, napi_value table, napi_value listener) {
    if (const udp::Failure failure = socket_.open(address, port, receiveBytes); failure.step != nullptr) return failure;
    closeMs_ = closeMs;
    gatherMs_ = gatherMs;
    if (!bytes_.keep(env_, bytes) || !table_.keep(env_, table) || !listener_.set(env_, listener, "meshbox:udp")) return {"keep the arrays", ECANCELED};
    if (const char* why = watch_.start(env_, socket_.fd(), this); why != nullptr) return {why, ENOTSUP};
    return {};
  }

  void stop() {
    watch_.stop();
    listener_.clear();
    bytes_.release(env_);
    table_.release(env_);
    socket_.close();
  }

  bool hasArrays() const { return bytesData() != nullptr && tableData() != nullptr; }
  uint32_t answer() { return hasArrays() ? socket_.answer(bytesData(), tableData()) : 0; }
  udp::Socket& socket() { return socket_; }

  void onReadable() override {
    const std::shared_ptr<Door> self = shared_from_this(); // the listener may close it
    // Those that come close after each other are let come together: to be woken costs more than a datagram.
    const uint64_t nowMs = monotonicMs();
    if (!isGathered_ && gatherMs_ > 0 && nowMs - readMs_ < closeMs_) {
      isGathered_ = true;
      return watch_.rest(gatherMs_);
    }
    isGathered_ = false;
    readMs_ = nowMs;
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
    napi_value count = nullptr;
    if (!hasArrays()) {
      stop(); // who takes them apart wants no datagrams
    } else if (const uint32_t got = socket_.receive(bytesData(), tableData()); got > 0) {
      if (got == udp::kSlots) readMs_ = 0; // there may be more, and the kernel's room is small
      if (napi_create_uint32(env_, got, &count) == napi_ok) listener_.call(1, &count);
    }
    napi_close_handle_scope(env_, scope);
  }

  void onEnvironmentEnd() override { stop(); }

 private:
  uint8_t* bytesData() const { return static_cast<uint8_t*>(bytes_.data(env_, napi_uint8_array, udp::kSlots * udp::kSlotBytes)); }
  int32_t* tableData() const { return static_cast<int32_t*>(table_.data(env_, napi_int32_array, udp::kSlots * udp::kRowWords)); }

  static uint64_t monotonicMs() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  }

  napi_env env_;
  uint32_t closeMs_ = 0;
  uint32_t gatherMs_ = 0;
  uint64_t readMs_ = 0;
  bool isGathered_ = false;
  udp::Socket socket_;
  SharedArray bytes_;
  SharedArray table_;
  door::Listener listener_;
  door::Watch watch_;
};

/** The open sockets of one environment. */
struct Doors {
  std::map<uint32_t, std::shared_ptr<Door>> open;
  uint32_t last = 0;
};

/** Takes the arguments from left to right; after one that is wrong, an exception is pending and ok() is false. */
class Arguments {
 public:
  explicit Arguments(const CallbackInfo& info) : info_(info) {}

  /** Null for one that is closed, or never was. */
  std::shared_ptr<Door> door() {
    const uint32_t number = whole("socket", 1, UINT32_MAX);
    if (!ok_) return nullptr;
    const auto& open = info_.Env().GetInstanceData<Doors>()->open;
    const auto found = open.find(number);
    return found == open.end() ? nullptr : found->second;
  }

  uint32_t whole(const char* name, uint32_t low, uint32_t high) {
    uint32_t got = 0;
    ok_ = ok_ && door::readWhole(info_, next_++, name, low, high, &got);
    return got;
  }

  door::Bytes bytes(const char* name) {
    door::Bytes got;
    ok_ = ok_ && door::readBytes(info_, next_++, name, &got);
    return got;
  }

  void address(char (&out)[kAddressText]) {
    out[0] = 0;
    if (!ok_) return;
    const napi_env env = info_.Env();
    const napi_value got = info_[next_++];
    size_t length = 0;
    if (napi_get_value_string_utf8(env, got, nullptr, 0, &length) == napi_ok && length > 0 && length < sizeof out &&
        napi_get_value_string_utf8(env, got, out, sizeof out, &length) == napi_ok && strlen(out) == length)
      return;
    fail("address", "an address as text");
  }

  napi_value array(const char* name, napi_typedarray_type wanted, size_t length) {
    if (!ok_) return nullptr;
    const napi_value got = info_[next_++];
    bool isArray = false;
    napi_typedarray_type type = napi_int8_array;
    size_t has = 0;
    if (napi_is_typedarray(info_.Env(), got, &isArray) == napi_ok && isArray &&
        napi_get_typedarray_info(info_.Env(), got, &type, &has, nullptr, nullptr, nullptr) == napi_ok && type == wanted && has == length)
      return got;
    fail(name, wanted == napi_uint8_array ? "a Uint8Array of 16 times 65536 bytes" : "an Int32Array of 16 times 8 words");
    return nullptr;
  }

  napi_value function(const char* name) {
    if (!ok_) return nullptr;
    const napi_value got = info_[next_++];
    napi_valuetype type = napi_undefined;
    if (napi_typeof(info_.Env(), got, &type) == napi_ok && type == napi_function) return got;
    fail(name, "a function");
    return nullptr;
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

Value nothing(const CallbackInfo& info) { return Value(info.Env(), nullptr); }

/** open(address, port, receiveBytes, closeMs, gatherMs, bytes, table, listener): number */
Value open(const CallbackInfo& info) {
  Arguments take(info);
  char address[kAddressText];
  take.address(address);
  const uint16_t port = static_cast<uint16_t>(take.whole("port", 0, UINT16_MAX));
  const uint32_t receiveBytes = take.whole("receiveBytes", 0, kMaxReceiveBytes);
  const uint32_t closeMs = take.whole("closeMs", 0, kMaxWaitMs);
  const uint32_t gatherMs = take.whole("gatherMs", 0, kMaxWaitMs);
  const napi_value bytes = take.array("bytes", napi_uint8_array, udp::kSlots * udp::kSlotBytes);
  const napi_value table = take.array("table", napi_int32_array, udp::kSlots * udp::kRowWords);
  const napi_value listener = take.function("listener");
  if (!take.ok()) return nothing(info);
  const std::shared_ptr<Door> door = std::make_shared<Door>(info.Env());
  if (const udp::Failure failure = door->start(address, port, receiveBytes, closeMs, gatherMs, bytes, table, listener); failure.step != nullptr) {
    char text[160];
    snprintf(text, sizeof text, "%s: %s", failure.step, strerror(failure.error));
    door->stop();
    Napi::Error::New(info.Env(), text).ThrowAsJavaScriptException();
    return nothing(info);
  }
  Doors* const doors = info.Env().GetInstanceData<Doors>();
  do doors->last++;
  while (doors->last == 0 || doors->open.count(doors->last) > 0);
  doors->open.emplace(doors->last, door);
  return Napi::Number::New(info.Env(), doors->last);
}

/** port(socket): number; 0: closed */
Value port(const CallbackInfo& info) {
  Arguments take(info);
  const std::shared_ptr<Door> door = take.door();
  if (!take.ok()) return nothing(info);
  return Napi::Number::New(info.Env(), door == nullptr ? 0 : door->socket().port());
}

/** answer(socket): how many of the marked answers the kernel did not take */
Value answer(const CallbackInfo& info) {
  Arguments take(info);
  const std::shared_ptr<Door> door = take.door();
  if (!take.ok()) return nothing(info);
  return Napi::Number::New(info.Env(), door == nullptr ? 0 : door->answer());
}

/** host(socket, slot): who sent what lies there; null: nothing does */
Value host(const CallbackInfo& info) {
  Arguments take(info);
  const std::shared_ptr<Door> door = take.door();
  const uint32_t slot = take.whole("slot", 0, udp::kSlots - 1);
  char text[udp::kHostText];
  if (!take.ok()) return nothing(info);
  if (door == nullptr || !door->socket().host(slot, text)) return info.Env().Null();
  return Napi::String::New(info.Env(), text);
}

/** send(socket, bytes, address, port): 0, or an errno */
Value send(const CallbackInfo& info) {
  Arguments take(info);
  const std::shared_ptr<Door> door = take.door();
  const door::Bytes bytes = take.bytes("bytes");
  char address[kAddressText];
  take.address(address);
  const uint16_t port = static_cast<uint16_t>(take.whole("port", 0, UINT16_MAX));
  if (!take.ok()) return nothing(info);
  return Napi::Number::New(info.Env(), door == nullptr ? EBADF : door->socket().send(bytes.data, bytes.length, address, port));
}

/** close(socket): nothing is told any more */
void close(const CallbackInfo& info) {
  Arguments take(info);
  const uint32_t number = take.whole("socket", 1, UINT32_MAX);
  if (!take.ok()) return;
  Doors* const doors = info.Env().GetInstanceData<Doors>();
  const auto found = doors->open.find(number);
  if (found == doors->open.end()) return;
  found->second->stop();
  doors->open.erase(found);
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Doors);
  exports.Set("open", Napi::Function::New<open>(env, "open"));
  exports.Set("port", Napi::Function::New<port>(env, "port"));
  exports.Set("answer", Napi::Function::New<answer>(env, "answer"));
  exports.Set("host", Napi::Function::New<host>(env, "host"));
  exports.Set("send", Napi::Function::New<send>(env, "send"));
  exports.Set("close", Napi::Function::New<close>(env, "close"));
  return exports;
}

} // namespace

NODE_API_MODULE(udp, start)
