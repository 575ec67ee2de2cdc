//go:build cgo && linux && (amd64 || arm64)

#define _GNU_SOURCE
#include "cublaslt.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// Algorithm is cublasLtMatmulAlgo_t and Found cublasLtMatmulHeuristicResult_t.
typedef struct {
  uint64_t data[8];
} Algorithm;

typedef struct {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
} Found;

// The library's calls, declared by hand from NVIDIA's public documentation, which has kept them since 11.0. Handles and descriptors are void *.
#define CUBLASLT(X)                                                                                                      \
  X(size_t, cublasLtGetVersion, (void))                                                                                  \
  X(const char *, cublasLtGetStatusName, (int code))                                                                     \
  X(const char *, cublasLtGetStatusString, (int code))                                                                   \
  X(int, cublasLtCreate, (void **handle))                                                                                \
  X(int, cublasLtDestroy, (void *handle))                                                                                \
  X(int, cublasLtMatmulDescCreate, (void **operation, int compute, int scale))                                           \
  X(int, cublasLtMatmulDescDestroy, (void *operation))                                                                   \
  X(int, cublasLtMatmulDescSetAttribute, (void *operation, int attribute, const void *value, size_t bytes))              \
  X(int, cublasLtMatrixLayoutCreate, (void **layout, int type, uint64_t rows, uint64_t cols, int64_t leading))           \
  X(int, cublasLtMatrixLayoutDestroy, (void *layout))                                                                    \
  X(int, cublasLtMatrixLayoutSetAttribute, (void *layout, int attribute, const void *value, size_t bytes))               \
  X(int, cublasLtMatmulPreferenceCreate, (void **preference))                                                            \
  X(int, cublasLtMatmulPreferenceDestroy, (void *preference))                                                            \
  X(int, cublasLtMatmulPreferenceSetAttribute, (void *preference, int attribute, const void *value, size_t bytes))       \
  X(int, cublasLtMatmulAlgoGetHeuristic, (void *handle, void *operation, void *a, void *b, void *c, void *d,             \
                                          void *preference, int most, Found *found, int *n))                             \
  X(int, cublasLtMatmul, (void *handle, void *operation, const void *alpha, const void *a, void *layout_a,               \
                          const void *b, void *layout_b, const void *beta, const void *c, void *layout_c, void *d,       \
                          void *layout_d, const Algorithm *algorithm, void *workspace, size_t bytes, void *stream))

#define DECLARE(result, name, args) static result(*name) args;
CUBLASLT(DECLARE)

// cudaDataType_t, cublasStatus_t and what else is enumerated.
enum {
  TYPE_F32 = 0,
  TYPE_F64 = 1,
  ALLOC_FAILED = 3,
  NOT_SUPPORTED = 15,
  OPERATION_TRANSA = 3,
  OPERATION_TRANSB = 4,
  TRANSPOSED = 1,
  LAYOUT_BATCH_COUNT = 5,
  LAYOUT_BATCH_STRIDE = 6,
  PREFERENCE_WORKSPACE = 1,
  PREFERENCE_REDUCTIONS = 3,
  PREFERENCE_ALIGNMENT_A = 5,
  REDUCTION_IN_COMPUTE_TYPE = 2,
};

struct Plan {
  void *handle, *operation;
  void *layouts[3];  // of A, B and D; C has D's
  Algorithm algorithm;
  int wide;  // whether alpha and beta are float64
};

static const Status fine;

static Status lt_status(int code, const char *call) {
  return code ? (Status){code, call, CUBLASLT_LIBRARY} : fine;
}

static Status keep_first(Status a, Status b) { return a.code ? a : b; }

#define TRY(call, args)                    \
  do {                                     \
    Status s_ = lt_status(call args, #call); \
    if (s_.code) return s_;                \
  } while (0)

// weir_lt_library opens the library. It returns why there is none, or NULL.
const char *weir_lt_library(const char *path, size_t *version) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
#define LOAD(result, name, args) \
  if (!(*(void **)(&name) = dlsym(library, #name))) return "the library has no " #name;
  CUBLASLT(LOAD)
  *version = cublasLtGetVersion();
  return NULL;
}

void weir_lt_error(int code, const char **name, const char **text) {
  *name = cublasLtGetStatusName(code);
  *text = cublasLtGetStatusString(code);
}

Status weir_lt_open(Device *d, void **handle) {
  Status s = weir_enter(d);
  if (s.code) return s;
  TRY(cublasLtCreate, (handle));
  return fine;
}

Status weir_lt_close(Device *d, void *handle) {
  Status s = weir_enter(d);
  if (s.code) return s;
  TRY(cublasLtDestroy, (handle));
  return fine;
}

static Status make_operation(const Shape *s, void **operation) {
  TRY(cublasLtMatmulDescCreate, (operation, s->compute, s->type == TYPE_F64 ? TYPE_F64 : TYPE_F32));
  for (int k = 0; k < 2; k++) {
    int transposed = s->transposed[k] ? TRANSPOSED : 0;
    TRY(cublasLtMatmulDescSetAttribute, (*operation, OPERATION_TRANSA + k, &transposed, sizeof transposed));
  }
  return fine;
}

static Status make_layout(const Shape *s, int k, void **layout) {
  uint64_t rows[] = {s->rows, s->terms, s->rows}, cols[] = {s->terms, s->cols, s->cols};
  int across = k < 2 && s->transposed[k];
  TRY(cublasLtMatrixLayoutCreate, (layout, s->type, across ? cols[k] : rows[k], across ? rows[k] : cols[k], s->leading[k]));
  if (s->batches == 1) return fine;
  TRY(cublasLtMatrixLayoutSetAttribute, (*layout, LAYOUT_BATCH_COUNT, &s->batches, sizeof s->batches));
  TRY(cublasLtMatrixLayoutSetAttribute, (*layout, LAYOUT_BATCH_STRIDE, &s->stride[k], sizeof s->stride[k]));
  return fine;
}

// prefer sets what an algorithm must keep to. Parts of a sum are not added in a type narrower than the sum's, nor in the order of arrival.
static Status prefer(const Shape *s, size_t most, void *preference) {
  uint64_t workspace = most;
  TRY(cublasLtMatmulPreferenceSetAttribute, (preference, PREFERENCE_WORKSPACE, &workspace, sizeof workspace));
  uint32_t reductions = REDUCTION_IN_COMPUTE_TYPE;
  TRY(cublasLtMatmulPreferenceSetAttribute, (preference, PREFERENCE_REDUCTIONS, &reductions, sizeof reductions));
  static const int matrices[] = {0, 1, 2, 2};  // A, B, C and D
  for (int k = 0; k < 4; k++) {
    uint32_t alignment = s->alignment[matrices[k]];
    TRY(cublasLtMatmulPreferenceSetAttribute, (preference, PREFERENCE_ALIGNMENT_A + k, &alignment, sizeof alignment));
  }
  return fine;
}

static Status search(const Plan *p, const Shape *s, size_t most, void *preference, Found *found, int *n) {
  Status preferring = prefer(s, most, preference);
  if (preferring.code) return preferring;
  void *const *m = p->layouts;
  int code = cublasLtMatmulAlgoGetHeuristic(p->handle, p->operation, m[0], m[1], m[2], m[2], preference, 1, found, n);
  if (code == NOT_SUPPORTED) *n = 0;
  return lt_status(code == NOT_SUPPORTED ? 0 : code, "cublasLtMatmulAlgoGetHeuristic");
}

static Status fill_plan(Plan *p, const Shape *s, size_t most, size_t *workspace, int *n) {
  Status made = make_operation(s, &p->operation);
  for (int k = 0; k < 3 && !made.code; k++) made = make_layout(s, k, &p->layouts[k]);
  if (made.code) return made;
  void *preference;
  TRY(cublasLtMatmulPreferenceCreate, (&preference));
  Found found = {.workspace = 0};
  made = search(p, s, most, preference, &found, n);
  Status freed = lt_status(cublasLtMatmulPreferenceDestroy(preference), "cublasLtMatmulPreferenceDestroy");
  p->algorithm = found.algorithm;
  *workspace = found.workspace;
  return keep_first(made, freed);
}

// weir_lt_plan has the library choose an algorithm that works in at most so many bytes. If it has none for the shape, the plan is NULL.
Status weir_lt_plan(Device *d, void *handle, const Shape *s, size_t most, Plan **plan, size_t *workspace) {
  *plan = NULL;
  Status status = weir_enter(d);
  if (status.code) return status;
  Plan *p = calloc(1, sizeof *p);
  if (!p) return lt_status(ALLOC_FAILED, "calloc");
  p->handle = handle;
  p->wide = s->type == TYPE_F64;
  int n = 0;
  status = fill_plan(p, s, most, workspace, &n);
  if (!status.code && n > 0) {
    *plan = p;
    return fine;
  }
  return keep_first(status, weir_lt_free(p));
}

// weir_lt_free frees a plan, whatever fails on the way.
Status weir_lt_free(Plan *p) {
  Status s = fine;
  for (int k = 0; k < 3; k++)
    if (p->layouts[k]) s = keep_first(s, lt_status(cublasLtMatrixLayoutDestroy(p->layouts[k]), "cublasLtMatrixLayoutDestroy"));
  if (p->operation) s = keep_first(s, lt_status(cublasLtMatmulDescDestroy(p->operation), "cublasLtMatmulDescDestroy"));
  free(p);
  return s;
}

// weir_lt_multiply queues a product. It has copied the parameters, and those who call it have made the context current.
Status weir_lt_multiply(const Plan *p, const char *params, void *stream) {
  static const float narrow[] = {0, 1};
  static const double wide[] = {0, 1};
  Product q;
  memcpy(&q, params, sizeof q);
  const void *alpha = p->wide ? (const void *)&wide[1] : &narrow[1];
  const void *beta = p->wide ? (const void *)&wide[q.accumulate] : &narrow[q.accumulate];
  void *const *m = p->layouts;
  TRY(cublasLtMatmul, (p->handle, p->operation, alpha, (void *)q.a, m[0], (void *)q.b, m[1], beta, (void *)q.c, m[2], (void *)q.d, m[2],
                       &p->algorithm, (void *)q.workspace, q.bytes, stream));
  return fine;
}
