// Streams, events and graphs. What is queued runs later, at moments that only the order of streams and events bounds.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace emulator {

// Work returns 0 or the code of what went wrong, which stays with the device.
typedef std::function<int()> Work;

struct Event {
  int device;
  long recorded = 0, reached = 0; // the last of each; an event that was recorded n times is reached n times
};

struct Item {
  Work work;                     // or, if there is none, a wait
  std::shared_ptr<Event> event;  // that is waited for
  long generation = 0;
  const void *memory = nullptr;  // pinned, that it will touch
};

struct Graph;

struct Stream {
  int device;
  std::deque<Item> items;
  Graph *capture = nullptr; // what records work in the place of running it
};

struct Node {
  Work work;
  size_t waits = 0; // for so many others
  std::vector<size_t> before; // these
};

struct Graph {
  int device;
  std::vector<Node> nodes; // those that wait come after those that they wait for
};

// lost is the code that every call returns since something went wrong on a device, 0 before.
constexpr int most_devices = 16;
extern int lost[most_devices];

void open_stream(Stream *s);
void close_stream(Stream *s);
// enqueue adds to what the stream has to do, or to the graph that captures it, behind what that has.
void enqueue(Stream *s, Item item);

// drain runs until the stream, the event's last record, or all streams are done.
void drain(Stream *s);
void drain(Event *e);
void drain_all();

// wander runs some of what may run, or nothing.
void wander();

// touches reports whether something queued will touch pinned memory at that address.
bool touches(const void *memory);

// run_graph runs the nodes in an order that their edges allow.
int run_graph(const Graph &g);

} // namespace emulator
