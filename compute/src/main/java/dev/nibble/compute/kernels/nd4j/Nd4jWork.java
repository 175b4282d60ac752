package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The arrays of one kernel call: views of tensors, and temporaries that are freed when the call
 * ends.
 */
final class Nd4jWork implements AutoCloseable {
  /** The most elements that are converted to another type at once. */
  static final long MOST_ELEMENTS = 1 << 22;

  private final List<INDArray> arrays = new ArrayList<>();
  private final Nd4jBuffers buffers = Nd4jBuffers.ofBackend();

  /** An array over a tensor's memory, row-major. */
  INDArray view(Tensor t, long... shape) {
    return overMemory(t, shape, 'c');
  }

  /** An array over a tensor's memory, in one dimension. */
  INDArray flat(Tensor t) {
    return view(t, t.elements());
  }

  /** An array over a tensor's memory, as rows and columns. */
  INDArray matrix(Tensor t) {
    return view(t, t.rows(), t.cols());
  }

  /** The transpose [cols, rows] of a tensor, column-major: how BLAS sees row-major memory. */
  INDArray transposed(Tensor t) {
    return overMemory(t, new long[] {t.cols(), t.rows()}, 'f');
  }

  private INDArray overMemory(Tensor t, long[] shape, char order) {
    return Nd4j.create(buffers.of(t), shape, Nd4j.getStrides(shape, order), 0, order);
  }

  /**
   * Values of a frozen matrix from element {@code from} on in float32, flat, as it decodes them.
   */
  INDArray decoded(FrozenMatrix matrix, long from, long n) {
    float[] values = new float[Math.toIntExact(n)];
    matrix.decode(from, n, MemorySegment.ofArray(values));
    return keep(Nd4j.createFromArray(values));
  }

  /** A float32 array of this shape whose values are not set. */
  INDArray empty(long... shape) {
    return keep(Nd4j.createUninitialized(DataType.FLOAT, shape));
  }

  /** Takes ownership of a temporary: it is freed with the others. */
  INDArray keep(INDArray array) {
    arrays.add(array);
    return array;
  }

  /** The array in another shape, row-major; a copy when its memory does not allow it. */
  INDArray reshape(INDArray a, long... shape) {
    return keep(a.reshape('c', shape));
  }

  /** The array in another type; itself when it has that type. */
  INDArray cast(INDArray a, DataType type) {
    return a.dataType() == type ? a : keep(a.castTo(type));
  }

  /** Rows of a table, in the table's type. */
  INDArray gather(INDArray table, INDArray rows) {
    return run(DynamicCustomOp.builder("gather").addInputs(table, rows).addIntegerArguments(0));
  }

  /** sums[rows[i]] += addends[i], one after another, so that repeated rows add up in order. */
  void scatterAdd(INDArray sums, INDArray rows, INDArray addends) {
    Nd4j.exec(
        DynamicCustomOp.builder("scatter_add")
            .addInputs(sums, rows, addends)
            .addOutputs(sums)
            .addBooleanArguments(true)
            .build());
  }

  /** a &lt; b, broadcasting. */
  INDArray less(INDArray a, INDArray b) {
    return run(DynamicCustomOp.builder("less").addInputs(a, b));
  }

  /** a where the condition holds, else b, element by element. */
  INDArray select(INDArray condition, INDArray a, INDArray b) {
    return run(DynamicCustomOp.builder("select").addInputs(condition, a, b));
  }

  private INDArray run(DynamicCustomOp.DynamicCustomOpsBuilder op) {
    return keep(Nd4j.exec(op.build())[0]);
  }

  /** Gives temporaries back now; what was written is in the tensors' memory. */
  @Override
  public void close() {
    buffers.close(); // First: some of the arrays are views of them.
    for (INDArray a : arrays.reversed()) {
      if (a.closeable()) {
        a.close();
      }
    }
    arrays.clear();
  }
}
