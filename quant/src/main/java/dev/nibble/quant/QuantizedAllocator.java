package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.Quantized.Scales;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/** Allocates 4-bit matrices of one format in one scope. They share its codebooks. */
public final class QuantizedAllocator {
  private static final String GROUP = "weights/";

  private final Scope scope;
  private final FourBitFormat format;
  private final Tensor codebook;
  private final Optional<Tensor> scaleCodebook;

  /** Allocates the codebooks. The scope must be of the kernels' memory. */
  public QuantizedAllocator(Kernels kernels, Scope scope, FourBitFormat format) {
    this.scope = scope;
    this.format = format;
    this.codebook =
        table(kernels, scope, "codebook " + format.type(), FourBitCodebook.of(format.type()));
    this.scaleCodebook =
        format.doubleQuant()
            ? Optional.of(table(kernels, scope, "codebook of scales", DynamicMap.signed()))
            : Optional.empty();
  }

  private static Tensor table(Kernels kernels, Scope scope, String name, float[] values) {
    Tensor table = scope.allocate(GROUP + name, DType.F32, values.length);
    TensorValues.put(kernels, table, values);
    return table;
  }

  /**
   * A matrix of zeroed codes and scales, for {@link ProductKernels#quantize} to fill.
   *
   * @param name for errors and memory tables
   */
  public Quantized allocate(String name, long rows, long cols) {
    long weights = Math.multiplyExact(rows, cols);
    long blocks = Math.ceilDiv(weights, format.blockSize());
    return new Quantized(
        scope.allocate(GROUP + name, DType.U8, Math.ceilDiv(weights, 2L)),
        codebook,
        scaleCodebook.map(c -> nested(name, blocks, c)).orElseGet(() -> plain(name, blocks)),
        rows,
        cols,
        format.blockSize());
  }

  private Scales plain(String name, long blocks) {
    return new Scales.Plain(scope.allocate(GROUP + name + ".absmax", DType.F32, blocks));
  }

  private Scales nested(String name, long blocks, Tensor map) {
    int block = FourBitFormat.NESTED_BLOCK_SIZE;
    return new Scales.Nested(
        scope.allocate(GROUP + name + ".absmax", DType.U8, blocks),
        scope.allocate(GROUP + name + ".nested_absmax", DType.F32, Math.ceilDiv(blocks, block)),
        map,
        scope.allocate(GROUP + name + ".nested_offset", DType.F32, 1),
        block);
  }
}
