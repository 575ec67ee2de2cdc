#include "options.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

extern char **environ;

namespace emulator {

Options options;

namespace {

const char prefix[] = "WEIR_EMULATOR_";
std::string read; // the variables, as last read
bool first = true;
uint64_t state;

const char *text(const char *name, const char *otherwise) {
  const char *value = getenv((prefix + std::string(name)).c_str());
  return value && *value ? value : otherwise;
}

uint64_t number(const char *name, uint64_t otherwise) {
  const char *value = text(name, nullptr);
  return value ? strtoull(value, nullptr, 0) : otherwise;
}

// chosen returns the indices of the value's words among the names, the first where one is not there.
template <class T> std::vector<T> chosen(const char *name, std::initializer_list<const char *> names) {
  std::vector<T> all;
  std::istringstream value(text(name, *names.begin()));
  for (std::string word; std::getline(value, word, ',');) {
    auto it = std::find(names.begin(), names.end(), word);
    all.push_back(it == names.end() ? T(0) : T(it - names.begin()));
  }
  return all;
}

std::string variables() {
  std::string all;
  for (char **v = environ; *v; v++)
    if (!strncmp(*v, prefix, sizeof prefix - 1)) all += std::string(*v) + '\n';
  return all;
}

} // namespace

bool read_options() {
  std::string now = variables();
  if (!first && now == read) return false;
  first = false;
  read = now;
  Options o;
  o.seed = number("SEED", o.seed);
  o.order = chosen<Order>("ORDER", {"random", "forward", "reverse"});
  o.copies = chosen<Copies>("COPIES", {"random", "eager", "lazy"});
  o.deferred = chosen<int>("STREAMS", {"deferred", "eager"})[0] == 0;
  o.memory = number("MEMORY", o.memory);
  o.devices = std::min(int(number("DEVICES", o.devices)), 16);
  o.capability = int(number("CAPABILITY", o.capability));
  o.version = int(number("VERSION", o.version));
  o.cublaslt = int(number("CUBLASLT", o.cublaslt));
  o.pools = number("POOLS", 1) != 0;
  o.fail_at = long(number("FAIL_AT", 0));
  o.fail_call = text("FAIL_CALL", "");
  o.fail_code = int(number("FAIL_CODE", o.fail_code));
  o.fail_sticky = number("FAIL_STICKY", 0) != 0;
  o.fault_at = long(number("FAULT_AT", 0));
  o.shared = number("SHARED", 0) != 0;
  o.leaks = number("LEAKS", 0) != 0;
  o.log = text("LOG", "");
  options = o;
  state = o.seed * 0x9E3779B97F4A7C15 + 1;
  return true;
}

uint32_t below(uint32_t n) {
  state ^= state << 13; // xorshift64 of Marsaglia, "Xorshift RNGs" (2003)
  state ^= state >> 7;
  state ^= state << 17;
  return uint32_t((state >> 32) * n >> 32);
}

void poison(void *p, size_t bytes) {
  uint16_t halves = options.seed % 2 ? 0x7fff : 0xffff;
  uint64_t word = halves * 0x0001000100010001u;
  size_t whole = bytes / sizeof word * sizeof word;
  char *to = static_cast<char *>(p);
  for (size_t i = 0; i < whole; i += sizeof word) memcpy(to + i, &word, sizeof word);
  memcpy(to + whole, &word, bytes - whole);
}

} // namespace emulator
