/*
 * Drives socket.h on loopback without Node, under AddressSanitizer and UndefinedBehaviorSanitizer: datagrams of any length,
 * rows that are spoilt between receive and answer, addresses that are none. Slots and table lie in heap blocks of exactly their size;
 * what comes out must be what went in, and an answer must be the beginning of what it answers.
 *
 * Usage: udp-fuzz <seconds> <seed>. Ends with the number of rounds; exit 1 at the first contradiction.
 */
#include <arpa/inet.h>
#include <poll.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "socket.h"

namespace {

using udp::Socket;

uint64_t state = 0;

/* splitmix64: a seed names the whole run. */
uint64_t next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }

void check(bool holds, const char* what) {
  if (holds) return;
  printf("contradiction: %s\n", what);
  exit(1);
}

/** The slots and the table of one socket. */
struct Place {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(udp::kSlots * udp::kSlotBytes);
  std::vector<int32_t> table = std::vector<int32_t>(udp::kSlots * udp::kRowWords);
  uint32_t take(Socket* socket) { return socket->receive(bytes.data(), table.data()); }
};

bool same(const uint8_t* bytes, const std::vector<uint8_t>& was) { return was.empty() || memcmp(bytes, was.data(), was.size()) == 0; }

bool isReadable(const Socket& socket, int patienceMs) {
  pollfd watched{socket.fd(), POLLIN, 0};
  return poll(&watched, 1, patienceMs) == 1;
}

size_t someLength() {
  switch (below(6)) {
    case 0: return 0;
    case 1: return 65'507 - below(3);
    case 2: return below(65'508);
    default: return below(300);
  }
}

/** Bytes go over and back, whatever the rows say in between. */
void exchange(Socket* server, Socket* client, const char* serverAddress, Place* here, Place* there) {
  std::vector<std::vector<uint8_t>> sent;
  // Not more than the kernel's buffers hold for certain.
  for (size_t left = 1 + below(3); left > 0; left--) {
    std::vector<uint8_t> datagram(someLength());
    for (uint8_t& byte : datagram) byte = static_cast<uint8_t>(next());
    check(client->send(datagram.data(), datagram.size(), serverAddress, server->port()) == 0, "a datagram was not taken");
    sent.push_back(datagram);
  }
  size_t seen = 0;
  while (seen < sent.size()) {
    check(isReadable(*server, 10'000), "a datagram did not come");
    const uint32_t count = here->take(server);
    check(count <= udp::kSlots && seen + count <= sent.size(), "more came than was sent");
    std::vector<std::vector<uint8_t>> answers;
    for (uint32_t slot = 0; slot < count; slot++, seen++) {
      int32_t* row = here->table.data() + slot * udp::kRowWords;
      uint8_t* bytes = here->bytes.data() + slot * udp::kSlotBytes;
      const std::vector<uint8_t>& was = sent[seen];
      check(static_cast<size_t>(row[0]) == was.size() && same(bytes, was), "a datagram was changed");
      check(row[1] == client->port() && row[4] == 0xffff && row[5] == 0x7f000001 && row[udp::kAnswerWord] == 0, "a row is wrong");
      char host[udp::kHostText];
      check(server->host(slot, host) && strcmp(host, "127.0.0.1") == 0, "a host is wrong");
      const int32_t answer = below(4) == 0 ? static_cast<int32_t>(next()) : static_cast<int32_t>(below(was.size() + 2));
      for (uint32_t word = 0; below(3) == 0 && word < udp::kRowWords; word++) row[word] = static_cast<int32_t>(next());
      row[udp::kAnswerWord] = answer;
      if (answer > 0 && static_cast<size_t>(answer) <= was.size()) answers.emplace_back(bytes, bytes + answer);
    }
    char nobody[udp::kHostText];
    check(!server->host(count, nobody), "an empty slot has a host");
    check(server->answer(here->bytes.data(), here->table.data()) == 0, "an answer was not taken");
    check(server->answer(here->bytes.data(), here->table.data()) == 0, "an answer was sent twice");
    for (size_t got = 0; got < answers.size();) {
      check(isReadable(*client, 10'000), "an answer did not come");
      const uint32_t came = there->take(client);
      for (uint32_t slot = 0; slot < came; slot++, got++) {
        check(got < answers.size() && static_cast<size_t>(there->table[slot * udp::kRowWords]) == answers[got].size(), "an answer has another length");
        check(same(there->bytes.data() + slot * udp::kSlotBytes, answers[got]), "an answer has other bytes");
      }
    }
  }
  check(!isReadable(*client, 0), "an answer that nobody asked for");
}

void strangeAddresses(Socket* server) {
  static const char kLetters[] = "0123456789abcdef:.%/ \x01\xff";
  char text[80];
  const size_t length = below(sizeof text);
  for (size_t at = 0; at < length; at++) text[at] = kLetters[below(sizeof kLetters - 1)];
  text[length] = 0;
  in_addr v4;
  if (inet_pton(AF_INET, text, &v4) == 1) return; // a true one, who knows whose
  if (server->send(nullptr, 0, text, 9) == 0) check(strchr(text, ':') != nullptr, "sent to no address");
}

} // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const time_t ends = time(nullptr) + atol(arguments[1]);
  state = strtoull(arguments[2], nullptr, 10);
  uint64_t rounds = 0;
  Place here, there;
  while (time(nullptr) < ends) {
    Socket server, client;
    const bool isBoth = below(2) == 0;
    const udp::Failure opened = server.open(isBoth ? "::ffff:127.0.0.1" : "127.0.0.1", 0, 1u << 20);
    check(opened.step == nullptr, opened.step);
    check(client.open("127.0.0.1", 0, 1u << 20).step == nullptr, "no client");
    Socket second;
    check(second.open("127.0.0.1", server.port(), 0).error == EADDRINUSE, "a port was given twice");
    for (int turn = 0; turn < 20; turn++, rounds++) {
      exchange(&server, &client, "127.0.0.1", &here, &there);
      strangeAddresses(&server);
    }
    server.close();
    check(here.take(&server) == 0 && server.port() == 0, "a closed socket hears");
  }
  printf("%llu rounds\n", static_cast<unsigned long long>(rounds));
  return 0;
}
