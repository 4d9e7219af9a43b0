/*
 * One piece of work on libuv's thread pool, answered by a promise.
 *
 * A job owns all it touches: nothing of JavaScript's memory, which the caller may change, hand to another
 * thread or lose while the job runs. When the environment closes, Node waits for the job and then refuses
 * the answer; the job is freed all the same.
 */
#ifndef MESHBOX_DOOR_POOL_JOB_H
#define MESHBOX_DOOR_POOL_JOB_H

#include <napi.h>

#include <memory>

namespace door {

class PoolJob {
 public:
  virtual ~PoolJob() = default;
  /** On a thread of the pool: no Node-API calls. */
  virtual void run() = 0;
  /** On the loop's thread, after run(): the value of the promise; null if none could be made. */
  virtual napi_value result(napi_env env) = 0;

  /** The promise of the job's result. Null, with an exception pending, if it could not be queued. */
  static napi_value start(napi_env env, std::unique_ptr<PoolJob> job) {
    napi_value promise = nullptr;
    napi_value name = nullptr;
    if (napi_create_promise(env, &job->deferred_, &promise) != napi_ok) return nullptr;
    if (napi_create_string_utf8(env, "meshbox:pool-job", NAPI_AUTO_LENGTH, &name) != napi_ok) return nullptr;
    if (napi_create_async_work(env, nullptr, name, execute, complete, job.get(), &job->work_) != napi_ok) return nullptr;
    if (napi_queue_async_work(env, job->work_) != napi_ok) {
      napi_delete_async_work(env, job->work_);
      return nullptr;
    }
    job.release(); // complete() takes it back
    return promise;
  }

 private:
  static void execute(napi_env, void* data) { static_cast<PoolJob*>(data)->run(); }

  static void complete(napi_env env, napi_status status, void* data) {
    std::unique_ptr<PoolJob> job(static_cast<PoolJob*>(data));
    napi_delete_async_work(env, job->work_);
    napi_value value = status == napi_ok ? job->result(env) : nullptr;
    if (value != nullptr) {
      napi_resolve_deferred(env, job->deferred_, value);
      return;
    }
    // No memory for the result, or the environment is closing and takes nothing any more.
    napi_value pending = nullptr;
    napi_value text = nullptr;
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env, &pending);
    if (napi_create_string_utf8(env, "the result of a pool job could not be made", NAPI_AUTO_LENGTH, &text) == napi_ok &&
        napi_create_error(env, nullptr, text, &error) == napi_ok)
      napi_reject_deferred(env, job->deferred_, error);
  }

  napi_deferred deferred_ = nullptr;
  napi_async_work work_ = nullptr;
};

} // namespace door

#endif
