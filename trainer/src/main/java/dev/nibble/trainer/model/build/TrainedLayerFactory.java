package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.Projection;
import dev.nibble.adapters.TrainedProjection;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.Norm;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** LayerFactory of which every weight trains. */
final class TrainedLayerFactory implements LayerFactory {
  private final Parameters parameters;
  private final UnaryOperator<String> naming;
  private final Set<String> biases;

  /** {@code parameters}: under the names of the checkpoint's tensors. */
  TrainedLayerFactory(Parameters parameters, List<TensorSpec> tensors) {
    this(parameters, tensors, UnaryOperator.identity());
  }

  /** {@code naming}: from the name of a tensor to that of its parameter. */
  TrainedLayerFactory(
      Parameters parameters, List<TensorSpec> tensors, UnaryOperator<String> naming) {
    this.parameters = parameters;
    this.naming = naming;
    this.biases =
        tensors.stream()
            .filter(t -> t.kind() == TensorSpec.Kind.BIAS)
            .map(TensorSpec::name)
            .collect(Collectors.toSet());
  }

  /** One parameter for each tensor of the checkpoint. */
  static Parameters allocate(Scope scope, List<TensorSpec> tensors) {
    Parameters.Builder builder = new Parameters.Builder();
    for (TensorSpec t : tensors) {
      if (t.kind() == TensorSpec.Kind.EMBEDDING) {
        builder.addEmbedding(t.name(), t.decays(), t.shape().dims());
      } else {
        builder.add(t.name(), t.decays(), t.shape().dims());
      }
    }
    return builder.allocate(scope, "weights");
  }

  private Parameter named(String tensor) {
    return parameters.named(naming.apply(tensor));
  }

  @Override
  public Embedding embedding(String name) {
    Parameter p = named(name);
    return new Embedding(p.weight(), Optional.of(p.gradient()));
  }

  @Override
  public Norm norm(String name, double epsilon) {
    Parameter p = named(name);
    return new Norm(p.weight(), Optional.of(p.gradient()), epsilon);
  }

  @Override
  public Projection linear(String module) {
    String bias = module + ".bias";
    return new TrainedProjection(
        named(module + ".weight"),
        biases.contains(bias) ? Optional.of(named(bias)) : Optional.empty());
  }

  @Override
  public Projection head(String name) {
    return new TrainedProjection(named(name), Optional.empty());
  }
}
