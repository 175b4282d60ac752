package dev.nibble.trainer.model.build;

import dev.nibble.adapters.FrozenProjection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.FrozenProducts;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.NonFinite;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.Norm;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Layers that do not train, read from a checkpoint: linear maps inside blocks quantised or as
 * stored, tables and biases as stored, norms widened to F32.
 */
final class FrozenLayerFactory implements LayerFactory {
  private final StoredTensors checkpoint;
  private final Function<String, FrozenMatrix> linears;
  private final Kernels kernels;
  private final Scope scope;
  private final FrozenProducts products;
  private final Map<String, Tensor> tables = new HashMap<>();

  /**
   * A factory.
   *
   * @param linears reads the weight of a linear map by its tensor's name
   * @param maxTokens the most tokens of a batch
   */
  FrozenLayerFactory(
      StoredTensors checkpoint,
      Function<String, FrozenMatrix> linears,
      int maxTokens,
      Kernels kernels,
      Scope scope) {
    this.checkpoint = checkpoint;
    this.linears = linears;
    this.kernels = kernels;
    this.scope = scope;
    products = new FrozenProducts(Buffers.of(kernels, scope), maxTokens);
  }

  @Override
  public Embedding embedding(String name) {
    return new Embedding(table(name), Optional.empty());
  }

  @Override
  public Norm norm(String name, double epsilon) {
    return new Norm(load("weights/", name, DType.F32), Optional.empty(), epsilon);
  }

  @Override
  public FrozenProjection linear(String module) {
    String bias = module + ".bias";
    return projection(
        linears.apply(module + ".weight"),
        checkpoint.has(bias)
            ? Optional.of(load("weights/", bias, checkpoint.tensor(bias).dtype()))
            : Optional.empty());
  }

  @Override
  public FrozenProjection head(String name) {
    boolean tied = tables.containsKey(name);
    return projection(tied ? new Dense(table(name)) : linears.apply(name), Optional.empty());
  }

  private FrozenProjection projection(FrozenMatrix weight, Optional<Tensor> bias) {
    products.reserve(weight);
    return new FrozenProjection(weight, bias, products);
  }

  /** A table [V, C] as stored, read once even when embeddings and head share it. */
  private Tensor table(String name) {
    return tables.computeIfAbsent(name, n -> load("embeddings/", n, checkpoint.tensor(n).dtype()));
  }

  private Tensor load(String group, String name, DType dtype) {
    Tensor stored = checkpoint.tensor(name);
    NonFinite.refuse(stored, checkpoint.placeOf(name), kernels);
    Tensor t = scope.allocate(group + name, dtype, stored.shape().dims());
    kernels.moving().copy(t, stored);
    checkpoint.unload(name);
    return t;
  }
}
