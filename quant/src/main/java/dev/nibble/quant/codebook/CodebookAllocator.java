package dev.nibble.quant.codebook;

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

/** An allocator of matrices in codes of a table, which share the table. */
public final class CodebookAllocator implements WeightFormat.Allocator {
  private static final String GROUP = "weights/";

  private final Scope scope;
  private final BlockScales scales;
  private final Tensor codebook;
  private final Optional<Tensor> scaleCodebook;

  /**
   * Allocates the tables.
   *
   * @param name of the table, for the memory table
   * @param values of all codes, by code
   */
  public CodebookAllocator(
      Kernels kernels, Scope scope, String name, float[] values, BlockScales scales) {
    this.scope = scope;
    this.scales = scales;
    this.codebook = table(kernels, scope, "codebook " + name, values);
    this.scaleCodebook =
        scales.nested()
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
    long blocks = Math.ceilDiv(weights, scales.block());
    int bits = Long.numberOfTrailingZeros(codebook.elements());
    return new Codebook(
        scope.allocate(GROUP + name, DType.U8, Math.ceilDiv(weights * bits, (long) Byte.SIZE)),
        codebook,
        scaleCodebook.map(c -> nested(name, blocks, c)).orElseGet(() -> plain(name, blocks)),
        rows,
        cols,
        scales.block());
  }

  private Scales plain(String name, long blocks) {
    return new Scales.Plain(scope.allocate(GROUP + name + ".absmax", DType.F32, blocks));
  }

  private Scales nested(String name, long blocks, Tensor map) {
    int block = BlockScales.NESTED_BLOCK;
    return new Scales.Nested(
        scope.allocate(GROUP + name + ".absmax", DType.U8, blocks),
        scope.allocate(GROUP + name + ".nested_absmax", DType.F32, Math.ceilDiv(blocks, block)),
        map,
        scope.allocate(GROUP + name + ".nested_offset", DType.F32, 1),
        block);
  }
}
