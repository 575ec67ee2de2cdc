#include "stream.h"

#include <algorithm>

#include "options.h"

namespace emulator {

int lost[most_devices];

namespace {

std::vector<Stream *> streams;

bool runnable(const Stream *s) {
  if (s->items.empty()) return false;
  const Item &i = s->items.front();
  return !i.event || i.event->reached >= i.generation;
}

void step(Stream *s) {
  Item item = std::move(s->items.front());
  s->items.pop_front();
  int &code = lost[s->device];
  if (!item.event && !code) code = item.work();
}

Stream *any_runnable() {
  std::vector<Stream *> able;
  std::copy_if(streams.begin(), streams.end(), std::back_inserter(able), runnable);
  return able.empty() ? nullptr : able[below(uint32_t(able.size()))];
}

template <class Done> void run_until(Done done) {
  while (!done()) {
    Stream *s = any_runnable();
    if (!s) break; // nothing can wait for what was not queued before it
    step(s);
  }
}

} // namespace

void open_stream(Stream *s) { streams.push_back(s); }
void close_stream(Stream *s) { streams.erase(std::find(streams.begin(), streams.end(), s)); }

void enqueue(Stream *s, Item item) {
  if (s->capture) {
    std::vector<Node> &nodes = s->capture->nodes;
    if (!nodes.empty()) nodes.back().before.push_back(nodes.size());
    nodes.push_back({std::move(item.work), size_t(!nodes.empty()), {}});
    return;
  }
  s->items.push_back(std::move(item));
  if (!options.deferred) drain(s);
}

void drain(Stream *s) {
  run_until([s] { return s->items.empty(); });
}

void drain(Event *e) {
  long generation = e->recorded;
  run_until([=] { return e->reached >= generation; });
}

void drain_all() {
  run_until([] { return false; });
}

void wander() {
  while (below(3) == 0) {
    Stream *s = any_runnable();
    if (!s) return;
    step(s);
  }
}

bool touches(const void *memory) {
  for (const Stream *s : streams)
    for (const Item &i : s->items)
      if (i.memory == memory) return true;
  return false;
}

int run_graph(const Graph &g) {
  std::vector<size_t> waits, ready;
  for (const Node &n : g.nodes) {
    if (!n.waits) ready.push_back(waits.size());
    waits.push_back(n.waits);
  }
  while (!ready.empty()) {
    std::swap(ready[below(uint32_t(ready.size()))], ready.back());
    const Node &n = g.nodes[ready.back()];
    ready.pop_back();
    if (int code = n.work()) return code;
    for (size_t later : n.before)
      if (--waits[later] == 0) ready.push_back(later);
  }
  return 0;
}

} // namespace emulator
