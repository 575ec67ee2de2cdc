// The driver's calls about modules, their functions and launches.
#include "api.h"

#include <cstdio>
#include <cstring>

namespace emulator {

long launches;

int run_kernel(const Launch &l) {
  if (++launches == options.fault_at) {
    fault_text = l.name + ": was told to fail";
    return illegal_address;
  }
  int code = run(l);
  if (code) complain(code, fault_text);
  return code;
}

int prepare(void *function, Shape grid, Shape block, unsigned shared, void **params, Launch *l) {
  EntryPoint *e = (EntryPoint *)function;
  if (!current->functions.count(e)) return invalid_handle;
  if (!grid.count() || !block.count() || grid.y > 65535 || grid.z > 65535 || grid.x > 0x7fffffff) return complain(invalid_value, e->name + ": grid or block out of range");
  if (block.count() > e->most || block.z > 64) return complain(invalid_value, e->name + ": " + std::to_string(block.count()) + " threads; it takes " + std::to_string(e->most));
  if (e->shared + shared > e->allowed) return complain(invalid_value, e->name + ": " + std::to_string(e->shared + shared) + " bytes of shared memory; it may have " + std::to_string(e->allowed));
  if (!params) return invalid_value;
  *l = {current->device, e->name, e->host ? e->host->entry : nullptr, e->program.get(), grid, block, shared, std::vector<uint64_t>((e->bytes + 7) / 8), nullptr};
  memcpy(l->params.data(), params[0], e->bytes);
  if (e->guarded) memcpy(&l->failed, params[1], sizeof l->failed);
  return success;
}

} // namespace emulator

using namespace emulator;

API cuModuleLoadDataEx(void **module, const void *image, unsigned n, int *keys, void **values) {
  ENTER("cuModuleLoadDataEx")
  auto m = std::make_unique<Module>();
  std::string log;
  int code = load((const char *)image, m.get(), &log);
  char *buffer = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < n; i++) {
    if (keys[i] == 5) buffer = (char *)values[i];
    if (keys[i] == 6) size = size_t(values[i]);
  }
  if (buffer && size) snprintf(buffer, size, "%s", log.c_str());
  if (code) return code;
  for (auto &e : m->entries) current->functions[e.get()] = m.get();
  current->modules.insert(m.get());
  *module = m.release();
  return success;
}

API cuModuleUnload(void *module) {
  ENTER("cuModuleUnload")
  if (!has(current->modules, module)) return invalid_handle;
  drain_all();
  for (auto it = current->functions.begin(); it != current->functions.end();)
    it = it->second == module ? current->functions.erase(it) : std::next(it);
  return erase_from(current->modules, module);
}

API cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER("cuModuleGetFunction")
  if (!has(current->modules, module)) return invalid_handle;
  for (auto &e : ((Module *)module)->entries)
    if (e->name == name) {
      *function = e.get();
      return success;
    }
  return not_found;
}

API cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute")
  EntryPoint *e = (EntryPoint *)function;
  if (!current->functions.count(e)) return invalid_handle;
  uint32_t most = options.capability >= 90 ? 232448 : 166912;
  if (attribute != 8 || value < 0 || e->shared + uint32_t(value) > most) return invalid_value;
  e->allowed = e->shared + uint32_t(value);
  return success;
}

API cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream, void **params, void **) {
  ENTER("cuLaunchKernel")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  auto l = std::make_shared<Launch>();
  if (int code = prepare(function, {gx, gy, gz}, {bx, by, bz}, shared, params, l.get())) return code;
  enqueue(s, {[l] { return run_kernel(*l); }, nullptr});
  return success;
}
