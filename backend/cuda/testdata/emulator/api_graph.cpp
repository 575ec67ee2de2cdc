// The driver's calls about graphs.
#include "api.h"

using namespace emulator;

namespace {

// The layouts of the driver's structs.
struct KernelNodeParams {
  void *function;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
};
struct Place {
  size_t x, y, z, lod;
  int type;
  const void *host;
  uint64_t device;
  void *array, *reserved;
  size_t pitch, height;
};
struct CopyNodeParams {
  Place src, dst;
  size_t width, height, depth;
};
struct FillNodeParams {
  uint64_t dst;
  size_t pitch;
  unsigned value, size;
  size_t width, height;
};
// The handle of a node is its number, from 1.
int add_node(void **node, void *graph, void *const *after, size_t n, Work work) {
  if (!has(current->graphs, graph)) return invalid_handle;
  std::vector<Node> &nodes = ((Graph *)graph)->nodes;
  for (size_t i = 0; i < n; i++)
    if (!after[i] || size_t(after[i]) > nodes.size()) return invalid_value;
  for (size_t i = 0; i < n; i++) nodes[size_t(after[i]) - 1].before.push_back(nodes.size());
  nodes.push_back({std::move(work), n, {}});
  *node = (void *)nodes.size();
  return success;
}

} // namespace

API cuGraphCreate(void **graph, unsigned) {
  ENTER("cuGraphCreate")
  Graph *g = new Graph{current->device, {}};
  current->graphs.insert(g);
  *graph = g;
  return success;
}

API cuGraphDestroy(void *graph) {
  ENTER("cuGraphDestroy")
  return erase_from(current->graphs, graph);
}

API cuGraphAddKernelNode(void **node, void *graph, void *const *after, size_t n, const void *params) {
  ENTER("cuGraphAddKernelNode")
  const KernelNodeParams *k = (const KernelNodeParams *)params;
  auto l = std::make_shared<Launch>();
  Shape grid = {k->grid[0], k->grid[1], k->grid[2]}, block = {k->block[0], k->block[1], k->block[2]};
  if (int code = prepare(k->function, grid, block, k->shared, k->params, l.get())) return code;
  return add_node(node, graph, after, n, [l] { return run_kernel(*l); });
}

API cuGraphAddMemcpyNode(void **node, void *graph, void *const *after, size_t n, const void *params, void *context) {
  ENTER("cuGraphAddMemcpyNode")
  const CopyNodeParams *c = (const CopyNodeParams *)params;
  if (context != current || c->height != 1 || c->depth != 1 || c->src.type != 2 || c->dst.type != 2) return complain(invalid_value, "only copies of bytes on the device are emulated in graphs");
  uint64_t dst = c->dst.device + c->dst.x, src = c->src.device + c->src.x;
  size_t bytes = c->width;
  return add_node(node, graph, after, n, [=] { return copy_node(dst, src, bytes); });
}

API cuGraphAddMemsetNode(void **node, void *graph, void *const *after, size_t n, const void *params, void *context) {
  ENTER("cuGraphAddMemsetNode")
  const FillNodeParams *f = (const FillNodeParams *)params;
  if (context != current || f->height != 1 || f->size != 1) return complain(invalid_value, "only fills of bytes are emulated in graphs");
  uint64_t dst = f->dst;
  int value = int(f->value);
  size_t bytes = f->width;
  return add_node(node, graph, after, n, [=] { return fill_node(dst, value, bytes); });
}

// A child graph is copied, and its nodes run as one.
API cuGraphAddChildGraphNode(void **node, void *graph, void *const *after, size_t n, void *child) {
  ENTER("cuGraphAddChildGraphNode")
  if (!has(current->graphs, child)) return invalid_handle;
  auto copy = std::make_shared<Graph>(*(Graph *)child);
  return add_node(node, graph, after, n, [copy] { return run_graph(*copy); });
}

// Only a capture that lets other threads go on is emulated.
API cuStreamBeginCapture_v2(void *stream, int mode) {
  ENTER("cuStreamBeginCapture_v2")
  Stream *s = stream_of(stream);
  if (!s || s->capture) return invalid_handle;
  if (mode != 2) return complain(invalid_value, "only relaxed captures are emulated");
  s->capture = new Graph{current->device, {}};
  current->graphs.insert(s->capture);
  return success;
}

API cuStreamEndCapture(void *stream, void **graph) {
  ENTER("cuStreamEndCapture")
  Stream *s = stream_of(stream);
  if (!s || !s->capture) return invalid_handle;
  *graph = s->capture;
  s->capture = nullptr;
  return success;
}

// An executable graph is a copy.
API cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  ENTER("cuGraphInstantiateWithFlags")
  if (!has(current->graphs, graph)) return invalid_handle;
  Graph *made = new Graph(*(Graph *)graph);
  current->graphs.insert(made);
  *executable = made;
  return success;
}

API cuGraphLaunch(void *executable, void *stream) {
  ENTER("cuGraphLaunch")
  Stream *s = stream_of(stream);
  if (!s || !has(current->graphs, executable)) return invalid_handle;
  auto copy = std::make_shared<Graph>(*(Graph *)executable); // it may be destroyed while it runs
  enqueue(s, {[copy] { return run_graph(*copy); }, nullptr});
  return success;
}

API cuGraphExecDestroy(void *executable) {
  ENTER("cuGraphExecDestroy")
  return erase_from(current->graphs, executable);
}
