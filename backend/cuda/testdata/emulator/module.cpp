#include "module.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

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

struct Reader {
  std::vector<std::string> lines;
  size_t at = 0;
  std::string *log;

  explicit Reader(const char *text, std::string *log) : log(log) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      size_t comment = line.find("//"), begin = line.find_first_not_of(" \t");
      if (comment != std::string::npos) line.resize(comment);
      lines.push_back(begin == std::string::npos || begin >= line.size() ? "" : line.substr(begin));
    }
  }

  int refuse(int code, const std::string &why) {
    *log = "ptxas application ptx input, line " + std::to_string(at + 1) + "; " + why;
    return code;
  }

  // entry reads from the line that names an entry to the brace that closes it.
  int entry(Module *m) {
    auto e = std::make_unique<EntryPoint>();
    e->name = name_of(lines[at]);
    std::vector<std::string> body;
    for (; at < lines.size() && lines[at] != "{"; at++) {
      if (starts(lines[at], ".param")) {
        long bytes = after(lines[at], "[");
        bool address = starts(lines[at], ".param .u64") || starts(lines[at], ".param .b64");
        if (e->guarded || (e->bytes ? !address : bytes <= 0)) return refuse(invalid_ptx, "error: " + e->name + " takes something else than a struct and an address");
        e->bytes ? e->guarded = true : e->bytes = size_t(bytes);
      }
      long most = after(lines[at], ".maxntid ");
      if (most > 0) e->most = uint32_t(most);
    }
    size_t first = at + 1;
    for (at++; at < lines.size() && lines[at] != "}"; at++) {
      body.push_back(lines[at]);
      if (starts(lines[at], ".shared") && after(lines[at], "[") > 0) e->shared += uint32_t(after(lines[at], "["));
    }
    if (at >= lines.size()) return refuse(invalid_ptx, "fatal: Parsing error near '': syntax error");
    e->host = host_kernel(e->name);
    if (e->host && e->host->bytes != e->bytes)
      return refuse(invalid_ptx, "error: " + e->name + " takes " + std::to_string(e->bytes) + " bytes here and " + std::to_string(e->host->bytes) + " on the host");
    if (!e->host) {
      auto p = new_program();
      std::string why = parse(body, int(first), p.get());
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
  Reader r(text, log);
  bool version = false, target = false;
  for (; r.at < r.lines.size(); r.at++) {
    const std::string &line = r.lines[r.at];
    int major, minor;
    if (sscanf(line.c_str(), ".version %d.%d", &major, &minor) == 2) {
      version = true;
      if (major * 10 + minor > newest_ptx) return r.refuse(unsupported_version, "fatal: Unsupported .version " + line.substr(9));
    } else if (starts(line, ".target")) {
      target = true;
      if (after(line, "sm_") > options.capability) return r.refuse(no_binary, "fatal: the GPU is older than the .target");
    } else if (line.find(".entry ") != std::string::npos) {
      int code = r.entry(m);
      if (code) return code;
    } else if (!version && !line.empty()) {
      return r.refuse(invalid_ptx, "fatal: Missing .version directive at start of file '<unknown>'");
    }
  }
  if (!version || !target) return r.refuse(invalid_ptx, "fatal: Missing .version or .target directive");
  return 0;
}

} // namespace emulator
