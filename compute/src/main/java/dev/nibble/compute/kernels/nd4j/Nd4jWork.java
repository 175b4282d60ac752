package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The arrays of one kernel call: views of tensors, and temporaries that are given back when the
 * call ends.
 */
final class Nd4jWork implements AutoCloseable {
  private final List<INDArray> arrays = new ArrayList<>();

  /** An array over a tensor's memory, row-major; nothing is copied. */
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
    if (!(t.device() instanceof Device.Host)) {
      throw new IllegalArgumentException("nd4j reads host memory only, not " + t);
    }
    Pointer pointer = pointer(t.dtype(), t.memory().address()).capacity(t.elements());
    var buffer = Nd4j.createBuffer(pointer, t.elements(), type(t.dtype()));
    return keep(Nd4j.create(buffer, shape, Nd4j.getStrides(shape, order), 0, order));
  }

  private static DataType type(DType dtype) {
    return switch (dtype) {
      case F64 -> DataType.DOUBLE;
      case F32 -> DataType.FLOAT;
      case BF16 -> DataType.BFLOAT16;
      case F16 -> DataType.FLOAT16;
      case I64 -> DataType.INT64;
      case I32 -> DataType.INT32;
      case I16 -> DataType.INT16;
      case I8 -> DataType.INT8;
      case U8 -> DataType.UINT8;
      case BOOL -> DataType.BOOL;
    };
  }

  private static Pointer pointer(DType dtype, long address) {
    Pointer at = new Address(address);
    return switch (dtype) {
      case F64 -> new DoublePointer(at);
      case F32 -> new FloatPointer(at);
      case I64 -> new LongPointer(at);
      case I32 -> new IntPointer(at);
      case BF16, F16, I16 -> new ShortPointer(at);
      case I8, U8, BOOL -> new BytePointer(at);
    };
  }

  /** A bare address: JavaCPP frees nothing behind it. */
  private static final class Address extends Pointer {
    Address(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  /** A float32 array of this shape whose values are not set. */
  INDArray empty(long... shape) {
    return keep(Nd4j.createUninitialized(DataType.FLOAT, shape));
  }

  /** Takes over a temporary: it is given back with the others. */
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

  /** Gives temporaries back now; memory of tensors is untouched. */
  @Override
  public void close() {
    for (INDArray a : arrays.reversed()) {
      if (a.closeable()) {
        a.close();
      }
    }
    arrays.clear();
  }
}
