/* See courier.h. */
#include "courier.h"

#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace genetlink {

namespace {

/** Datagrams read before anything else gets its turn. */
constexpr int kDatagramsInARow = 32;
/** What a delivery weighs besides its bytes. */
constexpr size_t kDeliveryBytes = 512;

size_t weightOf(const Delivery& delivery) { return kDeliveryBytes + delivery.bytes.length(); }

} // namespace

Courier::~Courier() {
  stop();
  join();
  // One after the other: a long chain must not be undone by recursion.
  while (first_) first_ = std::move(first_->next);
  if (wakeFd_ >= 0) close(wakeFd_);
}

int Courier::start(const char* namespacePath, size_t pathLength, uint32_t receiveBytes, int protocol) {
  receiveBytes_ = receiveBytes;
  protocol_ = protocol;
  space_.reset(new (std::nothrow) uint8_t[netlink::kDatagramBytes]);
  namespacePath_.reset(pathLength == 0 ? nullptr : new (std::nothrow) char[pathLength + 1]);
  if (!space_ || (pathLength > 0 && !namespacePath_)) return ENOMEM;
  if (pathLength > 0) {
    memcpy(namespacePath_.get(), namespacePath, pathLength);
    namespacePath_[pathLength] = '\0';
  }
  wakeFd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeFd_ < 0) return errno;
  const int error = pthread_create(&thread_, nullptr, main, this);
  isRunning_ = error == 0;
  return error;
}

void Courier::add(std::unique_ptr<Job> job) {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    Job* const added = job.get();
    if (last_ == nullptr)
      first_ = std::move(job);
    else
      last_->next = std::move(job);
    last_ = added;
  }
  wake();
}

void Courier::cancel(uint32_t ticket) {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    if (asking_ == ticket) isCancelled_ = true;
    Job* before = nullptr;
    for (Job* job = first_.get(); job != nullptr; before = job, job = job->next.get()) {
      if (job->ticket != ticket) continue;
      if (job == last_) last_ = before;
      std::unique_ptr<Job>& link = before == nullptr ? first_ : before->next;
      link = std::move(job->next);
      break;
    }
  }
  wake();
}

void Courier::stop() {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    isStopped_ = true;
  }
  wake();
}

void Courier::join() {
  if (!isRunning_) return;
  isRunning_ = false;
  pthread_join(thread_, nullptr);
}

void Courier::heard(const Delivery& delivery) {
  const size_t weight = weightOf(delivery);
  const size_t before = backlog_.fetch_sub(weight);
  if (before >= kBacklogBytes && before - weight < kBacklogBytes) wake();
}

void Courier::wake() {
  const uint64_t one = 1;
  // EAGAIN: it is full, so the thread will wake anyway.
  while (wakeFd_ >= 0 && write(wakeFd_, &one, sizeof one) < 0 && errno == EINTR) continue;
}

void Courier::emptyWake() {
  uint64_t count = 0;
  while (read(wakeFd_, &count, sizeof count) < 0 && errno == EINTR) continue;
}

void* Courier::main(void* self) {
  Courier* const courier = static_cast<Courier*>(self);
  // Signals are for Node's own threads, as with libuv's.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  courier->run();
  courier->recipient_->leave();
  return nullptr;
}

void Courier::run() {
  if (open()) work();
  exchange_.reset();
  requests_.close();
  events_.close();
  // Whoever owns us may still hand over jobs: the end is theirs to say.
  while (!isToStop()) {
    pollfd ready{wakeFd_, POLLIN, 0};
    if (poll(&ready, 1, -1) > 0) emptyWake();
  }
}

bool Courier::isToStop() {
  const std::lock_guard<std::mutex> guard(lock_);
  return isStopped_;
}

bool Courier::open() {
  netlink::OpenFailure failure;
  if (namespacePath_) failure = netlink::enterNamespace(namespacePath_.get());
  if (failure.step == nullptr) failure = requests_.open(protocol_, nullptr, receiveBytes_);
  if (failure.step == nullptr) failure = events_.open(protocol_, nullptr, receiveBytes_);
  std::unique_ptr<Delivery> opened(new (std::nothrow) Delivery(News::opened));
  if (!opened) return false;
  opened->error = failure.error;
  if (failure.step != nullptr) opened->text.set({reinterpret_cast<const uint8_t*>(failure.step), strlen(failure.step)});
  deliver(std::move(opened));
  return failure.step == nullptr;
}

void Courier::work() {
  while (requests_.isOpen()) {
    const bool isHeard = backlog_.load() < kBacklogBytes;
    std::unique_ptr<Job> job;
    bool wasCancelled = false;
    {
      const std::lock_guard<std::mutex> guard(lock_);
      if (isStopped_) return;
      wasCancelled = isCancelled_ && exchange_;
      isCancelled_ = false;
      if (wasCancelled) asking_ = 0;
      if (first_ && isHeard && (wasCancelled || !exchange_)) {
        job = std::move(first_);
        first_ = std::move(job->next);
        if (!first_) last_ = nullptr;
        if (job->task == Task::request || job->task == Task::dump) asking_ = job->ticket;
      }
    }
    if (wasCancelled) {
      exchange_.reset();
      reopen(); // what is still to come must not meet the next request
    }
    if (job) {
      takeJob(std::move(job));
      continue;
    }
    pollfd ready[3] = {{wakeFd_, POLLIN, 0}, {exchange_ ? requests_.fd() : -1, POLLIN, 0}, {isListening_ && isHeard ? events_.fd() : -1, POLLIN, 0}};
    if (poll(ready, 3, -1) < 0) continue;
    if (ready[0].revents != 0) emptyWake();
    if (ready[1].revents != 0) readAnswers();
    if (ready[2].revents != 0) readEvents();
  }
}

void Courier::takeJob(std::unique_ptr<Job> job) {
  switch (job->task) {
    case Task::request:
    case Task::dump: return ask(std::move(job));
    case Task::join:
    case Task::leave: return changeMembership(*job);
    case Task::index: return lookUp(*job);
  }
}

void Courier::ask(std::unique_ptr<Job> job) {
  if (++sequence_ == 0) sequence_ = 1; // 0 is the number of events
  ticket_ = job->ticket;
  job->message.setSequence(0, sequence_);
  exchange_.reset(new (std::nothrow) Exchange(sequence_, requests_.port(), job->family, job->answerLimit));
  if (!exchange_) {
    const std::lock_guard<std::mutex> guard(lock_);
    asking_ = 0;
    return deliverDone(ticket_, ENOMEM);
  }
  const int error = requests_.send(job->message.slice());
  if (error != 0) {
    exchange_->fail(error);
    return finishAsking();
  }
  readAnswers(); // the kernel has mostly answered by now
}

void Courier::readAnswers() {
  for (int i = 0; exchange_ && i < kDatagramsInARow; i++) {
    netlink::Slice datagram;
    int error = 0;
    switch (requests_.receive(space_.get(), &datagram, &error)) {
      case netlink::Received::nothing: return;
      case netlink::Received::datagram: exchange_->take(datagram); break;
      case netlink::Received::truncated: exchange_->fail(EMSGSIZE); break;
      case netlink::Received::lost: exchange_->fail(ENOBUFS); break;
      case netlink::Received::failed: exchange_->fail(error); break;
    }
    if (exchange_->isOver()) return finishAsking();
  }
}

void Courier::finishAsking() {
  std::unique_ptr<Exchange> over = std::move(exchange_);
  bool wasCancelled = false;
  {
    const std::lock_guard<std::mutex> guard(lock_);
    wasCancelled = isCancelled_;
    isCancelled_ = false;
    asking_ = 0;
  }
  if (!wasCancelled) {
    std::unique_ptr<Delivery> done(new (std::nothrow) Delivery(News::done, over->answers().length()));
    if (done) {
      done->ticket = ticket_;
      done->error = over->error();
      done->isInterrupted = over->isInterrupted();
      done->text = over->text();
      if (over->error() == 0 && !done->bytes.append(over->answers().data(), over->answers().length())) done->error = ENOMEM;
      deliver(std::move(done));
    }
  }
  if (over->isUnfinished()) reopen();
}

void Courier::changeMembership(const Job& job) {
  const bool joins = job.task == Task::join;
  const int error = events_.setMembership(job.group, joins);
  if (joins && error == 0) isListening_ = true;
  deliverDone(job.ticket, error);
}

void Courier::lookUp(const Job& job) {
  std::unique_ptr<Delivery> done(new (std::nothrow) Delivery(News::done));
  if (!done) return;
  done->ticket = job.ticket;
  done->number = if_nametoindex(job.name); // of this thread's namespace
  done->error = done->number == 0 ? errno : 0;
  deliver(std::move(done));
}

void Courier::readEvents() {
  for (int i = 0; i < kDatagramsInARow && backlog_.load() < kBacklogBytes; i++) {
    netlink::Slice datagram;
    int error = 0;
    const netlink::Received received = events_.receive(space_.get(), &datagram, &error);
    if (received == netlink::Received::nothing) return;
    const bool isWhole = received == netlink::Received::datagram;
    std::unique_ptr<Delivery> delivery(new (std::nothrow) Delivery(isWhole ? News::event : News::lost, netlink::kDatagramBytes + 4));
    if (!delivery) return;
    delivery->error = received == netlink::Received::failed ? error : 0;
    if (isWhole && !gatherEvents(datagram, &delivery->bytes)) continue;
    deliver(std::move(delivery));
    if (received == netlink::Received::failed) isListening_ = false; // it would fail for ever
    if (!isListening_) return;
  }
}

void Courier::reopen() {
  const netlink::OpenFailure failure = requests_.open(protocol_, nullptr, receiveBytes_);
  if (failure.step == nullptr) return;
  std::unique_ptr<Delivery> broken(new (std::nothrow) Delivery(News::broken));
  if (broken) {
    broken->error = failure.error;
    broken->text.set({reinterpret_cast<const uint8_t*>(failure.step), strlen(failure.step)});
    deliver(std::move(broken));
  }
}

void Courier::deliverDone(uint32_t ticket, int error) {
  std::unique_ptr<Delivery> done(new (std::nothrow) Delivery(News::done));
  if (!done) return;
  done->ticket = ticket;
  done->error = error;
  deliver(std::move(done));
}

void Courier::deliver(std::unique_ptr<Delivery> delivery) {
  backlog_.fetch_add(weightOf(*delivery));
  recipient_->deliver(std::move(delivery));
}

} // namespace genetlink
