/*
 * A thread that carries messages between the kernel and one listener: requests one after the other on a
 * socket of their own, events on a second one.
 *
 * Why a thread and not libuv's poll: the kernel works on a request inside sendto(), and on the next part of
 * a dump inside recvmsg(), under locks (genl_mutex, rtnl) that a driver may hold for seconds while it resets
 * its firmware. On the loop's thread the whole service would stand still as long. All system calls, the
 * opening of the sockets too, are therefore made here; and since the thread is ours, it enters the network
 * namespace once and for ever.
 *
 * Why two sockets: a flood of events fills the buffer of one and cannot push out the answer on the other.
 */
#ifndef MESHBOX_GENETLINK_COURIER_H
#define MESHBOX_GENETLINK_COURIER_H

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "../door/netlink-socket.h"
#include "exchange.h"

namespace genetlink {

/** So much may wait to be heard by JavaScript; then the thread waits, and after it the kernel's buffers. */
constexpr size_t kBacklogBytes = 1024 * 1024;
/** Longest message that is sent: the attributes of a request are a few dozen bytes. */
constexpr size_t kRequestBytes = 65536;

enum class Task { request, dump, join, leave, index };

struct Job {
  explicit Job(Task what) : task(what), message(kRequestBytes) {}
  const Task task;
  /** By which the listener knows it again; not 0. */
  uint32_t ticket = 0;
  /** request, dump: the whole message; sequence and length are still to be written. */
  netlink::Writer message;
  uint16_t family = 0;
  size_t answerLimit = 0;
  /** join, leave: number of the multicast group. */
  uint32_t group = 0;
  /** index: name of an interface. */
  char name[16] = "";
  std::unique_ptr<Job> next;
};

enum class News { opened, done, event, lost, broken };

struct Delivery {
  explicit Delivery(News what, size_t limit = 0) : news(what), bytes(limit) {}
  const News news;
  uint32_t ticket = 0;
  int error = 0;
  bool isInterrupted = false;
  /** index: the interface's number. */
  uint32_t number = 0;
  Text text;
  netlink::Buffer bytes;
};

/** Who hears the news, on the courier's thread. */
class Recipient {
 public:
  virtual void deliver(std::unique_ptr<Delivery> delivery) = 0;
  /** The thread's last act. */
  virtual void leave() = 0;

 protected:
  ~Recipient() = default;
};

class Courier {
 public:
  explicit Courier(Recipient* recipient) : recipient_(recipient) {}
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /** `namespacePath` of length 0: this process' own. `protocol`: of netlink. 0, or the errno of what could not be made. */
  int start(const char* namespacePath, size_t pathLength, uint32_t receiveBytes, int protocol = NETLINK_GENERIC);
  void add(std::unique_ptr<Job> job);
  /** Forgets a job: nothing is delivered for it any more, unless that is on its way. */
  void cancel(uint32_t ticket);
  /** The thread ends as soon as the kernel lets it. Any number of times. */
  void stop();
  /** After stop(): waits for the end. Any number of times. */
  void join();
  /** The listener has heard a delivery: its bytes are counted off. */
  void heard(const Delivery& delivery);

 private:
  static void* main(void* self);
  void run();
  bool isToStop();
  bool open();
  void work();
  void takeJob(std::unique_ptr<Job> job);
  void ask(std::unique_ptr<Job> job);
  void finishAsking();
  void changeMembership(const Job& job);
  void lookUp(const Job& job);
  void readAnswers();
  void readEvents();
  void reopen();
  void deliver(std::unique_ptr<Delivery> delivery);
  void deliverDone(uint32_t ticket, int error);
  void wake();
  void emptyWake();

  Recipient* const recipient_;
  pthread_t thread_{};
  bool isRunning_ = false;
  std::unique_ptr<char[]> namespacePath_;
  uint32_t receiveBytes_ = 0;
  int protocol_ = NETLINK_GENERIC;
  int wakeFd_ = -1;
  std::atomic<size_t> backlog_{0};

  std::mutex lock_;
  // Under the lock:
  std::unique_ptr<Job> first_;
  Job* last_ = nullptr;
  uint32_t asking_ = 0;
  bool isCancelled_ = false;
  bool isStopped_ = false;

  // Of the thread alone:
  netlink::Socket requests_;
  netlink::Socket events_;
  std::unique_ptr<uint8_t[]> space_;
  std::unique_ptr<Exchange> exchange_;
  uint32_t ticket_ = 0;
  uint32_t sequence_ = 0;
  bool isListening_ = false;
};

} // namespace genetlink

#endif
