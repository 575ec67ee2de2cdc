#include "module.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "options.h"

namespace emulator {

namespace {

constexpr int newest_ptx = 84; // of a driver 12.4

bool starts(const std::string &line, const char *word) { return line.compare(0, strlen(word), word) == 0; }

// after returns the number that follows the text in the line, −1 if it is not there.
long after(const std::string &line, const char *text) {
  size_t at = line.find(text);
  return at == std::string::npos ? -1 : strtol(line.c_str() + at + strlen(text), nullptr, 10);
}

// name_of returns the word before the parenthesis that opens the parameters.
std::string name_of(const std::string &line) {
  size_t end = line.find('('), begin = line.rfind(' ', end);
  return line.substr(begin + 1, end - begin - 1);
}

// Reader goes through the text by lines, of which it drops indentation and comments.
struct Reader {
  const char *next;
  std::string *log, line;
  int number = 0;

  // read returns false at the end of the text.
  bool read() {
    if (!*next) return false;
    const char *begin = next + strspn(next, " \t"), *end = strchrnul(begin, '\n');
    next = *end ? end + 1 : end;
    number++;
    line.assign(begin, end);
    size_t comment = line.find("//");
    if (comment != std::string::npos) line.resize(comment);
    return true;
  }

  int refuse(int code, const std::string &why) {
    *log = "ptxas application ptx input, line " + std::to_string(number) + "; " + why;
    return code;
  }

  // entry reads from the line that names an entry to the brace that closes it.
  int entry(Module *m) {
    auto e = std::make_unique<EntryPoint>();
    e->name = name_of(line);
    while (read() && line != "{") {
      if (starts(line, ".param")) {
        long bytes = after(line, "[");
        bool address = starts(line, ".param .u64") || starts(line, ".param .b64");
        if (e->guarded || (e->bytes ? !address : bytes <= 0)) return refuse(invalid_ptx, "error: " + e->name + " takes something else than a struct and an address");
        e->bytes ? e->guarded = true : e->bytes = size_t(bytes);
      }
      long most = after(line, ".maxntid ");
      if (most > 0) e->most = uint32_t(most);
    }
    e->host = host_kernel(e->name);
    int first = number;
    std::vector<std::string> body;
    for (;;) {
      if (!read()) return refuse(invalid_ptx, "fatal: Parsing error near '': syntax error");
      if (line == "}") break;
      if (starts(line, ".shared") && after(line, "[") > 0) e->shared += uint32_t(after(line, "["));
      if (!e->host) body.push_back(line);
    }
    if (e->host && e->host->bytes != e->bytes)
      return refuse(invalid_ptx, "error: " + e->name + " takes " + std::to_string(e->bytes) + " bytes here and " + std::to_string(e->host->bytes) + " on the host");
    if (!e->host) {
      auto p = new_program();
      std::string why = parse(body, first, p.get());
      if (!why.empty()) {
        *log = "ptxas application ptx input, " + why;
        return invalid_ptx;
      }
      e->program = p;
    }
    m->entries.push_back(std::move(e));
    return 0;
  }
};

} // namespace

int load(const char *text, Module *m, std::string *log) {
  Reader r{text, log, {}};
  bool version = false, target = false;
  while (r.read()) {
    int major, minor;
    if (starts(r.line, ".version") && sscanf(r.line.c_str(), ".version %d.%d", &major, &minor) == 2) {
      version = true;
      if (major * 10 + minor > newest_ptx) return r.refuse(unsupported_version, "fatal: Unsupported .version " + r.line.substr(9));
    } else if (starts(r.line, ".target")) {
      target = true;
      if (after(r.line, "sm_") > options.capability) return r.refuse(no_binary, "fatal: the GPU is older than the .target");
    } else if (starts(r.line, ".visible .entry ")) {
      if (int code = r.entry(m)) return code;
    } else if (!version && !r.line.empty()) {
      return r.refuse(invalid_ptx, "fatal: Missing .version directive at start of file '<unknown>'");
    }
  }
  if (!version || !target) return r.refuse(invalid_ptx, "fatal: Missing .version or .target directive");
  return 0;
}

} // namespace emulator
