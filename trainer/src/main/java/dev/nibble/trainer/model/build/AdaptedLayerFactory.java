package dev.nibble.trainer.model.build;

import dev.nibble.adapters.AdaptedProjection;
import dev.nibble.adapters.Adapter;
import dev.nibble.adapters.FrozenProjection;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Projection;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.Norm;
import java.util.Set;

/** Makes frozen layers of which some carry an adapter, and some train as a whole. */
final class AdaptedLayerFactory implements LayerFactory {
  private final FrozenLayerFactory frozen;
  private final Parameters parameters;
  private final Adapter adapter;
  private final Set<String> whole;
  private final TrainedLayerFactory trained;

  /**
   * A factory of one model's layers.
   *
   * @param parameters of the adapter and of what trains as a whole
   * @param whole names of the tensors that do
   * @param trained makes parts of these
   */
  AdaptedLayerFactory(
      FrozenLayerFactory frozen,
      Parameters parameters,
      Adapter adapter,
      Set<String> whole,
      TrainedLayerFactory trained) {
    this.frozen = frozen;
    this.parameters = parameters;
    this.adapter = adapter;
    this.whole = whole;
    this.trained = trained;
  }

  /** What trains. */
  Parameters parameters() {
    return parameters;
  }

  @Override
  public Embedding embedding(String name) {
    if (whole.contains(name)) {
      return trained.embedding(name);
    }
    String module = TensorSpec.module(name);
    Embedding table = frozen.embedding(name);
    return adapter.adapts(module) ? table.with(adapter.onEmbedding(module)) : table;
  }

  @Override
  public Norm norm(String name, double epsilon) {
    return whole.contains(name) ? trained.norm(name, epsilon) : frozen.norm(name, epsilon);
  }

  @Override
  public Projection linear(String module) {
    if (whole.contains(module + ".weight")) {
      return trained.linear(module);
    }
    return adapted(module, frozen.linear(module));
  }

  /** As in PEFT, adapting a tied head does not change the embeddings, nor the other way round. */
  @Override
  public Projection head(String name) {
    if (whole.contains(AdapterBuilder.HEAD)) {
      return trained.head(AdapterBuilder.HEAD);
    }
    return adapted(AdapterBuilder.HEAD_MODULE, frozen.head(name));
  }

  private Projection adapted(String module, FrozenProjection base) {
    return adapter.adapts(module) ? new AdaptedProjection(base, adapter.on(module, base)) : base;
  }
}
