/*
 * Node's door to curve.h and batch.h: reads the arguments, calls, hands back a new Uint8Array. No policy.
 * Arguments of a wrong type or length throw TypeError or RangeError; what is no key, point or signature
 * gives null (false for yes-or-no questions). The typed door is src/native/io/secp256k1.ts.
 */
#include <napi.h>

#include <memory>
#include <new>

#include "../door/arguments.h"
#include "../door/pool-job.h"
#include "batch.h"
#include "curve.h"
#include "keccak.h"

namespace {

using curve::Key;
using door::Bytes;
using Napi::CallbackInfo;
using Napi::Value;

/** Takes the arguments from left to right; after one that is wrong, an exception is pending and ok() is false. */
class Arguments {
 public:
  explicit Arguments(const CallbackInfo& info) : info_(info) {}

  const uint8_t* bytes(const char* name, size_t length) {
    Bytes got;
    ok_ = ok_ && door::readBytesOf(info_, next_++, name, length, &got);
    return got.data;
  }

  Bytes anyBytes(const char* name) {
    Bytes got;
    ok_ = ok_ && door::readBytes(info_, next_++, name, &got);
    return got;
  }

  /** 33 or 65 bytes; whether they are a point is looked at later. */
  Key publicKey(const char* name) {
    const Bytes got = anyBytes(name);
    if (ok_ && got.length != curve::kCompressedBytes && got.length != curve::kPointBytes) {
      door::throwRangeError(info_.Env(), name, "33 or 65 bytes");
      ok_ = false;
    }
    return {got.data, got.length};
  }

  bool flag(const char* name) {
    bool got = false;
    ok_ = ok_ && door::readBoolean(info_, next_++, name, &got);
    return got;
  }

  uint32_t whole(const char* name, uint32_t low, uint32_t high) {
    uint32_t got = 0;
    ok_ = ok_ && door::readWhole(info_, next_++, name, low, high, &got);
    return got;
  }

  /** Length of a public key that goes out. */
  size_t form() { return flag("compressed") ? curve::kCompressedBytes : curve::kPointBytes; }

  bool ok() const { return ok_; }

 private:
  const CallbackInfo& info_;
  size_t next_ = 0;
  bool ok_ = true;
};

/** Undefined while an exception is pending: the caller never sees it. */
Value pendingException(Napi::Env env) { return Value(env, nullptr); }

Value answer(Napi::Env env, bool done, const uint8_t* bytes, size_t length) {
  if (!done) return env.Null();
  return Value(env, door::copyBytes(env, bytes, length));
}

/** The same for what is secret, or was made of a secret: neither it nor its traces stay here. */
Value answerWiped(Napi::Env env, bool done, uint8_t* bytes, size_t length) {
  curve::wipeStack();
  const Value value = answer(env, done, bytes, length);
  curve::wipe(bytes, length);
  return value;
}

Value isPrivateKey(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* key = take.bytes("privateKey", curve::kScalarBytes);
  if (!take.ok()) return pendingException(info.Env());
  const bool is = curve::isPrivateKey(key);
  curve::wipeStack();
  return Napi::Boolean::New(info.Env(), is);
}

Value publicKeyOf(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* key = take.bytes("privateKey", curve::kScalarBytes);
  const size_t length = take.form();
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kPointBytes];
  return answerWiped(info.Env(), curve::publicKeyOf(key, out, length), out, length);
}

Value sign(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* digest = take.bytes("digest", curve::kDigestBytes);
  const uint8_t* key = take.bytes("privateKey", curve::kScalarBytes);
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kRecoverableBytes];
  return answerWiped(info.Env(), curve::sign(digest, key, out), out, sizeof out);
}

Value verify(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* digest = take.bytes("digest", curve::kDigestBytes);
  const uint8_t* signature = take.bytes("signature", curve::kCompactBytes);
  const Key key = take.publicKey("publicKey");
  const bool acceptHighS = take.flag("acceptHighS");
  if (!take.ok()) return pendingException(info.Env());
  return Napi::Boolean::New(info.Env(), curve::verify(digest, signature, key, acceptHighS));
}

template <bool (*recover)(const uint8_t*, const uint8_t*, bool, uint8_t*), size_t length>
Value recovery(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* digest = take.bytes("digest", curve::kDigestBytes);
  const uint8_t* signature = take.bytes("signature", curve::kRecoverableBytes);
  const bool acceptHighS = take.flag("acceptHighS");
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[length];
  return answer(info.Env(), recover(digest, signature, acceptHighS, out), out, length);
}

template <bool (*share)(Key, const uint8_t*, uint8_t*)>
Value shared(const CallbackInfo& info) {
  Arguments take(info);
  const Key key = take.publicKey("publicKey");
  const uint8_t* privateKey = take.bytes("privateKey", curve::kScalarBytes);
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kScalarBytes];
  return answerWiped(info.Env(), share(key, privateKey, out), out, sizeof out);
}

template <bool (*change)(Key, const uint8_t*, uint8_t*, size_t)>
Value pointByScalar(const CallbackInfo& info) {
  Arguments take(info);
  const Key key = take.publicKey("publicKey");
  const uint8_t* scalar = take.bytes("scalar", curve::kScalarBytes);
  const size_t length = take.form();
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kPointBytes];
  return answerWiped(info.Env(), change(key, scalar, out, length), out, length);
}

template <bool (*change)(const uint8_t*, const uint8_t*, uint8_t*)>
Value keyByScalar(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* key = take.bytes("privateKey", curve::kScalarBytes);
  const uint8_t* scalar = take.bytes("scalar", curve::kScalarBytes);
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kScalarBytes];
  return answerWiped(info.Env(), change(key, scalar, out), out, sizeof out);
}

Value negatePrivateKey(const CallbackInfo& info) {
  Arguments take(info);
  const uint8_t* key = take.bytes("privateKey", curve::kScalarBytes);
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kScalarBytes];
  return answerWiped(info.Env(), curve::negatePrivateKey(key, out), out, sizeof out);
}

Value convertPublicKey(const CallbackInfo& info) {
  Arguments take(info);
  const Key key = take.publicKey("publicKey");
  const size_t length = take.form();
  if (!take.ok()) return pendingException(info.Env());
  uint8_t out[curve::kPointBytes];
  return answer(info.Env(), curve::convertPublicKey(key, out, length), out, length);
}

Value combinePublicKeys(const CallbackInfo& info) {
  Arguments take(info);
  const Bytes points = take.anyBytes("points");
  const size_t length = take.form();
  if (!take.ok()) return pendingException(info.Env());
  const size_t count = points.length / curve::kPointBytes;
  if (points.length % curve::kPointBytes != 0 || count < 1 || count > curve::kMaxCombined) {
    door::throwRangeError(info.Env(), "points", "1 to 64 points of 65 bytes");
    return pendingException(info.Env());
  }
  uint8_t out[curve::kPointBytes];
  return answer(info.Env(), curve::combinePublicKeys(points.data, count, out, length), out, length);
}

/** Writes into an array of the caller's: making a new one takes as long as hashing a block. */
Value keccak256Into(const CallbackInfo& info) {
  Arguments take(info);
  const Bytes data = take.anyBytes("data");
  const uint8_t* out = take.bytes("out", curve::kHashBytes);
  if (!take.ok()) return pendingException(info.Env());
  keccak256(data.data, data.length, const_cast<uint8_t*>(out));
  return info.Env().Undefined();
}

/** A batch with its own copy of everything, for the pool. */
class BatchJob final : public door::PoolJob {
 public:
  /** Null without memory. */
  static std::unique_ptr<BatchJob> copyOf(const curve::Frames& frames) {
    std::unique_ptr<BatchJob> job(new (std::nothrow) BatchJob(frames));
    if (!job) return nullptr;
    const size_t length = frames.count * frames.stride;
    // One byte more, as memory for nothing may be null.
    job->in_.reset(new (std::nothrow) uint8_t[length + 1]);
    job->out_.reset(new (std::nothrow) uint8_t[job->outLength() + 1]);
    if (!job->in_ || !job->out_) return nullptr;
    memcpy(job->in_.get(), frames.in, length);
    job->frames_.in = job->in_.get();
    if (frames.privateKey != nullptr) {
      memcpy(job->privateKey_, frames.privateKey, sizeof job->privateKey_);
      job->frames_.privateKey = job->privateKey_;
    }
    return job;
  }

  ~BatchJob() override { curve::wipe(privateKey_, sizeof privateKey_); }

  void run() override {
    curve::runBatch(frames_, out_.get());
    curve::wipe(privateKey_, sizeof privateKey_);
  }

  napi_value result(napi_env env) override { return door::copyBytes(env, out_.get(), outLength()); }

 private:
  explicit BatchJob(const curve::Frames& frames) : frames_(frames) {}
  size_t outLength() const { return frames_.count * curve::strideOut(frames_.operation); }

  curve::Frames frames_;
  std::unique_ptr<uint8_t[]> in_;
  std::unique_ptr<uint8_t[]> out_;
  uint8_t privateKey_[curve::kScalarBytes] = {0};
};

/** False: an exception is pending. */
bool readFrames(const CallbackInfo& info, curve::Operation operation, curve::Frames* frames) {
  Arguments take(info);
  const Bytes in = take.anyBytes("frames");
  *frames = {operation, in.data, 0, curve::strideIn(operation), nullptr, false};
  if (operation == curve::Operation::kKeccak) frames->stride = take.whole("stride", 1, curve::kMaxBatchBytes);
  else if (operation == curve::Operation::kSign) frames->privateKey = take.bytes("privateKey", curve::kScalarBytes);
  else frames->acceptHighS = take.flag("acceptHighS");
  if (!take.ok()) return false;
  frames->count = in.length / frames->stride;
  if (in.length % frames->stride != 0 || in.length > curve::kMaxBatchBytes || frames->count > curve::kMaxFrames) {
    door::throwRangeError(info.Env(), "frames", "whole frames, at most 65536 and 16 MiB of them");
    return false;
  }
  if (operation != curve::Operation::kSign) return true;
  const bool isKey = curve::isPrivateKey(frames->privateKey);
  curve::wipeStack();
  if (!isKey) door::throwRangeError(info.Env(), "privateKey", "1 to N-1");
  return isKey;
}

template <curve::Operation operation>
Value batch(const CallbackInfo& info) {
  curve::Frames frames;
  if (!readFrames(info, operation, &frames)) return pendingException(info.Env());
  uint8_t* out = nullptr;
  const napi_value array = door::newBytes(info.Env(), frames.count * curve::strideOut(operation), &out);
  if (array != nullptr) curve::runBatch(frames, out);
  return Value(info.Env(), array);
}

template <curve::Operation operation>
Value batchInPool(const CallbackInfo& info) {
  curve::Frames frames;
  if (!readFrames(info, operation, &frames)) return pendingException(info.Env());
  std::unique_ptr<BatchJob> job = BatchJob::copyOf(frames);
  if (!job) {
    Napi::Error::New(info.Env(), "no memory for a batch").ThrowAsJavaScriptException();
    return pendingException(info.Env());
  }
  return Value(info.Env(), door::PoolJob::start(info.Env(), std::move(job)));
}

template <Value (*function)(const CallbackInfo&)>
void offer(Napi::Object& exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(exports.Env(), name));
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  if (!curve::start()) {
    Napi::Error::New(env, "secp256k1: the kernel gives no randomness").ThrowAsJavaScriptException();
    return exports;
  }
  offer<isPrivateKey>(exports, "isPrivateKey");
  offer<publicKeyOf>(exports, "publicKeyOf");
  offer<sign>(exports, "sign");
  offer<verify>(exports, "verify");
  offer<recovery<curve::recover, curve::kPointBytes>>(exports, "recover");
  offer<recovery<curve::recoverAddress, curve::kAddressBytes>>(exports, "recoverAddress");
  offer<shared<curve::sharedSecret>>(exports, "sharedSecret");
  offer<shared<curve::sharedX>>(exports, "sharedX");
  offer<pointByScalar<curve::multiplySecret>>(exports, "multiplySecret");
  offer<pointByScalar<curve::addToPublicKey>>(exports, "addToPublicKey");
  offer<pointByScalar<curve::multiplyPublicKey>>(exports, "multiplyPublicKey");
  offer<keyByScalar<curve::addToPrivateKey>>(exports, "addToPrivateKey");
  offer<keyByScalar<curve::multiplyPrivateKey>>(exports, "multiplyPrivateKey");
  offer<negatePrivateKey>(exports, "negatePrivateKey");
  offer<convertPublicKey>(exports, "convertPublicKey");
  offer<combinePublicKeys>(exports, "combinePublicKeys");
  offer<keccak256Into>(exports, "keccak256Into");
  offer<batch<curve::Operation::kSign>>(exports, "signBatch");
  offer<batch<curve::Operation::kVerify>>(exports, "verifyBatch");
  offer<batch<curve::Operation::kRecover>>(exports, "recoverBatch");
  offer<batch<curve::Operation::kRecoverAddress>>(exports, "recoverAddressBatch");
  offer<batch<curve::Operation::kOneSigner>>(exports, "recoverOneSignerBatch");
  offer<batch<curve::Operation::kKeccak>>(exports, "keccak256Batch");
  offer<batchInPool<curve::Operation::kSign>>(exports, "signBatchInPool");
  offer<batchInPool<curve::Operation::kVerify>>(exports, "verifyBatchInPool");
  offer<batchInPool<curve::Operation::kRecover>>(exports, "recoverBatchInPool");
  offer<batchInPool<curve::Operation::kRecoverAddress>>(exports, "recoverAddressBatchInPool");
  offer<batchInPool<curve::Operation::kOneSigner>>(exports, "recoverOneSignerBatchInPool");
  offer<batchInPool<curve::Operation::kKeccak>>(exports, "keccak256BatchInPool");
  return exports;
}

} // namespace

NODE_API_MODULE(secp256k1, start)
