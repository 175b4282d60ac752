package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Tensor;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** The buffers through which ND4J sees the tensors of one call. */
sealed interface Nd4jBuffers extends AutoCloseable permits Nd4jBuffers.Shared, StagedBuffers {

  /** A buffer over all elements of a tensor. */
  DataBuffer of(Tensor t);

  /** The call is over. */
  @Override
  void close();

  /** Those of the backend that was chosen when ND4J started. */
  static Nd4jBuffers ofBackend() {
    return Nd4jBackend.staged() ? new StagedBuffers() : new Shared();
  }

  /** The tensors' own memory: ND4J's CPU backend works where they lie. */
  record Shared() implements Nd4jBuffers {
    @Override
    public DataBuffer of(Tensor t) {
      return Nd4j.createBuffer(pointer(t), t.elements(), type(t.dtype()));
    }

    @Override
    public void close() {}
  }

  /** A tensor's memory as ND4J takes it; freeing the pointer frees nothing. */
  static Pointer pointer(Tensor t) {
    if (!(t.device() instanceof Device.Host)) {
      throw new IllegalArgumentException("nd4j reads host memory only, not " + t);
    }
    Pointer at = new Address(t.memory().address());
    Pointer typed =
        switch (t.dtype()) {
          case F64 -> new DoublePointer(at);
          case F32 -> new FloatPointer(at);
          case I64 -> new LongPointer(at);
          case I32 -> new IntPointer(at);
          case BF16, F16, I16 -> new ShortPointer(at);
          case I8, U8, BOOL -> new BytePointer(at);
        };
    return typed.capacity(t.elements());
  }

  static DataType type(DType dtype) {
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

  /** A bare address. */
  final class Address extends Pointer {
    private Address(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }
}
