// An interpreter of the PTX that elementwise programs become; ptx.go lists the instructions. It runs each one for many threads at once. Branches
// only go forward, so a thread that has branched away waits until the others come to its label.
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <unordered_map>

#include "kernel.h"
#include "module.h"
#include "options.h"

uint16_t f32_to_f16(float x); // of warp.cpp
uint16_t f32_to_bf16(float x);
float f16_to_f32(uint16_t x);

namespace emulator {

namespace {

constexpr uint32_t lanes = 64; // that run together

struct Machine;
struct Op {
  void (*run)(Machine &m, const Op &o);
  const char *access;    // of memory: how its faults name it
  uint16_t rows[9];      // registers: results, then operands
  uint16_t results;
  int64_t offset;        // of an address
  uint32_t target;       // of a branch
  const HostFunction *function;
  uint8_t sizes[9];      // of the registers, in bytes
};

// Machine runs lanes threads. A row of its registers holds one of each.
struct Machine {
  uint64_t (*registers)[lanes];
  const Launch *launch;
  Shape block;
  uint32_t first, n;       // threads
  bool all;                // of the n are active
  bool active[lanes];
  uint32_t resume[lanes];  // the instruction at which one goes on
  uint32_t at;             // the current instruction

  template <class T> T *row(uint16_t r) { return (T *)registers[r]; }
  template <class F> void each(F f) {
    if (all) {
      for (uint32_t i = 0; i < n; i++) f(i);
      return;
    }
    for (uint32_t i = 0; i < n; i++)
      if (active[i]) f(i);
  }
};

typedef void (*Run)(Machine &m, const Op &o);

// Instruction is a name with what it does; its letters are the sizes of its operands: b, h, w, d for 1, 2, 4, 8 bytes.
struct Instruction {
  Run run;
  const char *operands;
};
typedef float f32;
typedef double f64;
typedef int32_t s32;
typedef int64_t s64;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint16_t u16;

#define UNARY(D, A, expression) \
  [](Machine &m, const Op &o) { \
    D *d = m.row<D>(o.rows[0]); \
    const A *a = m.row<A>(o.rows[1]); \
    m.each([&](u32 i) { A x = a[i]; d[i] = D(expression); }); \
  }
#define BINARY(D, A, expression) \
  [](Machine &m, const Op &o) { \
    D *d = m.row<D>(o.rows[0]); \
    const A *a = m.row<A>(o.rows[1]), *b = m.row<A>(o.rows[2]); \
    m.each([&](u32 i) { A x = a[i], y = b[i]; d[i] = D(expression); }); \
  }
#define TERNARY(D, A, C, expression) \
  [](Machine &m, const Op &o) { \
    D *d = m.row<D>(o.rows[0]); \
    const A *a = m.row<A>(o.rows[1]), *b = m.row<A>(o.rows[2]); \
    const C *c = m.row<C>(o.rows[3]); \
    m.each([&](u32 i) { A x = a[i], y = b[i]; C z = c[i]; d[i] = D(expression); }); \
  }

template <class T> T least(T x, T y) { return x < y || (x == y && std::signbit(x)) ? x : y; }
template <class T> T greatest(T x, T y) { return x > y || (x == y && !std::signbit(x)) ? x : y; }
template <class T> T or_nan(T x, T y, T z) { return x != x || y != y ? std::numeric_limits<T>::quiet_NaN() : z; }

template <class I, class F> I saturated(F x) {
  if (x != x) return 0;
  if (x >= F(std::numeric_limits<I>::max())) return std::numeric_limits<I>::max();
  if (x <= F(std::numeric_limits<I>::min())) return std::numeric_limits<I>::min();
  return I(x);
}

[[noreturn]] void misaligned(const Op &o, uintptr_t p) { fault(misaligned_address, "%s at an address that is %zu beyond its alignment", o.access, size_t(p % 16)); }

// load and store move Count values of type M between memory and registers of type R.
template <class M, class R, int Count> void load(Machine &m, const Op &o) {
  const uint64_t *base = m.row<uint64_t>(o.rows[Count]);
  m.each([&](u32 i) {
    uintptr_t p = base[i] + uint64_t(o.offset);
    if (p % (sizeof(M) * Count)) misaligned(o, p);
    for (int k = 0; k < Count; k++) m.row<R>(o.rows[k])[i] = R(((const M *)p)[k]);
  });
}
template <class M, class R, int Count> void store(Machine &m, const Op &o) {
  const uint64_t *base = m.row<uint64_t>(o.rows[0]);
  m.each([&](u32 i) {
    uintptr_t p = base[i] + uint64_t(o.offset);
    if (p % (sizeof(M) * Count)) misaligned(o, p);
    for (int k = 0; k < Count; k++) ((M *)p)[k] = M(m.row<R>(o.rows[k + 1])[i]);
  });
}
template <class T> void parameter(Machine &m, const Op &o) {
  const uint64_t *base = m.row<uint64_t>(o.rows[1]);
  T *d = m.row<T>(o.rows[0]);
  const char *start = (const char *)m.launch->params.data();
  m.each([&](u32 i) {
    uint64_t at = base[i] + uint64_t(o.offset) - uint64_t(start);
    if (at + sizeof(T) > m.launch->params.size() * sizeof(uint64_t) || at % sizeof(T)) fault(illegal_address, "reads byte %zd of its parameters", ssize_t(at));
    memcpy(&d[i], start + at, sizeof(T));
  });
}

void go(Machine &m, const Op &o) {
  m.each([&](u32 i) { m.resume[i] = o.target; });
}
void go_if(Machine &m, const Op &o) {
  const bool *p = m.row<bool>(o.rows[0]);
  m.each([&](u32 i) {
    if (p[i]) m.resume[i] = o.target;
  });
}
void leave(Machine &m, const Op &) {
  m.each([&](u32 i) { m.resume[i] = ~0u; });
}

void call(Machine &m, const Op &o) {
  m.each([&](u32 i) {
    uint64_t arguments[4] = {}, result;
    for (int k = 0; k < o.function->arguments; k++) memcpy(&arguments[k], m.row<char>(o.rows[k + 1]) + i * o.sizes[k + 1], o.sizes[k + 1]);
    o.function->call(arguments, &result);
    memcpy(m.row<char>(o.rows[0]) + i * o.sizes[0], &result, o.sizes[0]);
  });
}

template <u32 Shape::*Axis, bool Threads> void size_of_axis(Machine &m, const Op &o) {
  u32 *d = m.row<u32>(o.rows[0]);
  m.each([&](u32 i) { d[i] = Threads ? m.launch->block.*Axis : m.block.*Axis; });
}

void address_of_parameters(Machine &m, const Op &o) {
  uint64_t *d = m.row<uint64_t>(o.rows[0]);
  m.each([&](u32 i) { d[i] = uint64_t(m.launch->params.data()); });
}

void address_of_failed(Machine &m, const Op &o) {
  uint64_t *d = m.row<uint64_t>(o.rows[0]);
  m.each([&](u32 i) { d[i] = uint64_t(m.launch->failed); });
}

void thread_number(Machine &m, const Op &o) {
  u32 *d = m.row<u32>(o.rows[0]);
  m.each([&](u32 i) { d[i] = (m.first + i) % m.launch->block.x; });
}

const std::unordered_map<std::string, Instruction> &instructions() {
  static std::unordered_map<std::string, Instruction> table = {
      {"mov.u32 %ctaid.x", {size_of_axis<&Shape::x, false>, "w"}},
      {"mov.u32 %ctaid.y", {size_of_axis<&Shape::y, false>, "w"}},
      {"mov.u32 %ntid.x", {size_of_axis<&Shape::x, true>, "w"}},
      {"mov.u32 %tid.x", {thread_number, "w"}},
      {"mov.b64 p", {address_of_parameters, "d"}},
      {"ld.param.b64 [failed]", {address_of_failed, "d"}},
      {"mov.b32", {UNARY(u32, u32, x), "ww"}},
      {"mad.lo.u32", {TERNARY(u32, u32, u32, x * y + z), "wwww"}},
      {"mad.lo.u64", {TERNARY(u64, u64, u64, x * y + z), "dddd"}},
      {"mad.wide.u32", {TERNARY(u64, u32, u64, u64(x) * y + z), "dwwd"}},
      {"mul.hi.u32", {BINARY(u32, u32, u64(x) * y >> 32), "www"}},
      {"div.s32", {BINARY(s32, s32, y == 0 || y == -1 ? 0 : x / y), "www"}},
      {"rem.s32", {BINARY(s32, s32, y == 0 || y == -1 ? 0 : x % y), "www"}},
      {"div.s64", {BINARY(s64, s64, y == 0 || y == -1 ? 0 : x / y), "ddd"}},
      {"rem.s64", {BINARY(s64, s64, y == 0 || y == -1 ? 0 : x % y), "ddd"}},
      {"neg.s32", {UNARY(u32, u32, 0 - x), "ww"}},
      {"neg.s64", {UNARY(u64, u64, 0 - x), "dd"}},
      {"shl.b32", {BINARY(u32, u32, y > 31 ? 0 : x << y), "www"}},
      {"shr.u32", {BINARY(u32, u32, y > 31 ? 0 : x >> y), "www"}},
      {"min.s32", {BINARY(s32, s32, x < y ? x : y), "www"}},
      {"max.s32", {BINARY(s32, s32, x > y ? x : y), "www"}},
      {"min.s64", {BINARY(s64, s64, x < y ? x : y), "ddd"}},
      {"max.s64", {BINARY(s64, s64, x > y ? x : y), "ddd"}},
      {"min.NaN.f32", {BINARY(f32, f32, or_nan(x, y, least(x, y))), "www"}},
      {"max.NaN.f32", {BINARY(f32, f32, or_nan(x, y, greatest(x, y))), "www"}},
      {"min.f64", {BINARY(f64, f64, least(x, y)), "ddd"}},
      {"max.f64", {BINARY(f64, f64, greatest(x, y)), "ddd"}},
      {"setp.ge.u32", {BINARY(bool, u32, x >= y), "bww"}},
      {"cvt.rn.f32.f64", {UNARY(f32, f64, x), "wd"}},
      {"cvt.f64.f32", {UNARY(f64, f32, x), "dw"}},
      {"cvt.rn.f16.f32", {UNARY(u16, f32, f32_to_f16(x)), "hw"}},
      {"cvt.rn.bf16.f32", {UNARY(u16, f32, f32_to_bf16(x)), "hw"}},
      {"cvt.f32.f16", {UNARY(f32, u16, f16_to_f32(x)), "wh"}},
      {"cvt.u32.u16", {UNARY(u32, u16, x), "wh"}},
      {"cvt.u32.u64", {UNARY(u32, u64, x), "wd"}},
      {"cvt.u64.u32", {UNARY(u64, u32, x), "dw"}},
      {"cvt.s64.s32", {UNARY(s64, s32, x), "dw"}},
      {"ld.param.b32", {parameter<u32>, "w@"}},
      {"ld.param.f32", {parameter<u32>, "w@"}},
      {"ld.param.b64", {parameter<u64>, "d@"}},
      {"ld.param.f64", {parameter<u64>, "d@"}},
  };
#define ON_INTEGERS(suffix, T, sizes) \
  table["add." suffix] = {BINARY(T, T, x + y), sizes}; \
  table["sub." suffix] = {BINARY(T, T, x - y), sizes}; \
  table["mul.lo." suffix] = {BINARY(T, T, x * y), sizes};
#define ON_BITS(suffix, T, sizes) \
  table["and." suffix] = {BINARY(T, T, x & y), sizes}; \
  table["or." suffix] = {BINARY(T, T, x | y), sizes}; \
  table["xor." suffix] = {BINARY(T, T, x ^ y), sizes};
#define ON_FLOATS(suffix, T, size) \
  table["add.rn." suffix] = {BINARY(T, T, x + y), size size size}; \
  table["sub.rn." suffix] = {BINARY(T, T, x - y), size size size}; \
  table["mul.rn." suffix] = {BINARY(T, T, x * y), size size size}; \
  table["div.rn." suffix] = {BINARY(T, T, x / y), size size size}; \
  table["neg." suffix] = {UNARY(T, T, -x), size size}; \
  table["abs." suffix] = {UNARY(T, T, std::fabs(x)), size size}; \
  table["sqrt.rn." suffix] = {UNARY(T, T, std::sqrt(x)), size size}; \
  table["rcp.rn." suffix] = {UNARY(T, T, 1 / x), size size}; \
  table["cvt.rmi." suffix "." suffix] = {UNARY(T, T, std::floor(x)), size size}; \
  table["cvt.rpi." suffix "." suffix] = {UNARY(T, T, std::ceil(x)), size size}; \
  table["cvt.rzi." suffix "." suffix] = {UNARY(T, T, std::trunc(x)), size size}; \
  table["cvt.rni." suffix "." suffix] = {UNARY(T, T, std::rint(x)), size size}; \
  table["cvt.rzi.s32." suffix] = {UNARY(s32, T, saturated<s32>(x)), "w" size}; \
  table["cvt.rzi.s64." suffix] = {UNARY(s64, T, saturated<s64>(x)), "d" size}; \
  table["cvt.rn." suffix ".s32"] = {UNARY(T, s32, x), size "w"}; \
  table["cvt.rn." suffix ".s64"] = {UNARY(T, s64, x), size "d"}; \
  table["setp.neu." suffix] = {BINARY(bool, T, !(x == y)), "b" size size}; \
  table["setp.nan." suffix] = {BINARY(bool, T, x != x || y != y), "b" size size};
#define COMPARISONS(suffix, T, size) \
  table["setp.eq." suffix] = {BINARY(bool, T, x == y), "b" size size}; \
  table["setp.ne." suffix] = {BINARY(bool, T, x != y), "b" size size}; \
  table["setp.lt." suffix] = {BINARY(bool, T, x < y), "b" size size}; \
  table["setp.le." suffix] = {BINARY(bool, T, x <= y), "b" size size}; \
  table["setp.gt." suffix] = {BINARY(bool, T, x > y), "b" size size};
#define SELECTIONS(suffix, T, size) table["selp." suffix] = {TERNARY(T, T, bool, z ? x : y), size size size "b"};
#define MEMORY(suffix, M, R, size) \
  table["ld.global." suffix] = {load<M, R, 1>, size "@"}; \
  table["ld.global.v2." suffix] = {load<M, R, 2>, size size "@"}; \
  table["ld.global.v4." suffix] = {load<M, R, 4>, size size size size "@"}; \
  table["st.global." suffix] = {store<M, R, 1>, "@" size}; \
  table["st.global.v2." suffix] = {store<M, R, 2>, "@" size size}; \
  table["st.global.v4." suffix] = {store<M, R, 4>, "@" size size size size};
  if (table.count("add.u32")) return table;
  ON_INTEGERS("u32", u32, "www")
  ON_INTEGERS("u64", u64, "ddd")
  ON_BITS("b32", u32, "www")
  ON_BITS("b64", u64, "ddd")
  ON_FLOATS("f32", f32, "w")
  ON_FLOATS("f64", f64, "d")
  COMPARISONS("s32", s32, "w")
  COMPARISONS("s64", s64, "d")
  COMPARISONS("f32", f32, "w")
  COMPARISONS("f64", f64, "d")
  SELECTIONS("b32", u32, "w")
  SELECTIONS("b64", u64, "d")
  SELECTIONS("f32", u32, "w")
  SELECTIONS("f64", u64, "d")
  MEMORY("u8", uint8_t, u32, "w")
  MEMORY("b16", u16, u16, "h")
  MEMORY("b32", u32, u32, "w")
  MEMORY("b64", u64, u64, "d")
  MEMORY("f32", u32, u32, "w")
  MEMORY("f64", u64, u64, "d")
  return table;
}

} // namespace

struct Literal {
  uint16_t row;
  uint8_t size;
  uint64_t value;
};

struct Program {
  std::vector<Op> code;
  std::vector<Literal> literals;
  uint32_t rows = 0;
};

std::shared_ptr<Program> new_program() { return std::make_shared<Program>(); }

namespace {

struct Class {
  uint32_t first, count;
  uint8_t size;
};

class Parser {
public:
  Parser(const std::vector<std::string> &body, int first_line, Program *p) : body(body), first_line(first_line), p(p) {}

  std::string run() {
    for (at = 0; at < body.size() && why.empty(); at++) statement(body[at]);
    at = 0;
    for (auto &[op, label] : branches) {
      if (!labels.count(label))
        refuse("Label '" + label + "' is not defined");
      else if (labels[label] <= op)
        refuse("branches backward to '" + label + "'");
      else
        p->code[op].target = labels[label];
    }
    return why;
  }

private:
  const std::vector<std::string> &body;
  int first_line;
  Program *p;
  size_t at = 0;
  std::string why;
  std::map<std::string, Class> classes;
  std::map<std::string, uint32_t> labels;
  std::vector<std::pair<uint32_t, std::string>> branches;

  void refuse(const std::string &what) {
    if (why.empty()) why = "line " + std::to_string(first_line + int(at) + 1) + "; error: " + what;
  }

  void statement(std::string s) {
    if (s.empty()) return;
    if (s.back() == ':') {
      labels[s.substr(0, s.size() - 1)] = uint32_t(p->code.size());
      return;
    }
    if (s.back() != ';') return refuse("Parsing error near '" + s + "': syntax error");
    s.pop_back();
    size_t space = s.find_first_of(" \t");
    std::string name = s.substr(0, space), rest = space == std::string::npos ? "" : s.substr(space + 1);
    if (name == ".reg") return declare(rest);
    Op o = {};
    if (name[0] == '@') {
      if (rest.compare(0, 4, "bra ")) return refuse("only branches may be predicated");
      o.run = go_if;
      if (!operand(name.substr(1), 1, &o, 0)) return;
      return branch(o, rest.substr(4));
    }
    if (name == "bra") {
      o.run = go;
      return branch(o, rest);
    }
    if (name == "ret") {
      o.run = leave;
      p->code.push_back(o);
      return;
    }
    std::vector<std::string> operands = split(rest);
    if (name == "call.uni") return call_of(operands);
    if (name == "mov.u32" || (name == "mov.b64" && operands.back() == "p") || operands.back() == "[failed]") {
      name += " " + operands.back();
      operands.pop_back();
    }
    auto it = instructions().find(name);
    if (it == instructions().end()) return refuse("the emulator does not know the instruction '" + name + "'");
    o.run = it->second.run;
    o.access = it->first.c_str();
    const char *letters = it->second.operands;
    if (strlen(letters) != operands.size()) return refuse("'" + name + "' takes " + std::to_string(strlen(letters)) + " operands");
    for (size_t i = 0; i < operands.size(); i++)
      if (!operand(operands[i], letters[i], &o, i)) return;
    p->code.push_back(o);
  }

  void branch(Op &o, const std::string &label) {
    branches.push_back({uint32_t(p->code.size()), label});
    p->code.push_back(o);
  }

  void call_of(const std::vector<std::string> &operands) {
    Op o = {};
    o.run = call;
    o.function = host_function(operands[1]);
    if (!o.function) return refuse("the function '" + operands[1] + "' is not one of the host");
    if (int(operands.size()) != o.function->arguments + 2) return refuse("'" + operands[1] + "' takes " + std::to_string(o.function->arguments) + " arguments");
    if (!operand(operands[0], 0, &o, 0)) return;
    for (size_t i = 2; i < operands.size(); i++)
      if (!operand(operands[i], 0, &o, i - 1)) return;
    p->code.push_back(o);
  }

  // split cuts at commas and drops braces, parentheses and spaces.
  static std::vector<std::string> split(const std::string &s) {
    std::vector<std::string> parts(1);
    for (char c : s)
      if (c == ',')
        parts.emplace_back();
      else if (!strchr("{}() \t", c))
        parts.back() += c;
    return parts;
  }

  void declare(const std::string &rest) {
    size_t percent = rest.find('%'), open = rest.find('<');
    if (percent == std::string::npos || open == std::string::npos) return refuse("Parsing error near '.reg': syntax error");
    std::string kind = rest.substr(0, rest.find(' '));
    int size = kind == ".pred" ? 1 : kind == ".b16" ? 2 : kind == ".b32" || kind == ".f32" ? 4 : kind == ".b64" || kind == ".f64" ? 8 : 0;
    if (!size) return refuse("the emulator has no registers of type " + kind);
    uint32_t count = uint32_t(strtoul(rest.c_str() + open + 1, nullptr, 10));
    classes[rest.substr(percent, open - percent)] = {p->rows, count, uint8_t(size)};
    p->rows += count;
  }

  static int size_of(char letter) { return letter == 'b' ? 1 : letter == 'h' ? 2 : letter == 'w' ? 4 : letter == 'd' || letter == '@' ? 8 : letter; }

  // operand fills place i. A letter says the size that it must have; 0 any, 1 a predicate, @ an address.
  bool operand(std::string text, int letter, Op *o, size_t i) {
    int size = size_of(char(letter));
    if (letter == '@') {
      size_t plus = text.find('+');
      if (text.size() < 3 || text.front() != '[' || text.back() != ']') return refuse("'" + text + "' is no address"), false;
      if (plus != std::string::npos) o->offset = strtoll(text.c_str() + plus + 1, nullptr, 10);
      text = plus == std::string::npos ? text.substr(1, text.size() - 2) : text.substr(1, plus - 1);
    }
    if (text[0] != '%') return literal(text, size, o, i);
    size_t digit = text.find_first_of("0123456789");
    auto c = classes.find(text.substr(0, digit));
    if (digit == std::string::npos || c == classes.end()) return refuse("Unknown symbol '" + text + "'"), false;
    uint32_t n = uint32_t(strtoul(text.c_str() + digit, nullptr, 10));
    if (n >= c->second.count) return refuse("Unknown symbol '" + text + "'"), false;
    if (size && size != c->second.size) return refuse("Arguments mismatch: '" + text + "' has " + std::to_string(c->second.size) + " bytes"), false;
    o->rows[i] = uint16_t(c->second.first + n);
    o->sizes[i] = c->second.size;
    return true;
  }

  bool literal(const std::string &text, int size, Op *o, size_t i) {
    char *end;
    bool f = text.size() == 10 && text.compare(0, 2, "0f") == 0, d = text.size() == 18 && text.compare(0, 2, "0d") == 0;
    uint64_t value = f || d ? strtoull(text.c_str() + 2, &end, 16) : uint64_t(text[0] == '-' ? strtoll(text.c_str(), &end, 10) : (long long)strtoull(text.c_str(), &end, 10));
    if (text.empty() || *end || i == 0 || size == 0 || (f && size != 4) || (d && size != 8)) return refuse("Unknown symbol '" + text + "'"), false;
    o->rows[i] = uint16_t(p->rows);
    o->sizes[i] = uint8_t(size);
    p->literals.push_back({uint16_t(p->rows++), uint8_t(size), value});
    return true;
  }
};

// regroup finds who is active at the next instruction and skips what nobody runs.
void regroup(Machine &m) {
  uint32_t least = ~0u;
  for (uint32_t i = 0; i < m.n; i++) least = std::min(least, m.resume[i]);
  if (least > m.at) m.at = least;
  m.all = true;
  for (uint32_t i = 0; i < m.n; i++) {
    m.active[i] = m.resume[i] <= m.at;
    m.all &= m.active[i];
  }
}

} // namespace

std::string parse(const std::vector<std::string> &body, int first_line, Program *p) { return Parser(body, first_line, p).run(); }

void interpret(const Program &p, const Launch &l, Shape block) {
  static std::vector<bool> joins;
  joins.assign(p.code.size() + 1, false);
  for (const Op &o : p.code) joins[o.target] = o.target > 0;
  static std::vector<uint64_t> registers; // a fault leaves without a destructor
  registers.resize(p.rows * lanes);
  poison(registers.data(), registers.size() * sizeof(uint64_t));
  Machine m = {};
  m.registers = (uint64_t(*)[lanes])registers.data();
  m.launch = &l;
  m.block = block;
  for (const Literal &c : p.literals)
    for (uint32_t i = 0; i < lanes; i++) memcpy(m.row<char>(c.row) + i * c.size, &c.value, c.size);
  for (m.first = 0; m.first < l.block.count(); m.first += lanes) {
    m.n = std::min(lanes, uint32_t(l.block.count()) - m.first);
    memset(m.resume, 0, sizeof m.resume);
    m.at = 0;
    regroup(m);
    while (m.at < p.code.size()) {
      const Op &o = p.code[m.at++];
      o.run(m, o);
      if (o.target > 0 || o.run == leave || joins[m.at]) regroup(m);
    }
  }
}

} // namespace emulator
