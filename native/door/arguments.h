/*
 * What comes in from JavaScript and what goes back: every argument is looked at before it is used. These
 * checks keep the process alive whatever is passed; the friendly errors are those of the typed door in
 * src/native/, which looks at the same things first.
 */
#ifndef MESHBOX_DOOR_ARGUMENTS_H
#define MESHBOX_DOOR_ARGUMENTS_H

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace door {

/** Bytes that JavaScript owns: good until the call returns, and never on another thread. */
struct Bytes {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

inline void throwTypeError(Napi::Env env, const char* name, const char* allowed) {
  char text[160];
  snprintf(text, sizeof text, "%s: allowed: %s", name, allowed);
  Napi::TypeError::New(env, text).ThrowAsJavaScriptException();
}

inline void throwRangeError(Napi::Env env, const char* name, const char* allowed) {
  char text[160];
  snprintf(text, sizeof text, "%s: allowed: %s", name, allowed);
  Napi::RangeError::New(env, text).ThrowAsJavaScriptException();
}

/** A Uint8Array (a Buffer is one), whole or a part of its memory. False: a TypeError is pending. */
inline bool readBytes(const Napi::CallbackInfo& info, size_t index, const char* name, Bytes* out) {
  napi_value value = info[index];
  bool isTypedArray = false;
  napi_typedarray_type type = napi_int8_array;
  void* data = nullptr;
  size_t length = 0;
  if (napi_is_typedarray(info.Env(), value, &isTypedArray) == napi_ok && isTypedArray &&
      napi_get_typedarray_info(info.Env(), value, &type, &length, &data, nullptr, nullptr) == napi_ok && type == napi_uint8_array) {
    static const uint8_t nothing = 0; // an empty or detached array may come without memory
    out->data = length == 0 ? &nothing : static_cast<const uint8_t*>(data);
    out->length = length;
    return true;
  }
  throwTypeError(info.Env(), name, "a Uint8Array");
  return false;
}

/** The same, of exactly `length` bytes. False: a TypeError or RangeError is pending. */
inline bool readBytesOf(const Napi::CallbackInfo& info, size_t index, const char* name, size_t length, Bytes* out) {
  if (!readBytes(info, index, name, out)) return false;
  if (out->length == length) return true;
  char allowed[32];
  snprintf(allowed, sizeof allowed, "%zu bytes", length);
  throwRangeError(info.Env(), name, allowed);
  return false;
}

/** False: a TypeError is pending. */
inline bool readBoolean(const Napi::CallbackInfo& info, size_t index, const char* name, bool* out) {
  napi_valuetype type = napi_undefined;
  if (napi_typeof(info.Env(), info[index], &type) == napi_ok && type == napi_boolean &&
      napi_get_value_bool(info.Env(), info[index], out) == napi_ok)
    return true;
  throwTypeError(info.Env(), name, "true or false");
  return false;
}

/** A whole number from `low` to `high`. False: a TypeError or RangeError is pending. */
inline bool readWhole(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t low, uint32_t high, uint32_t* out) {
  napi_valuetype type = napi_undefined;
  double number = 0;
  char allowed[64];
  snprintf(allowed, sizeof allowed, "a whole number from %u to %u", low, high);
  if (napi_typeof(info.Env(), info[index], &type) != napi_ok || type != napi_number ||
      napi_get_value_double(info.Env(), info[index], &number) != napi_ok) {
    throwTypeError(info.Env(), name, allowed);
    return false;
  }
  if (!(number >= low && number <= high) || number != static_cast<double>(static_cast<uint32_t>(number))) {
    throwRangeError(info.Env(), name, allowed);
    return false;
  }
  *out = static_cast<uint32_t>(number);
  return true;
}

/**
 * A new Uint8Array of `length` bytes and where its bytes lie. Null, with an exception pending, if there is
 * no memory or the environment is closing.
 */
inline napi_value newBytes(napi_env env, size_t length, uint8_t** data) {
  napi_value memory = nullptr;
  napi_value array = nullptr;
  void* where = nullptr;
  if (napi_create_arraybuffer(env, length, &where, &memory) != napi_ok) return nullptr;
  if (napi_create_typedarray(env, napi_uint8_array, length, memory, 0, &array) != napi_ok) return nullptr;
  *data = static_cast<uint8_t*>(where);
  return array;
}

/** A new Uint8Array with a copy of these bytes. */
inline napi_value copyBytes(napi_env env, const uint8_t* bytes, size_t length) {
  uint8_t* data = nullptr;
  napi_value array = newBytes(env, length, &data);
  if (array != nullptr && length > 0) memcpy(data, bytes, length);
  return array;
}

} // namespace door

#endif
