// The driver's calls about streams and events.
#include "api.h"

#include <algorithm>

using namespace emulator;

API cuStreamCreate(void **stream, unsigned) {
  ENTER("cuStreamCreate")
  Stream *s = new Stream{current->device, {}, nullptr};
  current->streams.insert(s);
  open_stream(s);
  *stream = s;
  return success;
}

API cuStreamDestroy_v2(void *stream) {
  ENTER("cuStreamDestroy_v2")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  drain(s); // a driver lets it finish without waiting
  if (s->capture) erase_from(current->graphs, s->capture);
  close_stream(s);
  erase_from(current->streams, stream);
  return lost[current->device];
}

API cuStreamSynchronize(void *stream) {
  ENTER("cuStreamSynchronize")
  Stream *s;
  if (int code = waiting_stream_of(stream, &s)) return code;
  drain(s);
  return lost[s->device];
}

API cuStreamWaitEvent(void *stream, void *event, unsigned) {
  ENTER("cuStreamWaitEvent")
  Stream *s;
  if (int code = waiting_stream_of(stream, &s)) return code;
  auto e = event_of(event);
  if (!e) return invalid_handle;
  enqueue(s, {nullptr, e, e->recorded});
  return success;
}

API cuEventCreate(void **event, unsigned) {
  ENTER("cuEventCreate")
  auto e = std::make_shared<Event>();
  e->device = current->device;
  current->events[e.get()] = e;
  *event = e.get();
  return success;
}

API cuEventDestroy_v2(void *event) {
  ENTER("cuEventDestroy_v2")
  return current->events.erase((Event *)event) ? success : invalid_handle;
}

API cuEventRecord(void *event, void *stream) {
  ENTER("cuEventRecord")
  Stream *s;
  if (int code = waiting_stream_of(stream, &s)) return code;
  auto e = event_of(event);
  if (!e) return invalid_handle;
  long generation = ++e->recorded;
  enqueue(s, {[=] { return e->reached = std::max(e->reached, generation), int(success); }, nullptr});
  return success;
}

API cuEventSynchronize(void *event) {
  ENTER("cuEventSynchronize")
  auto e = event_of(event);
  if (!e) return invalid_handle;
  drain(e.get());
  return lost[e->device];
}
