// The calls of cublasLt that the shim makes, in the library of the driver. A product runs on the emulated stream, in memory that it may touch and in the
// workspace that its algorithm has asked for. The order of a sum depends on the shape, so that who cuts a product in two gets other bits.
#include <algorithm>
#include <cstring>

#include "api.h"

float f16_to_f32(uint16_t x);
uint16_t f32_to_f16(float x);
uint16_t f32_to_bf16(float x);
uint32_t to_tf32(float x);

using namespace emulator;

namespace {

// cublasStatus_t.
enum { lt_not_initialized = 1, lt_alloc_failed = 3, lt_invalid_value = 7, lt_execution_failed = 13, lt_internal_error = 14, lt_not_supported = 15 };
// cudaDataType_t and cublasComputeType_t.
enum { f32, f64, f16, bf16 = 14, sum_f32 = 68, sum_f64 = 70, sum_tf32 = 77 };

// Object is what a handle of the library stands for, made on a device.
struct Object {
  const char *kind;
  int device;
  virtual ~Object() {}
};
struct Library : Object {};
struct Operation : Object {
  int compute, scale, transposed[2] = {0, 0};
};
struct Layout : Object {
  int type, batches = 1;
  uint64_t rows, cols;
  int64_t leading, stride = 0;
};
struct Preference : Object {
  uint64_t workspace = 0;
  uint32_t reductions = 7, alignment[4] = {256, 256, 256, 256};
};
std::map<Object *, std::unique_ptr<Object>> objects;

// Algorithm is laid out as cublasLtMatmulAlgo_t, Found as cublasLtMatmulHeuristicResult_t.
struct Algorithm {
  uint64_t magic, shape, halves, chunk, workspace;
  uint16_t alignment[4];
  uint64_t rest[2];
};
struct Found {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Algorithm) == 64 && sizeof(Found) == 96, "the layouts of the library");
constexpr uint64_t magic = 0x6d756c7469706c79;

int lt_code(int code) {
  switch (code) {
  case success: return success;
  case invalid_value: return lt_invalid_value;
  case out_of_memory: return lt_alloc_failed;
  }
  return lt_internal_error;
}

int refuse(const std::string &why) { return complain(lt_invalid_value, "cublasLt: " + why); }

// LT begins a call. Without a context its objects are nobody's.
#define LT(name) \
  std::lock_guard<std::mutex> lock(mutex); \
  if (int code = lt_code(enter(name))) return code;

template <class T> T *make(const char *kind, void **handle) {
  T *made = new T();
  made->kind = kind;
  made->device = current->device;
  objects[made].reset(made);
  *handle = made;
  return made;
}

template <class T> T *object(void *handle) {
  auto it = objects.find((Object *)handle);
  return it == objects.end() ? nullptr : dynamic_cast<T *>(it->second.get());
}

template <class T> int destroy(void *handle) {
  if (!object<T>(handle)) return refuse("what is destroyed is not there");
  objects.erase((Object *)handle);
  return success;
}

template <class T> int set(T *field, const void *value, size_t bytes) {
  if (bytes != sizeof *field) return refuse("an attribute of " + std::to_string(bytes) + " bytes");
  memcpy(field, value, bytes);
  return success;
}

// Matrix is an operand, with the address of its memory.
struct Matrix {
  const Layout *layout;
  bool transposed;
  uint64_t at;

  uint64_t rows() const { return transposed ? layout->cols : layout->rows; }
  uint64_t cols() const { return transposed ? layout->rows : layout->cols; }
  uint64_t index(int batch, uint64_t row, uint64_t col) const {
    return uint64_t(int64_t(batch) * layout->stride) + (transposed ? row * uint64_t(layout->leading) + col : row + col * uint64_t(layout->leading));
  }
  size_t size() const { return layout->type == f64 ? 8 : layout->type == f32 ? 4 : 2; }
  size_t bytes() const { return (index(layout->batches - 1, rows() - 1, cols() - 1) + 1) * size(); }

  double load(int batch, uint64_t row, uint64_t col) const {
    const char *p = (const char *)at + index(batch, row, col) * size();
    uint16_t half;
    float single;
    double x;
    switch (layout->type) {
    case f64: return memcpy(&x, p, sizeof x), x;
    case f32: return memcpy(&single, p, sizeof single), single;
    case f16: return memcpy(&half, p, sizeof half), f16_to_f32(half);
    }
    memcpy(&half, p, sizeof half);
    uint32_t bits = uint32_t(half) << 16;
    return memcpy(&single, &bits, sizeof single), single;
  }
  void store(int batch, uint64_t row, uint64_t col, double x) const {
    char *p = (char *)at + index(batch, row, col) * size();
    float single = float(x);
    uint16_t half = layout->type == f16 ? f32_to_f16(single) : f32_to_bf16(single);
    switch (layout->type) {
    case f64: memcpy(p, &x, sizeof x); return;
    case f32: memcpy(p, &single, sizeof single); return;
    }
    memcpy(p, &half, sizeof half);
  }
};

// Run is a product that is queued.
struct Run {
  Operation operation;
  Layout layouts[4];
  Algorithm algorithm;
  Matrix a, b, c, d;
  double alpha, beta;
  uint64_t workspace;
};

int touch(const Matrix &m, const char *what) {
  if (around(m.at, m.bytes())) return success;
  fault_text = std::string("cublasLtMatmul: ") + what + " of " + std::to_string(m.bytes()) + " bytes at " + describe(m.at);
  return illegal_address;
}

float tf32(float x) {
  uint32_t bits = to_tf32(x) & 0xffffe000;
  return memcpy(&x, &bits, sizeof x), x;
}

// part sums terms [from, to) in chunks, in type T.
template <class T> T part(const Run &r, int batch, uint64_t row, uint64_t col, uint64_t from, uint64_t to) {
  T total = 0;
  while (from < to) {
    T sum = 0;
    for (uint64_t end = std::min(to, from + r.algorithm.chunk); from < end; from++) {
      T x = T(r.a.load(batch, row, from)), y = T(r.b.load(batch, from, col));
      sum += r.operation.compute == sum_tf32 ? T(tf32(float(x)) * tf32(float(y))) : x * y;
    }
    total += sum;
  }
  return total;
}

template <class T> void multiply(const Run &r) {
  T *partial = (T *)r.workspace;
  uint64_t terms = r.a.cols(), half = r.algorithm.halves == 2 ? terms / 2 : terms;
  auto each = [&](auto &&f) {
    for (int batch = 0; batch < r.d.layout->batches; batch++)
      for (uint64_t col = 0; col < r.d.cols(); col++)
        for (uint64_t row = 0; row < r.d.rows(); row++) f(batch, row, col);
  };
  T *next = partial;
  if (half < terms) each([&](int batch, uint64_t row, uint64_t col) { *next++ = part<T>(r, batch, row, col, half, terms); });
  next = partial;
  each([&](int batch, uint64_t row, uint64_t col) {
    T sum = part<T>(r, batch, row, col, 0, half);
    if (half < terms) sum += *next++;
    sum *= T(r.alpha);
    if (r.beta != 0) sum += T(r.beta) * T(r.c.load(batch, row, col));
    r.d.store(batch, row, col, sum);
  });
}

int run(const Run &r) {
  if (int code = touch(r.a, "A")) return code;
  if (int code = touch(r.b, "B")) return code;
  if (r.beta != 0)
    if (int code = touch(r.c, "C")) return code;
  if (int code = touch(r.d, "D")) return code;
  if (r.algorithm.workspace && !around(r.workspace, r.algorithm.workspace)) return fault_text = "cublasLtMatmul: the workspace", int(illegal_address);
  if (r.algorithm.workspace) poison((void *)r.workspace, r.algorithm.workspace);
  r.operation.compute == sum_f64 ? multiply<double>(r) : multiply<float>(r);
  return success;
}

void mix(uint64_t *hash, uint64_t x) { *hash = (*hash ^ x) * 0x100000001b3; }

// shape_of numbers what an algorithm depends on. 0 is what fits together in no way.
uint64_t shape_of(const Operation *o, const Layout *const (&l)[4]) {
  Matrix a{l[0], o->transposed[0] == 1, 0}, b{l[1], o->transposed[1] == 1, 0};
  int scale = o->compute == sum_f64 ? f64 : f32;
  bool sums = (o->compute == sum_f64) == (l[0]->type == f64) && o->scale == scale;
  bool fits = a.rows() == l[3]->rows && a.cols() == b.rows() && b.cols() == l[3]->cols && l[2]->rows == l[3]->rows && l[2]->cols == l[3]->cols;
  if (!sums || !fits) return 0;
  uint64_t hash = 0xcbf29ce484222325;
  mix(&hash, uint64_t(o->compute));
  for (int transposed : o->transposed) mix(&hash, uint64_t(transposed));
  for (const Layout *m : l) {
    if (m->type != l[0]->type || m->batches != l[0]->batches || m->batches < 1 || m->leading < int64_t(m->rows)) return 0;
    for (uint64_t x : {m->rows, m->cols, uint64_t(m->leading), uint64_t(m->batches), uint64_t(m->stride), uint64_t(m->type)}) mix(&hash, x);
  }
  return hash | 1;
}

double scalar(const Operation *o, const void *p) {
  float single;
  double x;
  if (o->scale == f64) return memcpy(&x, p, sizeof x), x;
  return memcpy(&single, p, sizeof single), single;
}

} // namespace

namespace emulator {

const char *library_leak() {
  for (auto &o : objects)
    if (o.first->device == current->device) return o.first->kind;
  return nullptr;
}

void forget_library() { objects.clear(); }

} // namespace emulator

extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() {
  std::lock_guard<std::mutex> lock(mutex);
  return size_t(options.cublaslt);
}

extern "C" __attribute__((visibility("default"))) const char *cublasLtGetStatusName(int code) {
  switch (code) {
  case lt_not_initialized: return "CUBLAS_STATUS_NOT_INITIALIZED";
  case lt_alloc_failed: return "CUBLAS_STATUS_ALLOC_FAILED";
  case lt_invalid_value: return "CUBLAS_STATUS_INVALID_VALUE";
  case lt_execution_failed: return "CUBLAS_STATUS_EXECUTION_FAILED";
  case lt_internal_error: return "CUBLAS_STATUS_INTERNAL_ERROR";
  case lt_not_supported: return "CUBLAS_STATUS_NOT_SUPPORTED";
  }
  return "CUBLAS_STATUS_UNKNOWN";
}

extern "C" __attribute__((visibility("default"))) const char *cublasLtGetStatusString(int) { return "the emulated library refuses"; }

API cublasLtCreate(void **handle) {
  LT("cublasLtCreate")
  make<Library>("a handle of cublasLt", handle);
  return success;
}

API cublasLtDestroy(void *handle) {
  LT("cublasLtDestroy")
  return destroy<Library>(handle);
}

API cublasLtMatmulDescCreate(void **operation, int compute, int scale) {
  LT("cublasLtMatmulDescCreate")
  Operation *o = make<Operation>("an operation of cublasLt", operation);
  o->compute = compute;
  o->scale = scale;
  return success;
}

API cublasLtMatmulDescDestroy(void *operation) {
  LT("cublasLtMatmulDescDestroy")
  return destroy<Operation>(operation);
}

API cublasLtMatmulDescSetAttribute(void *operation, int attribute, const void *value, size_t bytes) {
  LT("cublasLtMatmulDescSetAttribute")
  Operation *o = object<Operation>(operation);
  if (!o || (attribute != 3 && attribute != 4)) return refuse("attribute " + std::to_string(attribute) + " of an operation");
  return set(&o->transposed[attribute - 3], value, bytes);
}

API cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t cols, int64_t leading) {
  LT("cublasLtMatrixLayoutCreate")
  if (!rows || !cols) return refuse("a matrix of nothing");
  Layout *l = make<Layout>("a layout of cublasLt", layout);
  l->type = type;
  l->rows = rows;
  l->cols = cols;
  l->leading = leading;
  return success;
}

API cublasLtMatrixLayoutDestroy(void *layout) {
  LT("cublasLtMatrixLayoutDestroy")
  return destroy<Layout>(layout);
}

API cublasLtMatrixLayoutSetAttribute(void *layout, int attribute, const void *value, size_t bytes) {
  LT("cublasLtMatrixLayoutSetAttribute")
  Layout *l = object<Layout>(layout);
  if (l && attribute == 5) return set(&l->batches, value, bytes);
  if (l && attribute == 6) return set(&l->stride, value, bytes);
  return refuse("attribute " + std::to_string(attribute) + " of a layout");
}

API cublasLtMatmulPreferenceCreate(void **preference) {
  LT("cublasLtMatmulPreferenceCreate")
  make<Preference>("a preference of cublasLt", preference);
  return success;
}

API cublasLtMatmulPreferenceDestroy(void *preference) {
  LT("cublasLtMatmulPreferenceDestroy")
  return destroy<Preference>(preference);
}

API cublasLtMatmulPreferenceSetAttribute(void *preference, int attribute, const void *value, size_t bytes) {
  LT("cublasLtMatmulPreferenceSetAttribute")
  Preference *p = object<Preference>(preference);
  if (p && attribute == 1) return set(&p->workspace, value, bytes);
  if (p && attribute == 3) return set(&p->reductions, value, bytes);
  if (p && attribute >= 5 && attribute <= 8) return set(&p->alignment[attribute - 5], value, bytes);
  return refuse("attribute " + std::to_string(attribute) + " of a preference");
}

// There is no algorithm for halves that are not aligned to 4 bytes.
API cublasLtMatmulAlgoGetHeuristic(void *handle, void *operation, void *a, void *b, void *c, void *d, void *preference, int most, Found *found, int *n) {
  LT("cublasLtMatmulAlgoGetHeuristic")
  const Operation *o = object<Operation>(operation);
  const Preference *p = object<Preference>(preference);
  const Layout *const l[] = {object<Layout>(a), object<Layout>(b), object<Layout>(c), object<Layout>(d)};
  if (!object<Library>(handle) || !o || !p || most < 1 || !l[0] || !l[1] || !l[2] || !l[3]) return refuse("a descriptor is not there");
  uint64_t shape = shape_of(o, l);
  if (!shape) return refuse("the layouts do not fit");
  *n = 0;
  Algorithm g = {magic, shape, 1, 8ull << shape / 2 % 3, 0, {}, {}};
  for (int k = 0; k < 4; k++) {
    g.alignment[k] = uint16_t(p->alignment[k]);
    if ((l[0]->type == f16 || l[0]->type == bf16) && p->alignment[k] < 4) return lt_not_supported;
  }
  uint64_t terms = o->transposed[0] ? l[0]->rows : l[0]->cols;
  uint64_t bytes = l[3]->rows * l[3]->cols * uint64_t(l[3]->batches) * (o->compute == sum_f64 ? 8 : 4);
  if (terms >= 100 && bytes <= p->workspace && p->reductions & 2) {
    g.halves = 2;
    g.workspace = bytes;
  }
  *found = {g, size_t(g.workspace), success, 1, {}};
  *n = 1;
  return success;
}

API cublasLtMatmul(void *handle, void *operation, const void *alpha, const void *a, void *layout_a, const void *b, void *layout_b, const void *beta,
                   const void *c, void *layout_c, void *d, void *layout_d, const Algorithm *algorithm, void *workspace, size_t bytes, void *stream) {
  LT("cublasLtMatmul")
  const Library *h = object<Library>(handle);
  const Operation *o = object<Operation>(operation);
  const Layout *const l[] = {object<Layout>(layout_a), object<Layout>(layout_b), object<Layout>(layout_c), object<Layout>(layout_d)};
  Stream *s = stream_of(stream);
  if (!h || h->device != current->device || !s || !o || !l[0] || !l[1] || !l[2] || !l[3]) return refuse("a handle, a descriptor or a stream is not there");
  if (algorithm->magic != magic || algorithm->shape != shape_of(o, l)) return refuse("the algorithm is of another shape");
  if (bytes < algorithm->workspace || uint64_t(workspace) % 16) return refuse("the workspace is too small or not aligned");
  const void *const at[] = {a, b, c, d};
  for (int k = 0; k < 4; k++)
    if (uint64_t(at[k]) % algorithm->alignment[k]) return refuse("a matrix is not aligned as the algorithm needs it");
  auto r = std::make_shared<Run>(Run{*o, {*l[0], *l[1], *l[2], *l[3]}, *algorithm, {}, {}, {}, {}, scalar(o, alpha), scalar(o, beta), uint64_t(workspace)});
  r->a = {&r->layouts[0], o->transposed[0] == 1, uint64_t(a)};
  r->b = {&r->layouts[1], o->transposed[1] == 1, uint64_t(b)};
  r->c = {&r->layouts[2], false, uint64_t(c)};
  r->d = {&r->layouts[3], false, uint64_t(d)};
  enqueue(s, {[r] { return run(*r); }, nullptr});
  return success;
}
