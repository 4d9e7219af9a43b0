/*
 * Tells when a socket can be read, on the loop's own thread, without a thread of its own; and calls a
 * JavaScript function from there. Fit for sockets whose reading never waits for a lock of the kernel: queued
 * events, not dumps.
 *
 * libuv comes with Node and is looked up while running (dlsym): an addon then needs nothing but Node-API to
 * be loaded, the build's gates can say so, and a runtime without libuv gets a reason instead of a failure
 * to load. Its handle is laid out by the headers of the Node that is built for; libuv keeps that layout for
 * all of version 1.
 */
#ifndef MESHBOX_DOOR_LOOP_WATCH_H
#define MESHBOX_DOOR_LOOP_WATCH_H

#include <dlfcn.h>
#include <node_api.h>
#include <uv.h>

#include <new>

namespace door {

struct Libuv {
  decltype(&uv_poll_init) pollInit = nullptr;
  decltype(&uv_poll_start) pollStart = nullptr;
  decltype(&uv_poll_stop) pollStop = nullptr;
  decltype(&uv_timer_init) timerInit = nullptr;
  decltype(&uv_timer_start) timerStart = nullptr;
  decltype(&uv_close) close = nullptr;
  decltype(&uv_ref) ref = nullptr;
  decltype(&uv_unref) unref = nullptr;

  static const Libuv& get() {
    static const Libuv found = [] {
      Libuv uv;
      uv.pollInit = reinterpret_cast<decltype(&uv_poll_init)>(dlsym(RTLD_DEFAULT, "uv_poll_init"));
      uv.pollStart = reinterpret_cast<decltype(&uv_poll_start)>(dlsym(RTLD_DEFAULT, "uv_poll_start"));
      uv.pollStop = reinterpret_cast<decltype(&uv_poll_stop)>(dlsym(RTLD_DEFAULT, "uv_poll_stop"));
      uv.timerInit = reinterpret_cast<decltype(&uv_timer_init)>(dlsym(RTLD_DEFAULT, "uv_timer_init"));
      uv.timerStart = reinterpret_cast<decltype(&uv_timer_start)>(dlsym(RTLD_DEFAULT, "uv_timer_start"));
      uv.close = reinterpret_cast<decltype(&uv_close)>(dlsym(RTLD_DEFAULT, "uv_close"));
      uv.ref = reinterpret_cast<decltype(&uv_ref)>(dlsym(RTLD_DEFAULT, "uv_ref"));
      uv.unref = reinterpret_cast<decltype(&uv_unref)>(dlsym(RTLD_DEFAULT, "uv_unref"));
      return uv;
    }();
    return found;
  }

  bool isComplete() const {
    return pollInit != nullptr && pollStart != nullptr && pollStop != nullptr && timerInit != nullptr && timerStart != nullptr && close != nullptr && ref != nullptr &&
           unref != nullptr;
  }
};

/** Who is told. Both are called on the loop's thread. */
class Watcher {
 public:
  /** There is something to read, or the descriptor has failed. Called again while that stays so: read a bounded part and return. */
  virtual void onReadable() = 0;
  /** The environment (process or worker) ends: give back everything of Node-API now and call Watch::stop(). */
  virtual void onEnvironmentEnd() = 0;

 protected:
  ~Watcher() = default;
};

/** A descriptor under watch. Both it and its watcher may go as soon as stop() has returned; libuv's part goes by itself. */
class Watch {
 public:
  Watch() = default;
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /** Null, or why it cannot be. The loop stays alive for it until hold(false). Close the descriptor only after stop(). */
  const char* start(napi_env env, int fd, Watcher* watcher) {
    const Libuv& uv = Libuv::get();
    if (!uv.isComplete()) return "this runtime does not show libuv";
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok || loop == nullptr) return "this runtime has no event loop of libuv";
    Handle* handle = new (std::nothrow) Handle;
    if (handle == nullptr) return "no memory";
    if (uv.pollInit(loop, &handle->poll, fd) != 0) {
      delete handle;
      return "the descriptor cannot be watched";
    }
    uv.timerInit(loop, &handle->timer); // cannot fail
    handle->poll.data = handle;
    handle->timer.data = handle;
    handle->watcher = watcher;
    handle_ = handle;
    if (napi_add_async_cleanup_hook(env, onEnd, handle, &handle->hook) != napi_ok) {
      stop();
      return "the environment is ending";
    }
    if (uv.pollStart(&handle->poll, UV_READABLE, onPoll) != 0) {
      stop();
      return "the descriptor cannot be watched";
    }
    return nullptr;
  }

  /** Nothing is called any more. Any number of times. */
  void stop() {
    if (handle_ == nullptr) return;
    Handle* handle = handle_;
    handle_ = nullptr;
    handle->watcher = nullptr;
    Libuv::get().close(reinterpret_cast<uv_handle_t*>(&handle->poll), onClosed);
    Libuv::get().close(reinterpret_cast<uv_handle_t*>(&handle->timer), onClosed);
  }

  /** Looks away for so long; then onReadable() is called, whether there is something or not, and it looks on. */
  void rest(uint32_t milliseconds) {
    if (handle_ == nullptr) return;
    Libuv::get().pollStop(&handle_->poll);
    Libuv::get().timerStart(&handle_->timer, onRested, milliseconds, 0);
  }

  /** Whether the loop stays alive for it. */
  void hold(bool keepsAlive) {
    if (handle_ == nullptr) return;
    for (uv_handle_t* part : {reinterpret_cast<uv_handle_t*>(&handle_->poll), reinterpret_cast<uv_handle_t*>(&handle_->timer)}) {
      if (keepsAlive)
        Libuv::get().ref(part);
      else
        Libuv::get().unref(part);
    }
  }

 private:
  struct Handle {
    uv_poll_t poll;
    uv_timer_t timer;
    /** Of the two, those that libuv still has. */
    int open = 2;
    Watcher* watcher = nullptr;
    napi_async_cleanup_hook_handle hook = nullptr;
  };

  static void onPoll(uv_poll_t* poll, int status, int) {
    Handle* handle = static_cast<Handle*>(poll->data);
    if (handle->watcher != nullptr) handle->watcher->onReadable();
    // libuv stops at a socket's error, and a netlink socket that lost messages has one; reading has taken it away.
    if (status < 0 && handle->watcher != nullptr) Libuv::get().pollStart(poll, UV_READABLE, onPoll);
  }

  static void onRested(uv_timer_t* timer) {
    Handle* handle = static_cast<Handle*>(timer->data);
    if (handle->watcher == nullptr) return;
    Libuv::get().pollStart(&handle->poll, UV_READABLE, onPoll);
    handle->watcher->onReadable();
  }

  static void onClosed(uv_handle_t* closed) {
    Handle* handle = static_cast<Handle*>(closed->data);
    if (--handle->open > 0) return;
    if (handle->hook != nullptr) napi_remove_async_cleanup_hook(handle->hook);
    delete handle;
  }

  /** The environment waits until onClosed() has taken the hook away. */
  static void onEnd(napi_async_cleanup_hook_handle, void* data) {
    Handle* handle = static_cast<Handle*>(data);
    if (handle->watcher != nullptr) handle->watcher->onEnvironmentEnd();
  }

  Handle* handle_ = nullptr;
};

/** A JavaScript function that is called from the loop, as Node's own doors call theirs: promises and ticks run after it. */
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /** `name` is shown by async_hooks. False: the exception is pending or the environment is ending. */
  bool set(napi_env env, napi_value function, const char* name) {
    napi_value resource = nullptr;
    napi_value text = nullptr;
    env_ = env;
    return napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text) == napi_ok && napi_create_object(env, &resource) == napi_ok &&
           napi_create_reference(env, function, 1, &function_) == napi_ok && napi_async_init(env, resource, text, &context_) == napi_ok;
  }

  /** Calls it; what it throws becomes an uncaught exception. The handle scope is the caller's. */
  void call(size_t count, const napi_value* values) {
    napi_value function = nullptr;
    napi_value receiver = nullptr;
    napi_value result = nullptr;
    if (function_ == nullptr || napi_get_reference_value(env_, function_, &function) != napi_ok || napi_get_global(env_, &receiver) != napi_ok) return;
    const napi_env env = env_; // the call may end this object
    // Unlike napi_call_function, this takes no undefined as receiver.
    if (napi_make_callback(env, context_, receiver, function, count, values, &result) != napi_pending_exception) return;
    napi_value thrown = nullptr;
    if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
  }

  /** Gives everything back to Node-API. Any number of times. */
  void clear() {
    if (context_ != nullptr) napi_async_destroy(env_, context_);
    if (function_ != nullptr) napi_delete_reference(env_, function_);
    context_ = nullptr;
    function_ = nullptr;
  }

 private:
  napi_env env_ = nullptr;
  napi_ref function_ = nullptr;
  napi_async_context context_ = nullptr;
};

} // namespace door

#endif
