package dev.nibble.compute.kernels.cpu.onednn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;

/**
 * oneDNN's functions for primitives that it compiles for a shape, each under its C prototype.
 * Handles of oneDNN's objects are pointers, passed as {@code long}.
 */
final class Primitives {
  static final int BF16 = 2; // dnnl_bf16
  static final int F32 = 3; // dnnl_f32

  // dnnl_BA16a64b2a: panels of 64 columns; within one, pairs of rows lie together.
  private static final int PANELS_OF_64 = 384;
  private static final int CPU = 1; // dnnl_cpu
  private static final int IN_ORDER = 1; // dnnl_stream_in_order
  private static final int USER_SCRATCHPAD = 1; // dnnl_scratchpad_mode_user
  private static final int LINEAR = 38; // dnnl_eltwise_linear
  private static final int SCRATCHPAD_DESC = 136; // dnnl_query_scratchpad_md

  private static final int MOST_DIMS = 12; // DNNL_MAX_NDIMS

  private final MethodHandle engineCreate;
  private final MethodHandle engineDestroy;
  private final MethodHandle streamCreate;
  private final MethodHandle streamDestroy;
  private final MethodHandle descWithStrides;
  private final MethodHandle descWithTag;
  private final MethodHandle descSize;
  private final MethodHandle descDestroy;
  private final MethodHandle attributesCreate;
  private final MethodHandle attributesDestroy;
  private final MethodHandle setScratchpadMode;
  private final MethodHandle setPostOps;
  private final MethodHandle postOpsCreate;
  private final MethodHandle postOpsDestroy;
  private final MethodHandle appendEltwise;
  private final MethodHandle appendSum;
  private final MethodHandle matmulDesc;
  private final MethodHandle queryDesc;
  private final MethodHandle primitiveDescDestroy;
  private final MethodHandle primitiveCreate;
  private final MethodHandle primitiveDestroy;
  private final MethodHandle primitiveExecute;
  private final MethodHandle memoryCreate;
  private final MethodHandle memoryDestroy;
  private final MethodHandle memorySetData;

  Primitives(OneDnn library) {
    // dnnl_status_t dnnl_engine_create(dnnl_engine_t *engine, dnnl_engine_kind_t kind, size_t
    // index);
    engineCreate = library.handle("dnnl_engine_create", status(ADDRESS, JAVA_INT, JAVA_LONG));
    engineDestroy = destroyer(library, "dnnl_engine_destroy");
    // dnnl_status_t dnnl_stream_create(dnnl_stream_t *stream, dnnl_engine_t engine, unsigned
    // flags);
    streamCreate = library.handle("dnnl_stream_create", status(ADDRESS, JAVA_LONG, JAVA_INT));
    streamDestroy = destroyer(library, "dnnl_stream_destroy");
    // dnnl_status_t dnnl_memory_desc_create_with_strides(dnnl_memory_desc_t *desc, int ndims,
    //     const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides);
    descWithStrides =
        library.handle(
            "dnnl_memory_desc_create_with_strides",
            status(ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
    // dnnl_status_t dnnl_memory_desc_create_with_tag(dnnl_memory_desc_t *desc, int ndims,
    //     const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag);
    descWithTag =
        library.handle(
            "dnnl_memory_desc_create_with_tag",
            status(ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    // size_t dnnl_memory_desc_get_size(const_dnnl_memory_desc_t desc);
    descSize =
        library.handle("dnnl_memory_desc_get_size", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    descDestroy = destroyer(library, "dnnl_memory_desc_destroy");
    // dnnl_status_t dnnl_primitive_attr_create(dnnl_primitive_attr_t *attr);
    attributesCreate = library.handle("dnnl_primitive_attr_create", status(ADDRESS));
    attributesDestroy = destroyer(library, "dnnl_primitive_attr_destroy");
    // dnnl_status_t dnnl_primitive_attr_set_scratchpad_mode(dnnl_primitive_attr_t attr, int mode);
    setScratchpadMode =
        library.handle("dnnl_primitive_attr_set_scratchpad_mode", status(JAVA_LONG, JAVA_INT));
    // dnnl_status_t dnnl_primitive_attr_set_post_ops(dnnl_primitive_attr_t attr,
    //     const_dnnl_post_ops_t post_ops);
    setPostOps = library.handle("dnnl_primitive_attr_set_post_ops", status(JAVA_LONG, JAVA_LONG));
    // dnnl_status_t dnnl_post_ops_create(dnnl_post_ops_t *post_ops);
    postOpsCreate = library.handle("dnnl_post_ops_create", status(ADDRESS));
    postOpsDestroy = destroyer(library, "dnnl_post_ops_destroy");
    // dnnl_status_t dnnl_post_ops_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t kind,
    //     float alpha, float beta);
    appendEltwise =
        library.handle(
            "dnnl_post_ops_append_eltwise", status(JAVA_LONG, JAVA_INT, JAVA_FLOAT, JAVA_FLOAT));
    // dnnl_status_t dnnl_post_ops_append_sum(dnnl_post_ops_t post_ops, float scale,
    //     int32_t zero_point, dnnl_data_type_t type);
    appendSum =
        library.handle(
            "dnnl_post_ops_append_sum", status(JAVA_LONG, JAVA_FLOAT, JAVA_INT, JAVA_INT));
    // dnnl_status_t dnnl_matmul_primitive_desc_create(dnnl_primitive_desc_t *desc,
    //     dnnl_engine_t engine, const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t weights,
    //     const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t dst,
    //     const_dnnl_primitive_attr_t attr);
    matmulDesc =
        library.handle(
            "dnnl_matmul_primitive_desc_create",
            status(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    // const_dnnl_memory_desc_t dnnl_primitive_desc_query_md(const_dnnl_primitive_desc_t desc,
    //     dnnl_query_t what, int index);
    queryDesc =
        library.handle(
            "dnnl_primitive_desc_query_md",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT));
    primitiveDescDestroy = destroyer(library, "dnnl_primitive_desc_destroy");
    // dnnl_status_t dnnl_primitive_create(dnnl_primitive_t *primitive,
    //     const_dnnl_primitive_desc_t desc);
    primitiveCreate = library.handle("dnnl_primitive_create", status(ADDRESS, JAVA_LONG));
    primitiveDestroy = destroyer(library, "dnnl_primitive_destroy");
    // dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
    //     int nargs, const dnnl_exec_arg_t *args);
    primitiveExecute =
        library.handle("dnnl_primitive_execute", status(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS));
    // dnnl_status_t dnnl_memory_create(dnnl_memory_t *memory, const_dnnl_memory_desc_t desc,
    //     dnnl_engine_t engine, void *handle);
    memoryCreate =
        library.handle("dnnl_memory_create", status(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    memoryDestroy = destroyer(library, "dnnl_memory_destroy");
    // dnnl_status_t dnnl_memory_set_data_handle(dnnl_memory_t memory, void *handle);
    memorySetData = library.handle("dnnl_memory_set_data_handle", status(JAVA_LONG, JAVA_LONG));
  }

  private static FunctionDescriptor status(java.lang.foreign.MemoryLayout... arguments) {
    return FunctionDescriptor.of(JAVA_INT, arguments);
  }

  // dnnl_status_t dnnl_..._destroy(handle);
  private static MethodHandle destroyer(OneDnn library, String symbol) {
    return library.handle(symbol, status(JAVA_LONG));
  }

  /** A native call that creates an object and writes its handle. */
  private interface Creation {
    int into(MemorySegment out) throws Throwable;
  }

  private static long create(String operation, Creation call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      int status;
      try {
        status = call.into(out);
      } catch (Throwable e) {
        throw OneDnnCall.failed(operation, e);
      }
      OneDnnCall.check(operation, status);
      return out.get(JAVA_LONG, 0);
    }
  }

  private interface Call {
    int run() throws Throwable;
  }

  private static void call(String operation, Call call) {
    int status;
    try {
      status = call.run();
    } catch (Throwable e) {
      throw OneDnnCall.failed(operation, e);
    }
    OneDnnCall.check(operation, status);
  }

  long engine() {
    return create("dnnl_engine_create", out -> (int) engineCreate.invokeExact(out, CPU, 0L));
  }

  void destroyEngine(long engine) {
    call("dnnl_engine_destroy", () -> (int) engineDestroy.invokeExact(engine));
  }

  long stream(long engine) {
    return create(
        "dnnl_stream_create", out -> (int) streamCreate.invokeExact(out, engine, IN_ORDER));
  }

  void destroyStream(long stream) {
    call("dnnl_stream_destroy", () -> (int) streamDestroy.invokeExact(stream));
  }

  /** A matrix whose element (i, j) lies at i * rowStride + j * colStride. */
  long matrix(long rows, long cols, int type, long rowStride, long colStride) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dims = dims(arena, rows, cols);
      MemorySegment strides = dims(arena, rowStride, colStride);
      return create(
          "dnnl_memory_desc_create_with_strides",
          out -> (int) descWithStrides.invokeExact(out, 2, dims, type, strides));
    }
  }

  /** A matrix of bfloat16 in panels of 64 columns, see {@link MatMul}. */
  long panels(long rows, long cols) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dims = dims(arena, rows, cols);
      return create(
          "dnnl_memory_desc_create_with_tag",
          out -> (int) descWithTag.invokeExact(out, 2, dims, BF16, PANELS_OF_64));
    }
  }

  private static MemorySegment dims(SegmentAllocator arena, long first, long second) {
    MemorySegment dims = arena.allocate(JAVA_LONG, MOST_DIMS);
    dims.setAtIndex(JAVA_LONG, 0, first);
    dims.setAtIndex(JAVA_LONG, 1, second);
    return dims;
  }

  void destroyDesc(long desc) {
    call("dnnl_memory_desc_destroy", () -> (int) descDestroy.invokeExact(desc));
  }

  private long attributes(float alpha, boolean accumulates, int type) {
    long attributes =
        create("dnnl_primitive_attr_create", out -> (int) attributesCreate.invokeExact(out));
    call(
        "dnnl_primitive_attr_set_scratchpad_mode",
        () -> (int) setScratchpadMode.invokeExact(attributes, USER_SCRATCHPAD));
    long after = create("dnnl_post_ops_create", out -> (int) postOpsCreate.invokeExact(out));
    if (alpha != 1) {
      call(
          "dnnl_post_ops_append_eltwise",
          () -> (int) appendEltwise.invokeExact(after, LINEAR, alpha, 0f));
    }
    if (accumulates) {
      call("dnnl_post_ops_append_sum", () -> (int) appendSum.invokeExact(after, 1f, 0, type));
    }
    call("dnnl_primitive_attr_set_post_ops", () -> (int) setPostOps.invokeExact(attributes, after));
    call("dnnl_post_ops_destroy", () -> (int) postOpsDestroy.invokeExact(after));
    return attributes;
  }

  /** A description of C = alpha A B, or of C += alpha A B, of matrices that are described. */
  long matmul(long engine, long a, long b, long c, int cType, float alpha, boolean accumulates) {
    long attributes = attributes(alpha, accumulates, cType);
    try {
      return create(
          "dnnl_matmul_primitive_desc_create",
          out -> (int) matmulDesc.invokeExact(out, engine, a, b, 0L, c, attributes));
    } finally {
      call("dnnl_primitive_attr_destroy", () -> (int) attributesDestroy.invokeExact(attributes));
    }
  }

  /** The description of the scratchpad that a described primitive needs; belongs to that. */
  long scratchpad(long primitiveDesc) {
    try {
      return (long) queryDesc.invokeExact(primitiveDesc, SCRATCHPAD_DESC, 0);
    } catch (Throwable e) {
      throw OneDnnCall.failed("dnnl_primitive_desc_query_md", e);
    }
  }

  /** Bytes of a described matrix. */
  long bytes(long desc) {
    try {
      return (long) descSize.invokeExact(desc);
    } catch (Throwable e) {
      throw OneDnnCall.failed("dnnl_memory_desc_get_size", e);
    }
  }

  void destroyPrimitiveDesc(long desc) {
    call("dnnl_primitive_desc_destroy", () -> (int) primitiveDescDestroy.invokeExact(desc));
  }

  /** Compiles. */
  long primitive(long desc) {
    return create("dnnl_primitive_create", out -> (int) primitiveCreate.invokeExact(out, desc));
  }

  void destroyPrimitive(long primitive) {
    call("dnnl_primitive_destroy", () -> (int) primitiveDestroy.invokeExact(primitive));
  }

  /** An object for a described matrix that lies nowhere yet. */
  long memory(long desc, long engine) {
    return create(
        "dnnl_memory_create", out -> (int) memoryCreate.invokeExact(out, desc, engine, 0L));
  }

  void destroyMemory(long memory) {
    call("dnnl_memory_destroy", () -> (int) memoryDestroy.invokeExact(memory));
  }

  /** Says where a matrix lies. */
  void place(long memory, long address) {
    int status;
    try {
      status = (int) memorySetData.invokeExact(memory, address);
    } catch (Throwable e) {
      throw OneDnnCall.failed("dnnl_memory_set_data_handle", e);
    }
    OneDnnCall.check("dnnl_memory_set_data_handle", status);
  }

  /** Runs on the calling thread. */
  void execute(long primitive, long stream, int count, MemorySegment arguments) {
    int status;
    try {
      status = (int) primitiveExecute.invokeExact(primitive, stream, count, arguments);
    } catch (Throwable e) {
      throw OneDnnCall.failed("dnnl_primitive_execute", e);
    }
    OneDnnCall.check("dnnl_primitive_execute", status);
  }
}
