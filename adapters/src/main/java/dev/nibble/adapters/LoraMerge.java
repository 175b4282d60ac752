package dev.nibble.adapters;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The merge of one module's low-rank update. With W' = W + s B A, a weight becomes W', or, with
 * DoRA (arXiv:2402.09353), the rows of W' at the lengths m that were learned, m / |W'| W'; a bias
 * becomes bias + s b; an embedding table E becomes E + s (B A)^T.
 */
final class LoraMerge {
  private LoraMerge() {}

  static List<TensorMerge> of(LoraSpec spec, AdapterTensors module) {
    boolean linear = module.has(LoraNames.A) && module.has(LoraNames.B);
    boolean embedding = module.has(LoraNames.EMBEDDING_A) && module.has(LoraNames.EMBEDDING_B);
    if (linear == embedding || spec.dora() != module.has(LoraNames.MAGNITUDE)) {
      throw module.incomplete();
    }
    double scale = spec.ranks().scale(module.module());
    String weight = module.module() + ".weight";
    if (embedding) {
      Tensor a = module.get(LoraNames.EMBEDDING_A);
      Tensor b = module.get(LoraNames.EMBEDDING_B);
      return List.of(
          new TensorMerge(
              weight,
              Shape.of(a.cols(), b.rows()),
              (table, kernels, scratch) ->
                  kernels
                      .products()
                      .linearForwardAdd(
                          table,
                          transposed(scratch, kernels, a),
                          f32(scratch, kernels, b),
                          scale)));
    }
    Tensor a = module.get(LoraNames.A);
    Tensor b = module.get(LoraNames.B);
    List<TensorMerge> merges = new ArrayList<>();
    merges.add(
        new TensorMerge(
            weight,
            Shape.of(b.rows(), a.cols()),
            (w, kernels, scratch) -> {
              kernels
                  .products()
                  .linearBackward(w, f32(scratch, kernels, b), f32(scratch, kernels, a), scale);
              if (spec.dora()) {
                setLengths(kernels, w, module.get(LoraNames.MAGNITUDE));
              }
            }));
    if (module.has(LoraNames.B_BIAS)) {
      merges.add(
          new TensorMerge(
              module.module() + ".bias",
              Shape.of(b.rows()),
              (bias, kernels, scratch) -> {
                Tensor learned = f32(scratch, kernels, module.get(LoraNames.B_BIAS));
                kernels.pointwise().scale(learned, scale);
                kernels.pointwise().add(bias, bias, learned);
              }));
    }
    return merges;
  }

  private static Tensor f32(Scope scope, Kernels kernels, Tensor stored) {
    Tensor wide = scope.allocate(stored.name(), DType.F32, stored.shape().dims());
    kernels.moving().copy(wide, stored);
    return wide;
  }

  private static Tensor transposed(Scope scope, Kernels kernels, Tensor stored) {
    Tensor out = scope.allocate("transposed", DType.F32, stored.cols(), stored.rows());
    TensorValues.put(kernels, out, Transposed.of(stored.toFloats(), stored.rows(), stored.cols()));
    return out;
  }

  private static void setLengths(Kernels kernels, Tensor weight, Tensor magnitude) {
    try (HostCopies host = new HostCopies(kernels)) {
      Tensor read = host.of(weight);
      for (long row = 0; row < weight.rows(); row++) {
        double length = RowLengths.length(read.slice(row, row + 1));
        kernels.pointwise().scale(weight.slice(row, row + 1), magnitude.getDouble(row) / length);
      }
    }
  }
}
