package dev.nibble.quant.bnb;

import dev.nibble.compute.kernels.DynamicMap;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import dev.nibble.quant.WeightFormat;
import java.util.Optional;

/** An allocator of 4-bit matrices, which share their codebooks. */
final class FourBitAllocator implements WeightFormat.Allocator {
  private static final String GROUP = "weights/";

  private final Scope scope;
  private final FourBitFormat format;
  private final Tensor codebook;
  private final Optional<Tensor> scaleCodebook;

  FourBitAllocator(Kernels kernels, Scope scope, FourBitFormat format) {
    this.scope = scope;
    this.format = format;
    this.codebook =
        table(kernels, scope, "codebook " + format.type(), FourBitCodebook.of(format.type()));
    this.scaleCodebook =
        format.doubleQuant()
            ? Optional.of(table(kernels, scope, "codebook of scales", DynamicMap.SIGNED.codebook()))
            : Optional.empty();
  }

  private static Tensor table(Kernels kernels, Scope scope, String name, float[] values) {
    Tensor table = scope.allocate(GROUP + name, DType.F32, values.length);
    TensorValues.put(kernels, table, values);
    return table;
  }

  @Override
  public Codebook allocate(String name, long rows, long cols) {
    long weights = Math.multiplyExact(rows, cols);
    long blocks = Math.ceilDiv(weights, format.blockSize());
    return new Codebook(
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
