package dev.nibble.compute.kernels.cpu.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * C = alpha A B, or C += alpha A B, for A [M, K] and B [K, N] of bfloat16, with sums in float32 and
 * any M.
 *
 * <p>B lies in panels of {@value #PANEL} columns, the last filled up with zeros. In a panel, K is
 * filled up to a multiple of {@value #STEP}; element (k, n) is number {@code k / 2 * 128 + 2 n + k
 * % 2}: two neighbours of a column lie together, as the processor multiplies them.
 *
 * <p>oneDNN compiles a product for a fixed M. Here M is cut into powers of two, so that batches of
 * any length need but a few.
 */
public final class MatMul {
  /** Columns of a panel. */
  public static final int PANEL = 64;

  /** What K is filled up to a multiple of. */
  public static final int STEP = 32;

  private static final int MOST_ROWS = 512;

  /**
   * The fixed sizes of a product.
   *
   * @param n columns of B and C
   * @param k the inner dimension
   * @param aTransposed whether A is stored as [K, M]
   * @param lda elements from one stored row of A to the next
   * @param floats whether C is float32, not bfloat16
   * @param ldc elements from one row of C to the next
   * @param alpha the factor
   * @param accumulates whether the product is added to C
   */
  public record Shape(
      int n,
      int k,
      boolean aTransposed,
      long lda,
      boolean floats,
      long ldc,
      float alpha,
      boolean accumulates) {}

  private final MatMuls owner;
  private final Shape shape;
  // By the power of two that M is.
  private final @Nullable Compiled[] compiled =
      new @Nullable Compiled[Integer.numberOfTrailingZeros(MOST_ROWS) + 1];

  MatMul(MatMuls owner, Shape shape) {
    this.owner = owner;
    this.shape = shape;
  }

  /** Elements of B with these sides, as it is stored. */
  public static long elements(long k, long n) {
    return Math.ceilDiv(k, STEP) * STEP * (Math.ceilDiv(n, PANEL) * PANEL);
  }

  /** Compiles what {@link #run} needs for so many rows. Not while workers run. */
  public void prepare(long rows) {
    for (long left = rows; left > 0; left -= rows(left)) {
      int i = Integer.numberOfTrailingZeros(rows(left));
      if (compiled[i] == null) {
        compiled[i] = new Compiled(1 << i);
      }
    }
  }

  private static int rows(long left) {
    return Integer.highestOneBit((int) Math.min(left, MOST_ROWS));
  }

  /**
   * Multiplies on the calling thread. Operands are addresses: the caller keeps their memory alive,
   * and C apart from A and B.
   *
   * @param worker whose thread this is
   * @param rows M, for which {@link #prepare} was called
   */
  public void run(int worker, long rows, long a, long b, long c) {
    owner.onOneThread();
    long from = a;
    long to = c;
    for (long left = rows; left > 0; ) {
      int part = rows(left);
      Compiled product = compiled[Integer.numberOfTrailingZeros(part)];
      if (product == null) {
        throw new IllegalStateException("%d rows of %s were not prepared".formatted(part, shape));
      }
      product.run(worker, from, b, to);
      from += 2L * part * (shape.aTransposed ? 1 : shape.lda);
      to += (shape.floats ? 4L : 2L) * part * shape.ldc;
      left -= part;
    }
  }

  void close() {
    for (Compiled c : compiled) {
      if (c != null) {
        c.close();
      }
    }
  }

  /** A product for one M. */
  private final class Compiled {
    // dnnl_exec_arg_t: int arg; dnnl_memory_t memory;
    private static final int ARGUMENT_BYTES = 16;
    private static final int[] ARGUMENTS = {
      1, // DNNL_ARG_SRC
      33, // DNNL_ARG_WEIGHTS
      17, // DNNL_ARG_DST
      80 // DNNL_ARG_SCRATCHPAD
    };

    private final Arena arena = Arena.ofShared();
    private final long primitive;
    private final long[][] memories; // by worker and argument
    private final MemorySegment[] arguments; // by worker

    Compiled(int m) {
      Primitives p = owner.primitives();
      int cType = shape.floats ? Primitives.F32 : Primitives.BF16;
      long a =
          shape.aTransposed
              ? p.matrix(m, shape.k, Primitives.BF16, 1, shape.lda)
              : p.matrix(m, shape.k, Primitives.BF16, shape.lda, 1);
      long b = p.panels(shape.k, shape.n);
      long c = p.matrix(m, shape.n, cType, shape.ldc, 1);
      long desc = p.matmul(owner.engine(), a, b, c, cType, shape.alpha, shape.accumulates);
      long scratchpad = p.scratchpad(desc);
      owner.reserveScratchpads(p.bytes(scratchpad));
      primitive = p.primitive(desc);
      memories = new long[owner.workers()][];
      arguments = new MemorySegment[owner.workers()];
      long[] descs = {a, b, c, scratchpad};
      for (int w = 0; w < memories.length; w++) {
        memories[w] = new long[descs.length];
        arguments[w] = arena.allocate((long) descs.length * ARGUMENT_BYTES, 8);
        for (int i = 0; i < descs.length; i++) {
          memories[w][i] = p.memory(descs[i], owner.engine());
          arguments[w].set(ValueLayout.JAVA_INT, (long) i * ARGUMENT_BYTES, ARGUMENTS[i]);
          arguments[w].set(ValueLayout.JAVA_LONG, (long) i * ARGUMENT_BYTES + 8, memories[w][i]);
        }
      }
      p.destroyPrimitiveDesc(desc);
      p.destroyDesc(a);
      p.destroyDesc(b);
      p.destroyDesc(c);
    }

    void run(int worker, long a, long b, long c) {
      Primitives p = owner.primitives();
      long[] m = memories[worker];
      p.place(m[0], a);
      p.place(m[1], b);
      p.place(m[2], c);
      p.place(m[3], owner.scratchpad(worker));
      p.execute(primitive, owner.stream(worker), m.length, arguments[worker]);
    }

    void close() {
      Primitives p = owner.primitives();
      for (long[] of : memories) {
        for (long memory : of) {
          p.destroyMemory(memory);
        }
      }
      p.destroyPrimitive(primitive);
      arena.close();
    }
  }
}
