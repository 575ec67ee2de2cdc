// A launch that carries data: parameters that are too many for the launch that needs them.
#include "gpu.h"

struct Put {
  char *dst;
  uint64_t bytes;
  char data[3072];
};

KERNEL(put, Put, p) {
  for (uint32_t i = thread().x; i < p.bytes; i += threads().x) p.dst[i] = p.data[i];
}
