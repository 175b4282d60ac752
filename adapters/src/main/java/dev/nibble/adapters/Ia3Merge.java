package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/** The merge of one module's IA3 vector l: the columns or the rows of W, and a bias, times l. */
final class Ia3Merge {
  private Ia3Merge() {}

  static List<TensorMerge> ofInputs(String module, Tensor l) {
    String name = module + ".weight";
    return List.of(
        new TensorMerge(
            name,
            (weight, kernels, scratch) -> {
              TensorMerge.require(name, weight, 1, l.elements());
              scaleColumns(weight, l, kernels, scratch);
            }));
  }

  static List<TensorMerge> ofOutputs(String module, Tensor l) {
    String name = module + ".weight";
    String bias = module + ".bias";
    return List.of(
        new TensorMerge(
            name,
            (weight, kernels, scratch) -> {
              TensorMerge.require(name, weight, 0, l.elements());
              for (long row = 0; row < weight.rows(); row++) {
                kernels.pointwise().scale(weight.slice(row, row + 1), l.getDouble(row));
              }
            }),
        TensorMerge.ifPresent(
            bias,
            (b, kernels, scratch) -> {
              TensorMerge.require(bias, b, 0, l.elements());
              scaleColumns(b.reshape(1, b.elements()), l, kernels, scratch);
            }));
  }

  private static void scaleColumns(Tensor weight, Tensor l, Kernels kernels, Scope scratch) {
    Tensor factors = scratch.allocate("factors", DType.F32, l.elements());
    kernels.moving().copy(factors, l.reshape(l.elements()));
    kernels.pointwise().scaleColumns(weight, weight, factors);
  }
}
